libnetpol_a_SOURCES += \
	src/policy/policy.c \
	src/policy/set.c \
	src/policy/set.h
