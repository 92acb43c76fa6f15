/* The text format, byte for byte as its specification has it. */

#include <config.h>
#include "test-daemon.h"

#include <math.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/expo.h"
#include "openvswitch/dynamic-string.h"

static int
setup(void **state)
{
    struct np_expo *e = malloc(sizeof *e);
    struct ds *s = malloc(sizeof *s);

    ds_init(s);
    np_expo_init(e, s);
    *state = e;
    return 0;
}

static int
teardown(void **state)
{
    struct np_expo *e = *state;

    np_expo_destroy(e);
    ds_destroy(e->out);
    free(e->out);
    free(e);
    return 0;
}

static void
test_families(void **state)
{
    struct np_expo *e = *state;

    np_expo_single(e, NP_EXPO_COUNTER, "a_total", "What \"a\" is.", 3);
    np_expo_family(e, NP_EXPO_GAUGE, "b", "Line\nand \\.");
    np_expo_sample(e, -1.5, "x", "1", "y", "2", NULL);
    np_expo_sample(e, 0, "x", "2", "y", "1", NULL);
    assert_string_equal(ds_cstr(e->out),
                        "# HELP a_total What \"a\" is.\n"
                        "# TYPE a_total counter\n"
                        "a_total 3\n"
                        "# HELP b Line\\nand \\\\.\n"
                        "# TYPE b gauge\n"
                        "b{x=\"1\",y=\"2\"} -1.5\n"
                        "b{x=\"2\",y=\"1\"} 0\n");
}

static void
test_label_values_are_escaped(void **state)
{
    struct np_expo *e = *state;

    np_expo_family(e, NP_EXPO_GAUGE, "b", "");
    ds_clear(e->out);
    np_expo_sample(e, 1, "l", "a\"b\\c\nd}, é", NULL);
    assert_string_equal(ds_cstr(e->out),
                        "b{l=\"a\\\"b\\\\c\\nd}, é\"} 1\n");
}

static void
test_numbers(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        { 0, "0" }, { 1e6, "1000000" }, { 123456789012, "123456789012" },
        { 9007199254740991, "9007199254740991" }, { .1, "0.1" },
        { .0005, "0.0005" }, { 1. / 3, "0.3333333333333333" },
        { 1e300, "1e+300" }, { INFINITY, "+Inf" }, { -INFINITY, "-Inf" },
        { NAN, "NaN" },
    };
    struct np_expo *e = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[] = { 'g', 'a' + i, '\0' };
        char *line;

        np_expo_family(e, NP_EXPO_GAUGE, name, "");
        ds_clear(e->out);
        np_expo_sample(e, cases[i].value, NULL);
        line = xasprintf("%s %s\n", name, cases[i].text);
        assert_string_equal(ds_cstr(e->out), line);
        free(line);
    }
}

static void
test_histogram(void **state)
{
    static const double bounds[] = { .5, 1, 2.5 };
    static const uint64_t counts[] = { 2, 0, 3, 4 };
    struct np_expo *e = *state;

    np_expo_family(e, NP_EXPO_HISTOGRAM, "h_seconds", "H.");
    np_expo_histogram(e, bounds, counts, 3, 12.25);
    assert_string_equal(ds_cstr(e->out),
                        "# HELP h_seconds H.\n"
                        "# TYPE h_seconds histogram\n"
                        "h_seconds_bucket{le=\"0.5\"} 2\n"
                        "h_seconds_bucket{le=\"1\"} 2\n"
                        "h_seconds_bucket{le=\"2.5\"} 5\n"
                        "h_seconds_bucket{le=\"+Inf\"} 9\n"
                        "h_seconds_sum 12.25\n"
                        "h_seconds_count 9\n");
}

/* What the format forbids, each in a process that must not live through it. */

static void
bad_name(struct np_expo *e)
{
    np_expo_family(e, NP_EXPO_GAUGE, "9lives", "");
}

static void
bad_character(struct np_expo *e)
{
    np_expo_family(e, NP_EXPO_GAUGE, "a-b", "");
}

static void
counter_without_total(struct np_expo *e)
{
    np_expo_family(e, NP_EXPO_COUNTER, "a", "");
}

static void
gauge_with_total(struct np_expo *e)
{
    np_expo_family(e, NP_EXPO_GAUGE, "a_total", "");
}

static void
family_twice(struct np_expo *e)
{
    np_expo_single(e, NP_EXPO_GAUGE, "a", "", 1);
    np_expo_single(e, NP_EXPO_GAUGE, "b", "", 1);
    np_expo_family(e, NP_EXPO_GAUGE, "a", "");
}

static void
sample_twice(struct np_expo *e)
{
    np_expo_family(e, NP_EXPO_GAUGE, "a", "");
    np_expo_sample(e, 1, "x", "1", NULL);
    np_expo_sample(e, 2, "x", "1", NULL);
}

static void
bad_label(struct np_expo *e)
{
    np_expo_family(e, NP_EXPO_GAUGE, "a", "");
    np_expo_sample(e, 1, "x y", "1", NULL);
}

static void
reserved_label(struct np_expo *e)
{
    np_expo_family(e, NP_EXPO_GAUGE, "a", "");
    np_expo_sample(e, 1, "__name__", "1", NULL);
}

static void
bounds_that_do_not_grow(struct np_expo *e)
{
    static const double bounds[] = { 1, 1 };
    static const uint64_t counts[] = { 0, 0, 0 };

    np_expo_family(e, NP_EXPO_HISTOGRAM, "a", "");
    np_expo_histogram(e, bounds, counts, 2, 0);
}

static void
test_what_is_forbidden(void **state)
{
    static void (*const forbidden[])(struct np_expo *) = {
        bad_name, bad_character, counter_without_total, gauge_with_total,
        family_twice, sample_twice, bad_label, reserved_label,
        bounds_that_do_not_grow,
    };

    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        pid_t pid = fork();
        int status;

        assert_true(pid >= 0);
        if (!pid) {
            close(STDERR_FILENO);
            forbidden[i](*state);
            _exit(0);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT) {
            fail_msg("case %d was let pass", (int) i);
        }
    }
}

int
test_expo(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_families, setup, teardown),
        cmocka_unit_test_setup_teardown(test_label_values_are_escaped, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_histogram, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_forbidden, setup,
                                        teardown),
    };

    return cmocka_run_group_tests_name("expo", tests, NULL, NULL);
}
