libnetpol_a_SOURCES += src/cache/cache.c
