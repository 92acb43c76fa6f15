# Looking at what is on a bridge.
libnetpol_a_SOURCES += \
	src/inspect/names.c \
	src/inspect/names.h
