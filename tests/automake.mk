# The rules of the house, as tests.
dist_check_SCRIPTS = tests/pipeline-doc tests/rooms tests/semantics-doc \
	tests/symbols
TESTS += $(dist_check_SCRIPTS)

# cmocka units mirror src/: one program a room, tests/unit/test-ROOM.
if HAVE_CMOCKA
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif
AM_TESTS_ENVIRONMENT = \
	NETPOL_GOLDEN='$(srcdir)/tests/golden'; export NETPOL_GOLDEN; \
	NM='$(NM)'; export NM; OVS_DIR='$(OVS_DIR)'; export OVS_DIR; \
	JANSSON_LIBDIR='$(JANSSON_LIBDIR)'; export JANSSON_LIBDIR; \
	PROGRAMS='$(bin_PROGRAMS) $(sbin_PROGRAMS)'; export PROGRAMS;
UNIT_TESTS =
UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
UNIT_LDADD = $(LDADD) $(CMOCKA_LIBS)

include tests/bench/datapath.mk
include tests/fuzz/automake.mk
include tests/bench/automake.mk
include tests/prop/automake.mk
include tests/unit/base.mk
include tests/unit/object.mk
include tests/unit/flow.mk
include tests/unit/manifest.mk
include tests/unit/saved.mk
include tests/unit/source.mk
include tests/unit/cli.mk
include tests/unit/policy.mk
include tests/unit/compile.mk
include tests/unit/openflow.mk
include tests/unit/inspect.mk
include tests/unit/observe.mk
include tests/unit/ovsdb.mk
include tests/unit/http.mk
include tests/unit/daemon.mk
include tests/unit/verify.mk
include tests/conformance/automake.mk
include tests/fault/automake.mk

EXTRA_DIST += \
	$(GOLDEN_FILES) \
	tests/check \
	tests/lab \
	tests/system
