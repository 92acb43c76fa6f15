libnetpol_a_SOURCES += \
	src/verify/action.c \
	src/verify/ct.c \
	src/verify/interp.c \
	src/verify/interp-private.h \
	src/verify/result.c \
	src/verify/table.c
