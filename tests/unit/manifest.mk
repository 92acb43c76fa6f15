# Units of src/manifest.
UNIT_TESTS += tests/unit/test-manifest
tests_unit_test_manifest_SOURCES = \
	tests/unit/manifest/test-hostile.c \
	tests/unit/manifest/test-json.c \
	tests/unit/manifest/test-kinds.c \
	tests/unit/manifest/test-main.c \
	tests/unit/manifest/test-netpol.c \
	tests/unit/manifest/test-rules.c \
	tests/unit/manifest/test-yaml.c \
	tests/unit/manifest/tests.h \
	tests/unit/manifest/util.c \
	tests/unit/unit.h
tests_unit_test_manifest_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_manifest_LDADD = $(UNIT_LDADD)
