# netpolctl: policies without a switch.  kubectl finds it as `kubectl netpol`.
bin_PROGRAMS += src/cli/netpolctl
src_cli_netpolctl_SOURCES = src/cli/main.c
dist_man_MANS += src/cli/netpolctl.1

libnetpol_a_SOURCES += \
	src/cli/check-json.c \
	src/cli/check-text.c \
	src/cli/check.c \
	src/cli/check.h \
	src/cli/cli.c \
	src/cli/cli.h \
	src/cli/hint.c \
	src/cli/input.c \
	src/cli/query.c \
	src/cli/query.h \
	src/cli/validate.c

install-exec-hook:
	cd $(DESTDIR)$(bindir) && $(LN_S) -f netpolctl kubectl-netpol
uninstall-hook:
	rm -f $(DESTDIR)$(bindir)/kubectl-netpol
