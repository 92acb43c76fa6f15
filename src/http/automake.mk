# Pages over HTTP.
libnetpol_a_SOURCES += \
	src/http/address.c \
	src/http/http.c
