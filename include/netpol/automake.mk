noinst_HEADERS = \
	include/netpol/addr.h \
	include/netpol/error.h \
	include/netpol/flow.h \
	include/netpol/idset.h \
	include/netpol/manifest.h \
	include/netpol/object.h \
	include/netpol/openflow.h \
	include/netpol/ovsdb.h \
	include/netpol/portmap.h \
	include/netpol/portrange.h \
	include/netpol/source.h
