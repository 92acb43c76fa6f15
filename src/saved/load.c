/* Reading what was saved.
 *
 * The file is read once, from its beginning, and what a record says of an
 * object replaces what one before it said.  Only objects that the source lacks
 * are decoded and kept in memory.
 *
 * It is all or nothing: a file that is not as it was written may lack just the
 * policy that matters, so it is no worse to have none.  The one exception is
 * the end of the journal, which a crash may have torn: what is missing there
 * was not there a moment before. */

#include <config.h>
#include "netpol/saved.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "form.h"
#include "netpol/source.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "record.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_saved_load);

struct loader {
    const struct np_source *source;
    struct np_last_good *last;
    struct shash objects;       /* Key to struct np_meta. */
    size_t n_puts;
    bool whole;
    bool foreign;
};

/* A record of the type says its BODY, of SIZE bytes and a null.  Each of these
 * returns false if it is none that we write. */

static bool
load_begin(struct loader *l, const char *body, size_t size)
{
    const char *end = body + size;
    const char *version = np_form_field(&body, end);
    const char *name = np_form_field(&body, end);

    l->foreign = (!name || strcmp(version, SAVED_VERSION)
                  || strcmp(name, l->source->name));
    return !l->foreign;
}

static bool
load_put(struct loader *l, const char *body, size_t size)
{
    struct np_meta *object = NULL;
    struct np_form form;

    if (!np_form_parse(body, size, &form)) {
        return false;
    }
    l->n_puts++;
    if (np_source_lacks(l->source, form.file)) {
        object = np_form_decode(&form, l->source->pool);
        if (!object) {
            return false;
        }
    }
    np_object_destroy(shash_find_and_delete(&l->objects, form.key));
    if (object) {
        shash_add(&l->objects, form.key, object);
    }
    return true;
}

static bool
load_remove(struct loader *l, const char *key)
{
    np_object_destroy(shash_find_and_delete(&l->objects, key));
    return true;
}

static bool
load_seconds(const char *s, unsigned int *seconds)
{
    return s && str_to_uint(s, 10, seconds);
}

static bool
load_kept(struct loader *l, const char *body, size_t size)
{
    const char *end = body + size;

    simap_clear(&l->last->kept);
    while (body < end) {
        const char *file = np_form_field(&body, end);
        unsigned int since;

        if (!load_seconds(np_form_field(&body, end), &since)) {
            return false;
        }
        simap_put(&l->last->kept, file, since);
    }
    return true;
}

static bool
load_record(struct loader *l, const struct record_reader *r, bool first)
{
    const char *body = r->body.string;
    unsigned int n;

    if (first != (r->type == RECORD_BEGIN)) {
        return false;
    }
    switch (r->type) {
    case RECORD_BEGIN:
        return load_begin(l, body, r->body.length);
    case RECORD_PUT:
        return load_put(l, body, r->body.length);
    case RECORD_REMOVE:
        return load_remove(l, body);
    case RECORD_KEPT:
        return load_kept(l, body, r->body.length);
    case RECORD_WHOLE:
        l->whole = true;
        return str_to_uint(body, 10, &n) && n == l->n_puts;
    case RECORD_TIME:
        return load_seconds(body, &l->last->as_of);
    case N_RECORD_TYPES:
        break;
    }
    OVS_NOT_REACHED();
}

/* Returns what is wrong with the file, or NULL. */
static const char *
load(struct loader *l, FILE *stream)
{
    struct record_reader r;
    enum record_result result = RECORD_OK;
    bool first = true;
    bool ok = true;

    np_record_reader_init(&r, stream);
    while (ok && (result = np_record_read(&r)) == RECORD_OK) {
        ok = load_record(l, &r, first);
        first = false;
    }
    np_record_reader_destroy(&r);
    if (l->foreign) {
        return "was saved for another source, or by another version";
    } else if (!ok || result == RECORD_BAD) {
        return first ? "is no file of saved objects" : "is damaged";
    }
    return l->whole && l->last->as_of ? NULL : "is not whole";
}

/* Moves the objects to where they are wanted, or frees them. */
static void
finish(struct loader *l, bool ok)
{
    struct np_last_good *last = l->last;
    struct shash_node *node;

    last->v = (ok ? xmalloc((shash_count(&l->objects) + 1) * sizeof *last->v)
               : NULL);
    SHASH_FOR_EACH (node, &l->objects) {
        if (ok) {
            last->v[last->n++] = node->data;
        } else {
            np_object_destroy(node->data);
        }
    }
    shash_destroy(&l->objects);
    if (!ok) {
        simap_clear(&last->kept);
        last->as_of = 0;
    }
}

static void
set_aside(const char *path, const char *problem)
{
    char *bad = xasprintf("%s.bad", path);

    if (rename(path, bad)) {
        VLOG_WARN("%s: %s and is not used; it cannot be renamed to %s (%s)",
                  path, problem, bad, ovs_strerror(errno));
    } else {
        VLOG_WARN("%s: %s and is not used; it is %s now", path, problem, bad);
    }
    free(bad);
}

/* A FIFO or the like must not hold us. */
static FILE *
open_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    FILE *stream;
    int error;

    if (fd < 0) {
        return NULL;
    }
    error = fstat(fd, &st) ? errno : S_ISREG(st.st_mode) ? 0 : EINVAL;
    stream = error ? NULL : fdopen(fd, "r");
    if (!stream) {
        error = error ? error : errno;
        close(fd);
        errno = error;
    }
    return stream;
}

bool
np_saved_load(const char *path, const struct np_source *source,
              struct np_last_good *last)
{
    struct loader l = { .source = source, .last = last };
    FILE *stream = open_file(path);
    const char *problem;

    if (!stream) {
        if (errno != ENOENT) {
            VLOG_WARN("%s: the objects that are saved there cannot be read "
                      "(%s)", path, ovs_strerror(errno));
        }
        return false;
    }
    shash_init(&l.objects);
    problem = load(&l, stream);
    fclose(stream);
    finish(&l, !problem);
    if (problem) {
        set_aside(path, problem);
    }
    return !problem;
}
