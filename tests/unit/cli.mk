# Units of src/cli.
UNIT_TESTS += tests/unit/test-cli
tests_unit_test_cli_SOURCES = \
	tests/unit/cli/test-cli.c \
	tests/unit/unit.h
tests_unit_test_cli_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cli_LDADD = $(UNIT_LDADD)
