#include <config.h>
#include "../unit.h"
#include "fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "timeval.h"
#include "util.h"

static void
snapshot(void **state)
{
    struct fixture *f = *state;
    struct stat st;

    check(f, "nothing");
    change(f, "a", "x", "1");
    change(f, "b", "y", "1");
    save(f);
    end(f);
    check(f, "nothing");        /* It has never run. */

    save(f);
    np_saved_run(f->saved, &f->cache, 0);
    check(f, "nothing");
    end(f);
    check(f, "x=1@a y=1@b");
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_false(set_aside(f));

    /* Only what is lacking. */
    f->lacking = "b";
    check(f, "y=1@b");
    f->lacking = "c";
    check(f, "");
}

static void
journal(void **state)
{
    struct fixture *f = *state;

    change(f, "a", "x", "1");
    change(f, "a", "y", "1");
    save(f);
    run(f);
    check(f, "x=1@a y=1@a");
    change(f, "a", "x", "2");
    change(f, NULL, "y", NULL);
    change(f, "b", "z", "1");
    check(f, "x=1@a y=1@a");
    np_saved_run(f->saved, &f->cache, 0);
    check(f, "x=2@a z=1@b");
    move(f, "c", "z");
    np_saved_run(f->saved, &f->cache, 0);
    check(f, "x=2@a z=1@c");
    f->lacking = "b";
    check(f, "");
    f->lacking = "c";
    check(f, "z=1@c");
    f->lacking = NULL;
    change(f, "b", "y", "3");
    end(f);
    check(f, "x=2@a y=3@b z=1@c");

    /* The next run has a file of its own, which begins with what is there. */
    change(f, "a", "x", NULL);
    save(f);
    np_saved_run(f->saved, &f->cache, 0);
    check(f, "x=2@a y=3@b z=1@c");
    end(f);
    check(f, "y=3@b z=1@c");
    assert_false(set_aside(f));
}

/* A source that is lost: its objects are as old as they are. */
static void
age(void **state)
{
    unsigned int now = time_wall();
    struct fixture *f = *state;
    struct np_last_good last;

    simap_put(&f->source.kept, "/a b", 123);
    simap_put(&f->source.kept, "/c", 4000000000u);
    change(f, "a", "x", "1");
    save(f);
    f->source.as_of = 1000;
    change(f, "a", "x", "2");
    np_saved_run(f->saved, &f->cache, 1000);
    end(f);
    np_last_good_init(&last);
    assert_true(np_saved_load(f->path, &f->source, &last));
    assert_int_equal(last.as_of, 1000);
    assert_int_equal(last.n, 1);
    assert_true(simap_equal(&last.kept, &f->source.kept));
    np_last_good_destroy(&last);

    f->source.as_of = 0;
    save(f);
    change(f, "a", "x", "2");   /* Tells what is kept. */
    run(f);
    simap_clear(&f->source.kept);
    simap_put(&f->source.kept, "/d", 7);
    change(f, "a", "x", "3");
    end(f);
    np_last_good_init(&last);
    assert_true(np_saved_load(f->path, &f->source, &last));
    assert_true(last.as_of >= now && last.as_of <= time_wall());
    assert_true(simap_equal(&last.kept, &f->source.kept));
    np_last_good_destroy(&last);
}

/* A snapshot that was never finished, under the name of one that was. */
static void
check_unfinished(struct fixture *f)
{
    char *new_path = xasprintf("%s.new", f->path);
    size_t size;
    char *text = read_file(new_path, &size);

    write_file(f->path, text, size);
    check(f, "nothing");
    assert_true(set_aside(f));
    free(text);
    free(new_path);
}

/* Objects come, go and change while a snapshot is taken, and are so many that
 * their table grows. */
static void
meanwhile(void **state)
{
    struct fixture *f = *state;
    uint32_t seed = 1;
    char *expected;

    for (int i = 0; i < 10000; i++) {
        char *name = xasprintf("p%d", i);

        change(f, "a", name, "0");
        free(name);
    }
    save(f);
    for (int i = 0; i < 40; i++) {
        np_saved_run(f->saved, &f->cache, 0);
        for (int j = 0; j < 200; j++) {
            char *name = xasprintf("p%u", unit_random_below(&seed, 30000));
            bool there = np_cache_find(&f->cache, NP_POD, "default", name);
            uint32_t what = unit_random_below(&seed, 3);

            if (!there || what) {
                change(f, "b", name, what == 1 ? "1" : "2");
            } else {
                change(f, NULL, name, NULL);
            }
            free(name);
        }
        if (i == 1) {
            check_unfinished(f);
        }
    }
    expected = in_force(f);
    run(f);
    check(f, expected);
    end(f);
    check(f, expected);
    free(expected);
}

static off_t
file_size(const struct fixture *f)
{
    struct stat st;

    assert_int_equal(stat(f->path, &st), 0);
    return st.st_size;
}

/* A journal that never ends would fill the disk. */
static void
compaction(void **state)
{
    struct fixture *f = *state;
    char label[] = "l0000000";
    off_t largest = 0;
    off_t before;

    change(f, "a", "y", "1");
    save(f);
    run(f);
    before = file_size(f);
    for (int i = 0; file_size(f) >= largest; i++) {
        largest = file_size(f);
        assert_true(largest < 3 << 20);
        for (int j = 0; j < 400; j++) {
            snprintf(label, sizeof label, "l%03d%03d", i % 1000, j);
            change(f, "a", "x", label);
        }
        np_saved_run(f->saved, &f->cache, 0);
        if (largest > 1 << 20) {
            run(f);
        }
    }
    assert_true(largest > 1 << 20);
    assert_true(file_size(f) < 4 * before);
    f->lacking = "none";
    check(f, "");
    f->lacking = NULL;
    end(f);
    assert_false(set_aside(f));
}

static void
no_directory(void **state)
{
    struct fixture *f = *state;

    change(f, "a", "x", "1");
    assert_int_equal(rmdir(f->dir), 0);
    save(f);
    np_saved_run(f->saved, &f->cache, 0);
    assert_non_null(strstr(np_saved_problem(f->saved), f->path));
    assert_non_null(strstr(np_saved_problem(f->saved), "No such file"));
    change(f, "a", "x", "2");
    assert_int_equal(mkdir(f->dir, 0700), 0);
    run(f);
    assert_null(np_saved_problem(f->saved));
    check(f, "x=2@a");
}

static void
limit_files(rlim_t size)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The file ends somewhere in a record: what it has by then holds, and it is
 * written anew when there is room again. */
static void
full_disk(void **state)
{
    struct fixture *f = *state;

    signal(SIGXFSZ, SIG_IGN);
    change(f, "a", "x", "1");
    save(f);
    run(f);
    limit_files(file_size(f) + 100);
    change(f, "a", "x", "2");
    np_saved_run(f->saved, &f->cache, 0);
    assert_non_null(strstr(np_saved_problem(f->saved), "File too large"));
    check(f, "x=1@a");

    /* Nor is there room for a new one. */
    limit_files(100);
    change(f, "a", "y", "2");
    usleep(1100 * 1000);
    np_saved_run(f->saved, &f->cache, 0);
    assert_non_null(np_saved_problem(f->saved));
    check(f, "x=1@a");

    limit_files(RLIM_INFINITY);
    run(f);
    assert_null(np_saved_problem(f->saved));
    check(f, "x=2@a y=2@a");
    change(f, "a", "y", "3");
    end(f);
    check(f, "x=2@a y=3@a");
}

static void
not_a_file(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(mkfifo(f->path, 0600), 0);
    check(f, "nothing");
    assert_false(set_aside(f));
    save(f);
    change(f, "a", "x", "1");
    np_saved_run(f->saved, &f->cache, 0);
    end(f);
    check(f, "x=1@a");
}

int
test_saved(void)
{
    const struct CMUnitTest tests[] = {
        TEST(snapshot),
        TEST(journal),
        TEST(age),
        TEST(meanwhile),
        TEST(compaction),
        TEST(no_directory),
        TEST(full_disk),
        TEST(not_a_file),
    };

    return cmocka_run_group_tests_name("saved", tests, NULL, NULL);
}
