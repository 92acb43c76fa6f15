# Units of src/ovsdb.
UNIT_TESTS += tests/unit/test-ovsdb-row
tests_unit_test_ovsdb_row_SOURCES = \
	tests/unit/ovsdb/test-row.c \
	tests/unit/unit.h
tests_unit_test_ovsdb_row_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ovsdb_row_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test-ovsdb
tests_unit_test_ovsdb_SOURCES = \
	tests/unit/ovsdb/test-ovsdb.c \
	tests/unit/unit.h
tests_unit_test_ovsdb_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_ovsdb_LDADD = $(UNIT_LDADD)
