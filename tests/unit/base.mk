# Units of src/base.
UNIT_TESTS += tests/unit/test-base
tests_unit_test_base_SOURCES = \
	tests/unit/base/test-addr.c \
	tests/unit/base/test-error.c \
	tests/unit/base/test-idset.c \
	tests/unit/base/test-main.c \
	tests/unit/base/test-pool.c \
	tests/unit/base/test-portrange.c \
	tests/unit/base/test-trie.c \
	tests/unit/base/tests.h \
	tests/unit/unit.h
tests_unit_test_base_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_base_LDADD = $(UNIT_LDADD)
