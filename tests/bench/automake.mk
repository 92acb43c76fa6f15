# Measurements: see tests/bench/README.md.

check_PROGRAMS += tests/bench/gen
BENCH_SOURCES = \
	tests/bench/cluster.c \
	tests/bench/cluster.h \
	tests/bench/gen-policy.c \
	tests/bench/gen-text.c \
	tests/bench/gen.c \
	tests/bench/gen.h
tests_bench_gen_SOURCES = $(BENCH_SOURCES) tests/bench/gen-main.c
tests_bench_gen_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
