# The last good objects, in a file.
libnetpol_a_SOURCES += \
	src/saved/form.c \
	src/saved/form.h \
	src/saved/load.c \
	src/saved/record.c \
	src/saved/record.h \
	src/saved/saved.c
