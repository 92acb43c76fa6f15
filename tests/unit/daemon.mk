# Units of src/daemon.
UNIT_TESTS += tests/unit/test-daemon
tests_unit_test_daemon_SOURCES = \
	tests/unit/daemon/test-daemon.c \
	tests/unit/daemon/test-daemon.h \
	tests/unit/daemon/test-expo.c \
	tests/unit/daemon/test-latency.c
tests_unit_test_daemon_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_daemon_LDADD = $(UNIT_LDADD)
