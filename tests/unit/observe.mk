# Units of src/observe.
UNIT_TESTS += tests/unit/test-observe
tests_unit_test_observe_SOURCES = tests/unit/observe/test-denials.c
tests_unit_test_observe_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_observe_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_observe_LDADD = $(UNIT_LDADD)
