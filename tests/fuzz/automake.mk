# Decoders of outside bytes.  `make check` replays the seeds; with
# --enable-fuzzers (clang) `tests/fuzz/run SECONDS` goes on from there.
FUZZ_TARGETS = \
	tests/fuzz/fuzz-addr \
	tests/fuzz/fuzz-flow \
	tests/fuzz/fuzz-json \
	tests/fuzz/fuzz-manifest \
	tests/fuzz/fuzz-names \
	tests/fuzz/fuzz-object \
	tests/fuzz/fuzz-openflow \
	tests/fuzz/fuzz-policy \
	tests/fuzz/fuzz-row \
	tests/fuzz/fuzz-saved \
	tests/fuzz/fuzz-selector \
	tests/fuzz/fuzz-shaped-netpol \
	tests/fuzz/fuzz-shaped-place \
	tests/fuzz/fuzz-shaped-pod
check_PROGRAMS += $(FUZZ_TARGETS)
TESTS += tests/fuzz/run
dist_check_SCRIPTS += tests/fuzz/run
EXTRA_DIST += tests/fuzz/dict tests/fuzz/seeds

# What targets share.
check_LIBRARIES = tests/fuzz/libfuzz.a
tests_fuzz_libfuzz_a_SOURCES = \
	tests/fuzz/check.c \
	tests/fuzz/common.c \
	tests/fuzz/fuzz.h \
	tests/fuzz/shape.c \
	tests/fuzz/shape.h \
	tests/fuzz/wrap.h
tests_fuzz_libfuzz_a_CPPFLAGS = $(FUZZ_CPPFLAGS)
if ENABLE_FUZZERS
FUZZ_MAIN = tests/fuzz/init.c
else
FUZZ_MAIN = tests/fuzz/init.c tests/fuzz/replay.c
endif
FUZZ_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
FUZZ_LINK = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
FUZZ_LDADD = tests/fuzz/libfuzz.a $(LDADD)

tests_fuzz_fuzz_addr_SOURCES = tests/fuzz/addr.c $(FUZZ_MAIN)
tests_fuzz_fuzz_addr_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_addr_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_addr_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_flow_SOURCES = tests/fuzz/flow.c $(FUZZ_MAIN)
tests_fuzz_fuzz_flow_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_flow_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_flow_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/json.c $(FUZZ_MAIN)
tests_fuzz_fuzz_json_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_json_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_json_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_manifest_SOURCES = tests/fuzz/manifest.c $(FUZZ_MAIN)
tests_fuzz_fuzz_manifest_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_manifest_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_manifest_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_names_SOURCES = tests/fuzz/names.c $(FUZZ_MAIN)
tests_fuzz_fuzz_names_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_names_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_names_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_object_SOURCES = tests/fuzz/object.c $(FUZZ_MAIN)
tests_fuzz_fuzz_object_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_object_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_object_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_openflow_SOURCES = tests/fuzz/openflow.c $(FUZZ_MAIN)
tests_fuzz_fuzz_openflow_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_openflow_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_openflow_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_policy_SOURCES = tests/fuzz/policy.c $(FUZZ_MAIN)
tests_fuzz_fuzz_policy_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_policy_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_policy_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_row_SOURCES = tests/fuzz/row.c $(FUZZ_MAIN)
tests_fuzz_fuzz_row_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_row_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_row_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_saved_SOURCES = tests/fuzz/saved.c $(FUZZ_MAIN)
tests_fuzz_fuzz_saved_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_saved_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_saved_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_selector_SOURCES = tests/fuzz/selector.c $(FUZZ_MAIN)
tests_fuzz_fuzz_selector_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_selector_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_selector_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_shaped_netpol_SOURCES = tests/fuzz/shaped-netpol.c $(FUZZ_MAIN)
tests_fuzz_fuzz_shaped_netpol_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_shaped_netpol_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_shaped_netpol_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_shaped_place_SOURCES = tests/fuzz/shaped-place.c $(FUZZ_MAIN)
tests_fuzz_fuzz_shaped_place_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_shaped_place_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_shaped_place_LDADD = $(FUZZ_LDADD)
tests_fuzz_fuzz_shaped_pod_SOURCES = tests/fuzz/shaped-pod.c $(FUZZ_MAIN)
tests_fuzz_fuzz_shaped_pod_CPPFLAGS = $(FUZZ_CPPFLAGS)
tests_fuzz_fuzz_shaped_pod_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_shaped_pod_LDADD = $(FUZZ_LDADD)
