libnpmanifest_a_SOURCES += \
	src/manifest/address.c \
	src/manifest/decode.c \
	src/manifest/decode.h \
	src/manifest/document.c \
	src/manifest/format.c \
	src/manifest/json.c \
	src/manifest/manifest.c \
	src/manifest/netpol.c \
	src/manifest/pod.c \
	src/manifest/scalar.c \
	src/manifest/selector.c \
	src/manifest/tree.c \
	src/manifest/tree.h \
	src/manifest/validate.c \
	src/manifest/validate.h \
	src/manifest/yaml.c
