libnetpol_a_SOURCES += \
	src/object/change.c \
	src/object/clone.c \
	src/object/destroy.c \
	src/object/equal.c \
	src/object/labels.c \
	src/object/object.c \
	src/object/place.c \
	src/object/selector.c
