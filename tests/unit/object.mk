# Units of src/object.
UNIT_TESTS += tests/unit/test-object
tests_unit_test_object_SOURCES = \
	tests/unit/object/test-object.c \
	tests/unit/unit.h
tests_unit_test_object_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_object_LDADD = $(UNIT_LDADD)
