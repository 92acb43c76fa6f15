libnetpol_a_SOURCES += src/analyze/eval.c
