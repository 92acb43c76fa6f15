libnetpol_a_SOURCES += \
	src/flow/canon.c \
	src/flow/flow-private.h \
	src/flow/flow.c \
	src/flow/maker.c \
	src/flow/patch.c \
	src/flow/set.c \
	src/flow/sort.c \
	src/flow/text.c
