libnetpol_a_SOURCES +=
