# The node daemon: all rooms joined.
sbin_PROGRAMS += src/daemon/ovs-netpold
src_daemon_ovs_netpold_SOURCES = src/daemon/main.c
dist_man_MANS += src/daemon/ovs-netpold.8

libnetpol_a_SOURCES += \
	src/daemon/appctl.c \
	src/daemon/appctl.h \
	src/daemon/command.c \
	src/daemon/command.h \
	src/daemon/denials-facts.c \
	src/daemon/denials-text.c \
	src/daemon/denials.c \
	src/daemon/denials.h \
	src/daemon/dryrun.c \
	src/daemon/dryrun.h \
	src/daemon/engine.c \
	src/daemon/engine.h \
	src/daemon/expo.c \
	src/daemon/expo.h \
	src/daemon/footprint.c \
	src/daemon/footprint.h \
	src/daemon/gate.c \
	src/daemon/gate.h \
	src/daemon/keeper.c \
	src/daemon/keeper.h \
	src/daemon/latency.c \
	src/daemon/latency.h \
	src/daemon/metrics.c \
	src/daemon/metrics.h \
	src/daemon/netpold.c \
	src/daemon/netpold.h \
	src/daemon/news.c \
	src/daemon/news.h \
	src/daemon/options.c \
	src/daemon/options.h \
	src/daemon/program.c \
	src/daemon/progress.c \
	src/daemon/progress.h \
	src/daemon/realized.c \
	src/daemon/realized.h \
	src/daemon/selfcheck.c \
	src/daemon/selfcheck.h \
	src/daemon/status-text.c \
	src/daemon/status.c \
	src/daemon/status.h \
	src/daemon/wait.c \
	src/daemon/wait.h
