/* Goldens: objects and ports in, flows out.
 *
 * Each directory tests/golden/CASE holds objects.yaml, `ports` and the flows
 * that they must become, in the syntax of ovs-ofctl(8).  A change that is meant
 * is taken over with `make update-golden` and read in the diff.
 *
 * A line of `ports` is a port, "ROLE NAME OFPORT [NS/POD [MAC [ADDR,… [UID]]]]"
 * with "-" for what is absent, or a directive:
 *
 *     show KIND…     kinds of flows to compare (default: identity clause rule)
 *     keep | to-node | foreign-pass | out PORT     configuration
 *
 * Then the same objects in reversed order must give the same flows, and a
 * second build after adopting the first must keep every number. */

#include <config.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "openvswitch/dynamic-string.h"
#include "svec.h"
#include "util.h"

#include "unit/compile/fixture.h"

static char *
case_path(const char *name, const char *file)
{
    const char *dir = getenv("NETPOL_GOLDEN");

    return xasprintf("%s/%s/%s", dir ? dir : "tests/golden", name, file);
}

static char *
read_text(const char *path)
{
    struct ds text = DS_EMPTY_INITIALIZER;
    FILE *stream = fopen(path, "r");

    if (stream) {
        struct ds line = DS_EMPTY_INITIALIZER;

        while (!ds_get_line(&line, stream)) {
            ds_put_format(&text, "%s\n", ds_cstr(&line));
        }
        ds_destroy(&line);
        fclose(stream);
    }
    return ds_steal_cstr(&text);
}

static void
write_text(const char *path, const char *text)
{
    FILE *stream = fopen(path, "w");

    assert_non_null(stream);
    fputs(text, stream);
    assert_int_equal(fclose(stream), 0);
}

static void
load(struct np_fixture *f, const char *name)
{
    char *objects = case_path(name, "objects.yaml");
    char *ports = case_path(name, "ports");
    char *text = read_text(ports);

    np_fixture_init(f);
    np_fixture_read_objects(f, objects);
    np_fixture_read_ports(f, text);
    free(objects);
    free(ports);
    free(text);
}

static void
test_case(void **state)
{
    const char *name = *state;
    char *path = case_path(name, "flows");
    struct np_fixture f;
    char *flows, *again, *expected;

    load(&f, name);
    flows = np_fixture_flows(&f);
    if (getenv("NETPOL_GOLDEN_UPDATE")) {
        write_text(path, flows);
    }
    expected = read_text(path);
    assert_string_equal(flows, expected);

    /* Again, with the order of the objects reversed, by a compiler that
     * adopts what the first one made. */
    np_fixture_reverse_objects(&f);
    again = np_fixture_flows(&f);
    assert_string_equal(again, flows);

    free(flows);
    free(again);
    free(expected);
    free(path);
    np_fixture_destroy(&f);
}

static void
list_cases(struct svec *cases)
{
    const char *dir = getenv("NETPOL_GOLDEN");
    DIR *d = opendir(dir ? dir : "tests/golden");
    struct dirent *entry;

    assert_non_null(d);
    while ((entry = readdir(d))) {
        if (entry->d_name[0] != '.' && !strchr(entry->d_name, '.')) {
            svec_add(cases, entry->d_name);
        }
    }
    closedir(d);
    svec_sort(cases);
}

int
main(void)
{
    struct svec cases = SVEC_EMPTY_INITIALIZER;
    struct CMUnitTest *tests;
    int failed;

    list_cases(&cases);
    ovs_assert(cases.n);
    tests = xzalloc((cases.n + 1) * sizeof *tests);
    for (size_t i = 0; i < cases.n; i++) {
        tests[i] = (struct CMUnitTest) {
            .name = cases.names[i],
            .test_func = test_case,
            .initial_state = cases.names[i],
        };
    }
    failed = _cmocka_run_group_tests("golden", tests, cases.n, NULL, NULL);
    free(tests);
    svec_destroy(&cases);
    return failed;
}
