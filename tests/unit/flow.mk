# Units of src/flow.
UNIT_TESTS += tests/unit/test-flow
tests_unit_test_flow_SOURCES = \
	tests/unit/flow/test-main.c \
	tests/unit/flow/test-maker.c \
	tests/unit/flow/test-patch.c \
	tests/unit/flow/test-set.c \
	tests/unit/flow/test-text.c \
	tests/unit/flow/tests.h \
	tests/unit/unit.h
tests_unit_test_flow_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_flow_LDADD = $(UNIT_LDADD)
EXTRA_DIST += \
	tests/unit/flow/canonical.flows \
	tests/unit/flow/input.flows
