libnetpol_a_SOURCES += \
	src/compile/binding.c \
	src/compile/build.c \
	src/compile/build.h \
	src/compile/claim.c \
	src/compile/claim.h \
	src/compile/clause.c \
	src/compile/compile.c \
	src/compile/conj.c \
	src/compile/content.c \
	src/compile/cset.c \
	src/compile/denied.c \
	src/compile/ghost.c \
	src/compile/identity.c \
	src/compile/judge.c \
	src/compile/local.c \
	src/compile/model.c \
	src/compile/named.c \
	src/compile/names.c \
	src/compile/number.c \
	src/compile/pipeline.c \
	src/compile/point.c \
	src/compile/port.c \
	src/compile/space.c \
	src/compile/stage.h \
	src/compile/static.c \
	src/compile/use.c
