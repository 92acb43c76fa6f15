# What puts load on the data plane: see tests/bench/README.md.

check_PROGRAMS += tests/bench/load
tests_bench_load_SOURCES = tests/bench/load.c
tests_bench_load_LDADD =
bench: tests/bench/load
EXTRA_DIST += \
	tests/bench/datapath.py \
	tests/bench/datapath_clauses.py \
	tests/bench/datapath_stats.py \
	tests/bench/datapath_world.py
