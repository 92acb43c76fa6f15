# NP_CHECK_PKG(MODULE, VARIABLE, DEBIAN-PACKAGE): as PKG_CHECK_MODULES, but
# the error says what to install.
AC_DEFUN([NP_CHECK_PKG],
  [PKG_CHECK_MODULES([$2], [$1], [],
     [AC_MSG_ERROR([$1 not found: install $3])])])

# Where jansson's shared library is, for the check that no symbol of it is
# defined twice.
AC_DEFUN([NP_JANSSON_LIBDIR],
  [JANSSON_LIBDIR=`$PKG_CONFIG --variable=libdir jansson`
   AC_SUBST([JANSSON_LIBDIR])])

# Unit tests want cmocka; the programs do not.
AC_DEFUN([NP_CHECK_CMOCKA],
  [PKG_CHECK_MODULES([CMOCKA], [cmocka], [have_cmocka=yes], [have_cmocka=no])
   AM_CONDITIONAL([HAVE_CMOCKA], [test $have_cmocka = yes])])

# libopenvswitch is linked statically from its source, because Debian ships
# no development package and ovsdb-idl, unixctl and daemon are private
# headers.  The archive is built once, below $(builddir)/ovs, or taken from
# an earlier build with --with-ovs-build.
AC_DEFUN([NP_CHECK_OVS],
  [AC_ARG_WITH([ovs-source],
     [AS_HELP_STRING([--with-ovs-source=DIR|TARBALL],
        [Open vSwitch's source (default: Debian's openvswitch-source)])],
     [], [with_ovs_source=/usr/src/openvswitch/openvswitch.tar.gz])
   AC_ARG_WITH([ovs-build],
     [AS_HELP_STRING([--with-ovs-build=DIR],
        [the "ovs" directory of an earlier build, used as it is])],
     [], [with_ovs_build=])
   AC_MSG_CHECKING([for libopenvswitch])
   AS_IF([test -n "$with_ovs_build"],
     [AS_IF([test -f "$with_ovs_build/stamp"], [],
        [AC_MSG_ERROR([$with_ovs_build has no built libopenvswitch])])
      OVS_DIR=`cd "$with_ovs_build" && pwd`
      OVS_SOURCE=],
     [AS_IF([test -e "$with_ovs_source"], [],
        [AC_MSG_ERROR([$with_ovs_source not found: install openvswitch-source or give --with-ovs-source])])
      OVS_DIR=`pwd`/ovs
      OVS_SOURCE=$with_ovs_source])
   AC_MSG_RESULT([${OVS_SOURCE:-$OVS_DIR}])
   AC_SUBST([OVS_DIR])
   # Known only once it is built; a substitution, so that automake does not
   # take its words for files.
   OVS_LIBS='`cat $(OVS_DIR)/libs`'
   AC_SUBST([OVS_LIBS])
   AC_SUBST([OVS_SOURCE])])

AC_DEFUN([NP_SANITIZERS],
  [AC_ARG_ENABLE([sanitizers],
     [AS_HELP_STRING([--enable-sanitizers],
        [build with AddressSanitizer and UndefinedBehaviorSanitizer])],
     [], [enable_sanitizers=no])
   SAN_CFLAGS=
   AS_IF([test "$enable_sanitizers" = yes],
     [SAN_CFLAGS="-fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined"])
   # libFuzzer comes with clang; the library is instrumented for it.
   AC_ARG_ENABLE([fuzzers],
     [AS_HELP_STRING([--enable-fuzzers],
        [build the fuzz targets with clang's libFuzzer])],
     [], [enable_fuzzers=no])
   FUZZ_LDFLAGS=
   AS_IF([test "$enable_fuzzers" = yes],
     [SAN_CFLAGS="$SAN_CFLAGS -fsanitize=fuzzer-no-link"
      FUZZ_LDFLAGS="-fsanitize=fuzzer"])
   AM_CONDITIONAL([ENABLE_FUZZERS], [test "$enable_fuzzers" = yes])
   AC_SUBST([FUZZ_LDFLAGS])
   AC_SUBST([SAN_CFLAGS])])

AC_DEFUN([NP_WARNINGS],
  [AC_ARG_ENABLE([Werror],
     [AS_HELP_STRING([--enable-Werror], [warnings stop the build])],
     [], [enable_Werror=no])
   WARN_CFLAGS="-Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wshadow -Wno-sign-compare -Wno-missing-field-initializers"
   AS_IF([test "$enable_Werror" = yes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
   AC_SUBST([WARN_CFLAGS])])
