# Units of src/compile.
UNIT_TESTS += tests/unit/test-golden
tests_unit_test_golden_SOURCES = \
	tests/unit/compile/fixture.c \
	tests/unit/compile/fixture.h \
	tests/unit/compile/golden.c
tests_unit_test_golden_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_golden_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_golden_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test-binding
tests_unit_test_binding_SOURCES = \
	tests/unit/compile/binding.c \
	tests/unit/compile/fixture.c \
	tests/unit/compile/fixture.h
tests_unit_test_binding_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_binding_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_binding_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test-reuse
tests_unit_test_reuse_SOURCES = \
	tests/unit/compile/fixture.c \
	tests/unit/compile/fixture.h \
	tests/unit/compile/reuse.c
tests_unit_test_reuse_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_reuse_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_reuse_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test-space
tests_unit_test_space_SOURCES = tests/unit/compile/space.c
tests_unit_test_space_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_unit_test_space_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_space_LDADD = $(UNIT_LDADD)

# Takes the present output for right; read the diff.
update-golden: tests/unit/test-golden
	NETPOL_GOLDEN=$(srcdir)/tests/golden NETPOL_GOLDEN_UPDATE=1 \
	  tests/unit/test-golden
.PHONY: update-golden

GOLDEN_FILES = \
	tests/golden/defaults/objects.yaml \
	tests/golden/defaults/ports \
	tests/golden/defaults/flows \
	tests/golden/ip-blocks/objects.yaml \
	tests/golden/ip-blocks/ports \
	tests/golden/ip-blocks/flows \
	tests/golden/named-ports/objects.yaml \
	tests/golden/named-ports/ports \
	tests/golden/named-ports/flows \
	tests/golden/pipeline/objects.yaml \
	tests/golden/pipeline/ports \
	tests/golden/pipeline/flows \
	tests/golden/pod-ports/objects.yaml \
	tests/golden/pod-ports/ports \
	tests/golden/pod-ports/flows \
	tests/golden/port-ranges/objects.yaml \
	tests/golden/port-ranges/ports \
	tests/golden/port-ranges/flows \
	tests/golden/shared-clauses/objects.yaml \
	tests/golden/shared-clauses/ports \
	tests/golden/shared-clauses/flows \
	tests/golden/shop/objects.yaml \
	tests/golden/shop/ports \
	tests/golden/shop/flows \
	tests/golden/way-out-port/objects.yaml \
	tests/golden/way-out-port/ports \
	tests/golden/way-out-port/flows
