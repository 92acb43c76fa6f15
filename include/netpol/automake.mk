noinst_HEADERS = \
	include/netpol/addr.h \
	include/netpol/binding.h \
	include/netpol/cache.h \
	include/netpol/change.h \
	include/netpol/compile.h \
	include/netpol/error.h \
	include/netpol/eval.h \
	include/netpol/flow.h \
	include/netpol/group.h \
	include/netpol/http.h \
	include/netpol/idset.h \
	include/netpol/interp.h \
	include/netpol/learned.h \
	include/netpol/manifest.h \
	include/netpol/object.h \
	include/netpol/observe.h \
	include/netpol/openflow.h \
	include/netpol/ovsdb.h \
	include/netpol/policy.h \
	include/netpol/pool.h \
	include/netpol/portmap.h \
	include/netpol/portrange.h \
	include/netpol/saved.h \
	include/netpol/slots.h \
	include/netpol/source.h
