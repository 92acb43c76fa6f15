libnetpol_a_SOURCES += src/group/carrier.c \
	src/group/group.c \
	src/group/index.c \
	src/group/private.h \
	src/group/profile.c
