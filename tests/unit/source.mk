# Units of src/source.
UNIT_TESTS += tests/unit/test-source
tests_unit_test_source_SOURCES = \
	tests/unit/source/fixture.c \
	tests/unit/source/fixture.h \
	tests/unit/source/test-changes.c \
	tests/unit/source/test-dir.c \
	tests/unit/source/test-main.c \
	tests/unit/source/test-restore.c \
	tests/unit/unit.h
tests_unit_test_source_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_source_LDADD = $(UNIT_LDADD)
