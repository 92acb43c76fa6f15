EXTRA_DIST += \
	deploy/examples \
	deploy/quickstart
