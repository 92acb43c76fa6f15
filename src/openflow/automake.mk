libnetpol_a_SOURCES += \
	src/openflow/bundle.c \
	src/openflow/dump.c \
	src/openflow/installer.c \
	src/openflow/installer.h \
	src/openflow/knock.c \
	src/openflow/learned.c \
	src/openflow/msg.c \
	src/openflow/noflood.c \
	src/openflow/openflow-private.h \
	src/openflow/readback.c \
	src/openflow/session.c \
	src/openflow/watch.c \
	src/openflow/wish.c
