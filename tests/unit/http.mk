# Units of src/http.
UNIT_TESTS += tests/unit/test-http
tests_unit_test_http_SOURCES = tests/unit/http/test-http.c
tests_unit_test_http_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_http_LDADD = $(UNIT_LDADD)
