/* What -f names: files, directories as the daemon reads them, standard input.
 * All of it together is one set of objects, in which nothing is defined
 * twice; a file that is named twice is the same all the same. */

#include <config.h>
#include "cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "netpol/manifest.h"
#include "netpol/source.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "util.h"

static char *
object_key(const struct np_meta *object)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s ", np_kind_name(object->kind));
    np_object_format_key(object, &s);
    return ds_steal_cstr(&s);
}

static void
add_object(struct cli_input *in, struct shash *seen,
           const struct np_meta *object)
{
    char *key = object_key(object);
    const struct np_meta *first = shash_find_data(seen, key);

    if (first && first->line == object->line
        && !strcmp(first->file, object->file)) {
        /* The same. */
    } else if (first) {
        np_errors_add(&in->errors, object->file, object->line,
                      "metadata.name", "Duplicate value: \"%s\": %s is "
                      "already defined at %s:%d, which holds", object->name,
                      key, first->file, first->line);
        np_errors_set_object(&in->errors, in->errors.n - 1, key);
    } else {
        shash_add(seen, key, object);
        if (in->n >= in->allocated) {
            in->objects = x2nrealloc(in->objects, &in->allocated,
                                     sizeof *in->objects);
        }
        in->objects[in->n++] = object;
    }
    free(key);
}

static void
read_stdin(struct np_manifest *m)
{
    struct ds text = DS_EMPTY_INITIALIZER;
    char buffer[65536];
    size_t n;

    while ((n = fread(buffer, 1, sizeof buffer, stdin)) > 0) {
        ds_put_buffer(&text, buffer, n);
        if (text.length > NP_MANIFEST_MAX) {
            cli_fail("-: more than %u bytes", NP_MANIFEST_MAX);
        }
    }
    if (ferror(stdin)) {
        cli_fail("-: %s", ovs_strerror(errno));
    }
    np_manifest_decode(m, "-", ds_cstr(&text), text.length);
    ds_destroy(&text);
}

static void
read_file(struct cli_input *in, struct shash *seen, const char *name)
{
    struct np_manifest *m = &in->manifests[in->n_manifests++];

    memset(m, 0, sizeof *m);
    if (!strcmp(name, "-")) {
        read_stdin(m);
    } else {
        np_manifest_read(m, name);
    }
    np_errors_append(&in->errors, &m->errors);
    np_errors_append(&in->warnings, &m->warnings);
    in->n_skipped += m->n_skipped;
    for (size_t i = 0; i < m->n; i++) {
        add_object(in, seen, m->objects[i]);
    }
}

static void
read_directory(struct cli_input *in, struct shash *seen, const char *name)
{
    char *spec = xasprintf("dir:%s", name);
    char *error = NULL;
    struct np_source *source = np_source_open(spec, &error);
    const struct np_meta **objects;

    if (!source) {
        cli_fail("%s", error);
    }
    source->class->refresh(source);
    if (!source->complete) {
        cli_fail("%s: %s", name, source->problem ? source->problem
                                                 : "cannot be read");
    }
    in->directories[in->n_directories++] = source;
    objects = np_source_sort(source);
    np_errors_append(&in->errors, &source->errors);
    np_errors_append(&in->warnings, &source->warnings);
    in->n_skipped += source->n_skipped;
    for (size_t i = 0; i < source->n_objects; i++) {
        add_object(in, seen, objects[i]);
    }
    free(objects);
    free(spec);
}

static int
nullable_strcmp(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static int
compare_errors(const void *a_, const void *b_)
{
    const struct np_error *a = a_;
    const struct np_error *b = b_;
    int cmp = nullable_strcmp(a->file, b->file);

    if (!cmp) {
        cmp = a->line < b->line ? -1 : a->line > b->line;
    }
    if (!cmp) {
        cmp = nullable_strcmp(a->path, b->path);
    }
    return cmp ? cmp : strcmp(a->reason, b->reason);
}

/* Sorts by place and leaves out what was read twice. */
static void
sort_errors(struct np_errors *errors)
{
    struct np_errors sorted = { .n = 0 };

    if (errors->n) {
        qsort(errors->v, errors->n, sizeof *errors->v, compare_errors);
    }
    for (size_t i = 0; i < errors->n; i++) {
        struct np_errors one = { &errors->v[i], 1, 1 };

        if (!i || compare_errors(&errors->v[i - 1], &errors->v[i])) {
            np_errors_append(&sorted, &one);
        }
    }
    np_errors_clear(errors);
    *errors = sorted;
}

void
cli_input_read(struct cli_input *in, const struct svec *files)
{
    struct shash seen = SHASH_INITIALIZER(&seen);

    memset(in, 0, sizeof *in);
    in->manifests = xcalloc(files->n, sizeof *in->manifests);
    in->directories = xcalloc(files->n, sizeof *in->directories);
    for (size_t i = 0; i < files->n; i++) {
        const char *name = files->names[i];
        struct stat st;

        if (strcmp(name, "-") && (stat(name, &st) || access(name, R_OK))) {
            cli_fail("%s: %s", name, ovs_strerror(errno));
        } else if (strcmp(name, "-") && S_ISDIR(st.st_mode)) {
            read_directory(in, &seen, name);
        } else {
            read_file(in, &seen, name);
        }
    }
    sort_errors(&in->errors);
    sort_errors(&in->warnings);
    shash_destroy(&seen);
}

void
cli_input_destroy(struct cli_input *in)
{
    for (size_t i = 0; i < in->n_manifests; i++) {
        np_manifest_clear(&in->manifests[i]);
    }
    for (size_t i = 0; i < in->n_directories; i++) {
        np_source_close(in->directories[i]);
    }
    free(in->manifests);
    free(in->directories);
    free(in->objects);
    np_errors_clear(&in->errors);
    np_errors_clear(&in->warnings);
}
