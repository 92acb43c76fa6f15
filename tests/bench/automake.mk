# Measurements: see tests/bench/README.md.
check_PROGRAMS += tests/bench/control tests/bench/gen
BENCH_SOURCES = \
	tests/bench/cluster.c \
	tests/bench/cluster.h \
	tests/bench/gen-policy.c \
	tests/bench/gen-text.c \
	tests/bench/gen.c \
	tests/bench/gen.h
tests_bench_gen_SOURCES = $(BENCH_SOURCES) tests/bench/gen-main.c
tests_bench_gen_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_bench_control_SOURCES = $(BENCH_SOURCES) \
	tests/bench/client.c \
	tests/bench/client.h \
	tests/bench/control.c \
	tests/bench/control.h \
	tests/bench/ipclause.c \
	tests/bench/ipclause.h \
	tests/bench/items.c \
	tests/bench/items.h \
	tests/bench/measure.c \
	tests/bench/measure.h \
	tests/bench/part-change.c \
	tests/bench/part-size.c \
	tests/bench/part-sync.c \
	tests/bench/rig.c \
	tests/bench/rig.h \
	tests/bench/step.c \
	tests/bench/step.h
tests_bench_control_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests \
	-Itests/bench

# The names of all coverage counters.
tests/bench/control-items.$(OBJEXT): tests/bench/counters.inc
tests/bench/counters.inc: $(libnetpol_a_SOURCES)
	$(AM_V_GEN)$(MKDIR_P) tests/bench && \
	  sed -n 's/^COVERAGE_DEFINE(\(np_[a-z_]*\));/COUNTER(\1)/p' \
	    $(srcdir)/src/*/*.c >$@.tmp && mv $@.tmp $@
CLEANFILES += tests/bench/bench.json tests/bench/counters.inc
EXTRA_DIST += tests/bench/README.md tests/bench/run tests/bench/saved.py
bench: all tests/bench/control tests/bench/gen
	$(PYTHON) $(srcdir)/tests/bench/run --build .
.PHONY: bench
