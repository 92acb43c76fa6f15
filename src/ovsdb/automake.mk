# The switch's database: ports in, table names and readiness out.
libnetpol_a_SOURCES += \
	src/ovsdb/hostaddr.c \
	src/ovsdb/hostaddr.h \
	src/ovsdb/ovsdb.c \
	src/ovsdb/portmap.c \
	src/ovsdb/row.c \
	src/ovsdb/row.h \
	src/ovsdb/writer.c \
	src/ovsdb/writer.h
