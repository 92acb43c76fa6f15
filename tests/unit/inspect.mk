# Units of src/inspect.
UNIT_TESTS += tests/unit/test-inspect
tests_unit_test_inspect_SOURCES = \
	tests/unit/inspect/test-names.c \
	tests/unit/unit.h
tests_unit_test_inspect_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_inspect_LDADD = $(UNIT_LDADD)
