#!/bin/sh
# Makes configure and Makefile.in from their sources; needed once in a clone.
cd "$(dirname "$0")" && exec autoreconf --install --force --warnings=no-obsolete
