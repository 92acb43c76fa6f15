libnetpol_a_SOURCES += \
	src/source/dir-file.c \
	src/source/dir-index.c \
	src/source/dir-scan.c \
	src/source/dir-watch.c \
	src/source/dir.c \
	src/source/dir.h \
	src/source/source.c
