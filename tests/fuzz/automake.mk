# Decoders of outside bytes.  `make check` replays the seeds; with
# --enable-fuzzers (clang) `tests/fuzz/run SECONDS` goes on from there.
FUZZ_TARGETS = \
	tests/fuzz/fuzz-manifest \
	tests/fuzz/fuzz-object \
	tests/fuzz/fuzz-policy \
	tests/fuzz/fuzz-row
check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += tests/fuzz/run
dist_check_SCRIPTS += tests/fuzz/run
EXTRA_DIST += tests/fuzz/seeds

if ENABLE_FUZZERS
FUZZ_MAIN =
else
FUZZ_MAIN = tests/fuzz/replay.c
endif
FUZZ_COMMON = tests/fuzz/common.c tests/fuzz/fuzz.h tests/fuzz/wrap.h
FUZZ_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
FUZZ_LINK = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)

tests_fuzz_fuzz_manifest_SOURCES = \
	tests/fuzz/manifest.c $(FUZZ_COMMON) $(FUZZ_MAIN)
tests_fuzz_fuzz_manifest_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_manifest_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_object_SOURCES = \
	tests/fuzz/object.c $(FUZZ_COMMON) $(FUZZ_MAIN)
tests_fuzz_fuzz_object_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_object_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_policy_SOURCES = \
	tests/fuzz/policy.c $(FUZZ_COMMON) $(FUZZ_MAIN)
tests_fuzz_fuzz_policy_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_policy_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_row_SOURCES = tests/fuzz/row.c tests/fuzz/fuzz.h $(FUZZ_MAIN)
tests_fuzz_fuzz_row_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_row_LDFLAGS = $(FUZZ_LINK)
