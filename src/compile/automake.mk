libnetpol_a_SOURCES += \
	src/compile/binding.c \
	src/compile/build.c \
	src/compile/build.h \
	src/compile/clause.c \
	src/compile/clause.h \
	src/compile/compile.c \
	src/compile/conj.c \
	src/compile/identity.c \
	src/compile/identity.h \
	src/compile/names.c \
	src/compile/number.c \
	src/compile/pipeline.c \
	src/compile/point.c \
	src/compile/point.h \
	src/compile/port.c \
	src/compile/stage.h \
	src/compile/static.c
