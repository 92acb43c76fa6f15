# Units of src/verify.
UNIT_TESTS += tests/unit/test-verify
tests_unit_test_verify_SOURCES = \
	tests/unit/verify/test-action.c \
	tests/unit/verify/test-ct.c \
	tests/unit/verify/test-main.c \
	tests/unit/verify/test-match.c \
	tests/unit/verify/tests.h \
	tests/unit/unit.h
tests_unit_test_verify_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_verify_LDADD = $(UNIT_LDADD)

# What tests/system/test_interp.py needs.
check_PROGRAMS += tests/unit/verify/interp-run
if HAVE_CMOCKA
check_PROGRAMS += tests/unit/verify/case-flows
endif
tests_unit_verify_interp_run_SOURCES = tests/unit/verify/interp-run.c
tests_unit_verify_case_flows_SOURCES = \
	tests/unit/compile/fixture.c \
	tests/unit/compile/fixture.h \
	tests/unit/unit.h \
	tests/unit/verify/case-flows.c
tests_unit_verify_case_flows_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_verify_case_flows_CFLAGS = $(UNIT_CFLAGS)
tests_unit_verify_case_flows_LDADD = $(UNIT_LDADD)
