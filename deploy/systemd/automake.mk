# The unit names the program by the path that it is installed at.
systemdsystemunit_DATA = deploy/systemd/ovs-netpold.service
EXTRA_DIST += deploy/systemd/ovs-netpold.service.in
CLEANFILES += deploy/systemd/ovs-netpold.service
deploy/systemd/ovs-netpold.service: deploy/systemd/ovs-netpold.service.in \
		Makefile
	$(AM_V_GEN)$(MKDIR_P) deploy/systemd && \
	$(SED) 's|@sbindir[@]|$(sbindir)|' \
	  $(srcdir)/deploy/systemd/ovs-netpold.service.in >$@
