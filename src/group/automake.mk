libnetpol_a_SOURCES += src/group/group.c
