# Units of src/openflow, against a switch in the same process.
UNIT_TESTS += tests/unit/test-openflow
tests_unit_test_openflow_SOURCES = \
	tests/unit/openflow/fake-switch.c \
	tests/unit/openflow/fake-switch.h \
	tests/unit/openflow/fixture.c \
	tests/unit/openflow/fixture.h \
	tests/unit/openflow/test-learned.c \
	tests/unit/openflow/test-openflow.c \
	tests/unit/openflow/test-patch.c \
	tests/unit/openflow/test-watch.c \
	tests/unit/unit.h
tests_unit_test_openflow_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_openflow_LDADD = $(UNIT_LDADD)
