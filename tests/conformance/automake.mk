# The judge of the objects as a program, for the conformance suite.
check_PROGRAMS += tests/conformance/oracle
tests_conformance_oracle_SOURCES = tests/conformance/oracle.c

# File by file: what the build makes here must not be taken along.
EXTRA_DIST += \
	tests/conformance/README.md \
	tests/conformance/case.py \
	tests/conformance/changes.py \
	tests/conformance/cluster.py \
	tests/conformance/compare.py \
	tests/conformance/conftest.py \
	tests/conformance/corners.py \
	tests/conformance/named.py \
	tests/conformance/probes.py \
	tests/conformance/table.py \
	tests/conformance/test_changes.py \
	tests/conformance/test_corners.py \
	tests/conformance/test_named.py \
	tests/conformance/test_sabotage.py \
	tests/conformance/test_table.py \
	tests/conformance/truth.py
