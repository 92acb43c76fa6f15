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
