libnpmanifest_a_SOURCES +=
