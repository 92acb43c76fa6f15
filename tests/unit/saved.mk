# Units of src/saved.
UNIT_TESTS += tests/unit/test-saved
tests_unit_test_saved_SOURCES = \
	tests/unit/saved/fixture.c \
	tests/unit/saved/fixture.h \
	tests/unit/saved/test-damage.c \
	tests/unit/saved/test-form.c \
	tests/unit/saved/test-main.c \
	tests/unit/saved/test-saved.c \
	tests/unit/unit.h
tests_unit_test_saved_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_saved_LDADD = $(UNIT_LDADD)
