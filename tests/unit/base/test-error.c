#include <config.h>
#include "../unit.h"
#include "netpol/error.h"

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

int
test_error(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list),
    };

    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
