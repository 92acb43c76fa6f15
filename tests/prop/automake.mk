# The two judges against each other.
check_PROGRAMS += tests/prop/prop
TESTS += tests/prop/prop
tests_prop_prop_SOURCES = \
	tests/prop/court.c \
	tests/prop/gen.c \
	tests/prop/gen.h \
	tests/prop/judge.c \
	tests/prop/judge.h \
	tests/prop/prop.c \
	tests/unit/compile/fixture.c \
	tests/unit/compile/fixture.h
tests_prop_prop_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_prop_prop_CFLAGS = $(UNIT_CFLAGS)
tests_prop_prop_LDADD = $(UNIT_LDADD)

# What is applied step by step against what is computed at once.
check_PROGRAMS += tests/prop/law
TESTS += tests/prop/law
tests_prop_law_SOURCES = \
	tests/prop/court.c \
	tests/prop/gen.c \
	tests/prop/gen.h \
	tests/prop/judge.c \
	tests/prop/judge.h \
	tests/prop/law.c \
	tests/prop/trial.c \
	tests/prop/trial.h \
	tests/prop/world.c \
	tests/prop/world.h \
	tests/unit/compile/fixture.c \
	tests/unit/compile/fixture.h
tests_prop_law_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_prop_law_CFLAGS = $(UNIT_CFLAGS)
tests_prop_law_LDADD = $(UNIT_LDADD)

# The same where clauses move between priorities.
check_PROGRAMS += tests/prop/shards
TESTS += tests/prop/shards
tests_prop_shards_SOURCES = \
	tests/prop/shards.c \
	tests/prop/trial.c \
	tests/prop/trial.h \
	tests/unit/compile/fixture.c \
	tests/unit/compile/fixture.h
tests_prop_shards_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_prop_shards_CFLAGS = $(UNIT_CFLAGS)
tests_prop_shards_LDADD = $(UNIT_LDADD)

# A change costs the same in a large cluster.
check_PROGRAMS += tests/prop/cost
TESTS += tests/prop/cost
tests_prop_cost_SOURCES = \
	tests/prop/cost.c \
	tests/unit/compile/fixture.c \
	tests/unit/compile/fixture.h
tests_prop_cost_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests -Itests/bench
tests_prop_cost_CFLAGS = $(UNIT_CFLAGS)
tests_prop_cost_LDADD = $(UNIT_LDADD)
tests/prop/cost-cost.$(OBJEXT): tests/bench/counters.inc

# Bugs made on purpose, each of which one of these tests must catch.
EXTRA_DIST += tests/prop/mutants
MUTANT_LINK = $(CC) $(AM_CFLAGS) $(CFLAGS)
check-mutants: tests/prop/prop tests/prop/law tests/prop/shards tests/prop/cost
	srcdir='$(abs_top_srcdir)' \
	COMPILE='$(CC) $(DEFS) -I. $(AM_CPPFLAGS) $(AM_CFLAGS) $(CFLAGS)' \
	LINK_PROP='$(MUTANT_LINK) $(tests_prop_prop_OBJECTS) MUTANT \
	  $(tests_prop_prop_LDADD)' \
	LINK_LAW='$(MUTANT_LINK) $(tests_prop_law_OBJECTS) MUTANT \
	  $(tests_prop_law_LDADD)' \
	LINK_SHARDS='$(MUTANT_LINK) $(tests_prop_shards_OBJECTS) MUTANT \
	  $(tests_prop_shards_LDADD)' \
	LINK_COST='$(MUTANT_LINK) $(tests_prop_cost_OBJECTS) MUTANT \
	  $(tests_prop_cost_LDADD)' \
	  $(PYTHON) $(srcdir)/tests/prop/mutants $(MUTANTS)
.PHONY: check-mutants
