#include <config.h>
#include "../unit.h"
#include "netpol/error.h"

#include <stdlib.h>

#include "openvswitch/dynamic-string.h"
#include "tests.h"
#include "util.h"

static void
check_format(const struct np_error *e, const char *expected)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    np_error_format(e, &s);
    assert_string_equal(ds_cstr(&s), expected);
    ds_destroy(&s);
}

static void
list(void **state OVS_UNUSED)
{
    struct np_errors a = { NULL, 0, 0 };
    struct np_errors b = { NULL, 0, 0 };

    np_errors_add(&a, "f.yaml", 3, "spec.x", "bad %s", "thing");
    np_errors_set_object(&a, 0, "Pod a/b");
    np_errors_add(&a, "f.yaml", 0, NULL, "gone");
    np_errors_add(&a, NULL, 0, "spec", "x");
    np_errors_set_object(&a, 0, "Pod c/d");
    np_errors_add(&b, "f.yaml", 7, NULL, "y");
    np_errors_append(&b, &a);
    np_errors_clear(&a);
    assert_int_equal(a.n, 0);

    assert_int_equal(b.n, 4);
    check_format(&b.v[0], "f.yaml:7: y");
    check_format(&b.v[1], "f.yaml:3: spec.x: bad thing");
    check_format(&b.v[2], "f.yaml: gone");
    check_format(&b.v[3], "spec: x");
    assert_null(b.v[0].object);
    assert_string_equal(b.v[1].object, "Pod a/b");
    assert_string_equal(b.v[2].object, "Pod c/d");
    np_errors_clear(&b);
}

static void
check_printable(const char *s, const char *expected)
{
    char *printable = np_printable(s);

    assert_string_equal(printable, expected);
    free(printable);
}

static void
printable(void **state OVS_UNUSED)
{
    struct np_errors errors = { NULL, 0, 0 };

    check_printable("", "");
    check_printable("a b~\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
                    "a b~\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    check_printable("a\nb\x1b[2J\x7f", "a\\x0ab\\x1b[2J\\x7f");
    check_printable("\xc2\x9b" "31m\xc2\xa0", "\\xc2\\x9b31m\xc2\xa0");
    /* Cut off, stray, too long, a surrogate. */
    check_printable("\xc3", "\\xc3");
    check_printable("\xe2\x82", "\\xe2\\x82");
    check_printable("\xe2\x82z", "\\xe2\\x82z");
    check_printable("\x80\xff", "\\x80\\xff");
    check_printable("\xc0\xaf\xed\xa0\x80", "\\xc0\\xaf\\xed\\xa0\\x80");

    np_errors_add(&errors, "f.yaml", 1, "a[b\nc]", "%s", "d\ne");
    np_errors_set_object(&errors, 0, "Pod a/\n");
    check_format(&errors.v[0], "f.yaml:1: a[b\\x0ac]: d\\x0ae");
    assert_string_equal(errors.v[0].object, "Pod a/\\x0a");
    np_errors_clear(&errors);
}

int
test_error(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list),
        cmocka_unit_test(printable),
    };

    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
