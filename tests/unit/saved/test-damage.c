#include <config.h>
#include "../unit.h"
#include "fixture.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

/* A snapshot of two objects, and a journal; what is in force after each write,
 * and where in the file that ends. */
#define N_STATES 6
static const char *const states[N_STATES] = {
    "x=1@a y=1@a",
    "x=2@a y=1@a",
    "x=2@a",
    "x=2@a z=1@b",
    "x=2@b z=1@b",
    "x=2@b",
};

struct written {
    char *text;
    size_t size;
    size_t ends[N_STATES];
};

static size_t
size_now(const struct fixture *f)
{
    size_t size;

    free(read_file(f->path, &size));
    return size;
}

static void
write_all(struct fixture *f, struct written *w)
{
    change(f, "a", "x", "1");
    change(f, "a", "y", "1");
    save(f);
    run(f);
    for (int i = 0; i < N_STATES; i++) {
        switch (i) {
        case 1: change(f, "a", "x", "2"); break;
        case 2: change(f, "a", "y", NULL); break;
        case 3: change(f, "b", "z", "1"); break;
        case 4: move(f, "b", "x"); break;
        case 5: change(f, "b", "z", NULL); break;
        }
        np_saved_run(f->saved, &f->cache, 0);
        w->ends[i] = size_now(f);
        check(f, states[i]);
    }
    /* Not end(): the time that it writes is no state of its own. */
    w->text = read_file(f->path, &w->size);
    assert_int_equal(w->size, w->ends[N_STATES - 1]);
}

/* Which state GOT is; -1 if it is none. */
static int
find_state(const char *got)
{
    for (int i = 0; i < N_STATES; i++) {
        if (!strcmp(got, states[i])) {
            return i;
        }
    }
    return -1;
}

/* Cut off anywhere: what was there when that was the end, without a word. */
static void
torn(void **state)
{
    struct fixture *f = *state;
    struct written w;

    write_all(f, &w);
    for (size_t n = 0; n <= w.size; n++) {
        int newest = -1;
        char *got;

        while (newest + 1 < N_STATES && w.ends[newest + 1] <= n) {
            newest++;
        }
        write_file(f->path, w.text, n);
        got = load(f);
        if (newest < 0) {
            /* Its first time may be there, or a journal that says less. */
            assert_true(!strcmp(got, "nothing") || !strcmp(got, states[0]));
            assert_true(set_aside(f) == !strcmp(got, "nothing"));
        } else {
            /* A record of the next write may be whole already. */
            assert_true(find_state(got) == newest
                        || find_state(got) == newest + 1);
            assert_false(set_aside(f));
        }
        free(got);
    }
    free(w.text);
}

/* Zeros at the end are what was never written. */
static void
zeros(void **state)
{
    struct fixture *f = *state;
    struct written w;
    char *text;

    write_all(f, &w);
    text = xzalloc(w.size + 5000);
    for (size_t n = w.ends[0]; n <= w.size; n++) {
        char *got;

        memset(text, 0, w.size + 5000);
        memcpy(text, w.text, n);
        write_file(f->path, text, w.size + (n % 2 ? 5000 : 0));
        got = load(f);
        assert_true(find_state(got) >= 0);
        assert_false(set_aside(f));
        free(got);
    }
    memset(text, 0, w.size);
    memcpy(text, w.text, w.ends[1]);
    text[w.size - 1] = '\n';
    write_file(f->path, text, w.size);
    check(f, "nothing");
    assert_true(set_aside(f));
    free(text);
    free(w.text);
}

/* A bit that is another one, anywhere: set aside, or the end of the journal,
 * but never an object that nobody saved. */
static void
flipped(void **state)
{
    struct fixture *f = *state;
    uint32_t seed = 4711;
    struct written w;

    write_all(f, &w);
    for (size_t i = 0; i < w.size; i++) {
        uint8_t bit = 1 << unit_random_below(&seed, 8);
        char *got;

        w.text[i] ^= bit;
        write_file(f->path, w.text, w.size);
        got = load(f);
        if (i < w.ends[N_STATES - 2]) {
            assert_string_equal(got, "nothing");
        } else {
            assert_true(!strcmp(got, "nothing") || find_state(got) >= 4);
        }
        assert_true(set_aside(f) == !strcmp(got, "nothing"));
        free(got);
        w.text[i] ^= bit;
    }
    write_file(f->path, w.text, w.size);
    check(f, states[N_STATES - 1]);
    free(w.text);
}

/* Bytes that are gone, twice there, or stand elsewhere. */
static void
moved(void **state)
{
    struct fixture *f = *state;
    struct written w;
    size_t a, b;

    write_all(f, &w);
    a = w.ends[1];
    b = w.ends[2];
    for (int what = 0; what < 3; what++) {
        char *text = xmalloc(w.size * 2);
        size_t n = 0;

        /* What was written between the two is left out, comes twice, or comes
         * after what follows. */
        memcpy(text, w.text, a);
        n = a;
        if (what == 1) {
            memcpy(text + n, w.text + a, b - a);
            n += b - a;
            memcpy(text + n, w.text + a, b - a);
            n += b - a;
        }
        memcpy(text + n, w.text + b, w.size - b);
        n += w.size - b;
        if (what == 2) {
            memcpy(text + n, w.text + a, b - a);
            n += b - a;
        }
        write_file(f->path, text, n);
        check(f, "nothing");
        assert_true(set_aside(f));
        free(text);
    }
    free(w.text);
}

static void
foreign(void **state)
{
    static const char *const others[] = {
        "", "\n", "dir:/policies\n", "apiVersion: v1\nkind: Pod\n", "\xff\xfe",
    };
    struct fixture *f = *state;
    struct written w;

    write_all(f, &w);
    end(f);
    f->source.name[1] = 'o';
    check(f, "nothing");
    assert_true(set_aside(f));
    assert_int_equal(access(f->path, F_OK), -1);
    f->source.name[1] = 'i';
    check(f, "nothing");
    assert_false(set_aside(f));
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        write_file(f->path, others[i], strlen(others[i]));
        check(f, "nothing");
        assert_true(set_aside(f));
    }
    write_file(f->path, w.text, w.size);
    check(f, states[N_STATES - 1]);
    free(w.text);
}

int
test_damage(void)
{
    const struct CMUnitTest tests[] = {
        TEST(torn),
        TEST(zeros),
        TEST(flipped),
        TEST(moved),
        TEST(foreign),
    };

    return cmocka_run_group_tests_name("damage", tests, NULL, NULL);
}
