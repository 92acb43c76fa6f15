# What the switch has seen, for people.
libnetpol_a_SOURCES += src/observe/denials.c
