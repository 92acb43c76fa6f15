# Streams of numbered frames, and a daemon to upgrade to: see README.md.
check_PROGRAMS += tests/fault/streams tests/fault/next/ovs-netpold
tests_fault_streams_SOURCES = \
	tests/fault/report.c \
	tests/fault/streams.c \
	tests/fault/streams.h \
	tests/fault/traffic.c
tests_fault_streams_LDADD = $(LDADD) -lpthread

# The next version of the daemon: its pipeline has one flow more, which does
# what the one below it does, so its layout is another one.
tests_fault_next_ovs_netpold_SOURCES = src/daemon/main.c
nodist_tests_fault_next_ovs_netpold_SOURCES = tests/fault/next/static.c
tests/fault/next/static.c: $(srcdir)/src/compile/static.c
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	  $(SED) 's/^ *"table=service,priority=0,actions=\(.*\)",$$/&\n"table=service,priority=1,arp,actions=\1",/' \
	    $(srcdir)/src/compile/static.c >$@.tmp && \
	  ! cmp -s $(srcdir)/src/compile/static.c $@.tmp && mv $@.tmp $@
CLEANFILES += tests/fault/next/static.c

# File by file: what the build makes here must not be taken along.
EXTRA_DIST += \
	tests/fault/README.md \
	tests/fault/churn.py \
	tests/fault/conftest.py \
	tests/fault/faults.py \
	tests/fault/judge.py \
	tests/fault/pairs.py \
	tests/fault/proxy.py \
	tests/fault/rig.py \
	tests/fault/test_atomic.py \
	tests/fault/test_closed.py \
	tests/fault/test_notices.py \
	tests/fault/traffic.py
