libnetpol_a_SOURCES += \
	src/base/addr.c \
	src/base/error.c \
	src/base/idset.c \
	src/base/pool.c \
	src/base/portrange.c \
	src/base/slots.c \
	src/base/trie.c
