# The judge of the objects as a program, for the conformance suite.
check_PROGRAMS += tests/conformance/oracle
tests_conformance_oracle_SOURCES = tests/conformance/oracle.c

EXTRA_DIST += tests/conformance
