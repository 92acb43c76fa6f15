/* Objects as bodies of records.
 *
 * What Kubernetes knows of an object is in Kubernetes' own form, which the
 * decoder of manifests reads with all its checks; what only we know of it
 * stands before that: its file, the lines of its parts, and that it could not
 * be read. */

#include <config.h>
#include "form.h"

#include <stdlib.h>
#include <string.h>

#include "netpol/manifest.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

#define UNREADABLE "unreadable"

void
np_form_key(const struct np_meta *object, struct ds *s)
{
    ds_put_format(s, "%s ", np_kind_name(object->kind));
    np_object_format_key(object, s);
}

static bool
is_unreadable(const struct np_meta *object)
{
    return (object->kind == NP_NETPOL
            && ((const struct np_netpol *) object)->unreadable);
}

static void
put_line(int *line, void *body)
{
    ds_put_format(body, "%d ", *line);
}

void
np_form_put(const struct np_meta *object, struct ds *body)
{
    np_form_key(object, body);
    ds_put_char(body, '\0');
    ds_put_cstr(body, object->file ? object->file : "");
    ds_put_char(body, '\0');
    ds_put_cstr(body, is_unreadable(object) ? UNREADABLE : "");
    ds_put_char(body, '\0');
    /* It is only looked at. */
    np_object_for_each_line(CONST_CAST(struct np_meta *, object), put_line,
                            body);
    ds_put_char(body, '\0');
    np_manifest_format(object, body);
}

const char *
np_form_field(const char **p, const char *end)
{
    const char *field = *p <= end ? *p : NULL;

    if (field) {
        *p += strlen(field) + 1;
    }
    return field;
}

bool
np_form_parse(const char *body, size_t size, struct np_form *form)
{
    const char *p = body;
    const char *end = body + size;

    form->key = np_form_field(&p, end);
    form->file = np_form_field(&p, end);
    form->flags = np_form_field(&p, end);
    form->lines = np_form_field(&p, end);
    form->json = np_form_field(&p, end);
    return form->json && p == end + 1;
}

static bool
has_key(const struct np_meta *object, const char *key)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    bool same;

    np_form_key(object, &s);
    same = !strcmp(ds_cstr(&s), key);
    ds_destroy(&s);
    return same;
}

struct lines {
    const char *p;
    bool bad;
};

static void
take_line(int *line, void *lines_)
{
    struct lines *lines = lines_;
    char *tail;

    *line = strtol(lines->p, &tail, 10);
    lines->bad |= *tail != ' ';
    lines->p = *tail ? tail + 1 : tail;
}

/* Gives OBJECT what the JSON did not say; false if FORM says something that
 * does not fit. */
static bool
complete(struct np_meta *object, const struct np_form *form)
{
    struct lines lines = { form->lines, false };

    np_object_for_each_line(object, take_line, &lines);
    if (lines.bad || *lines.p) {
        return false;
    } else if (!strcmp(form->flags, UNREADABLE)) {
        if (object->kind != NP_NETPOL) {
            return false;
        }
        ((struct np_netpol *) object)->unreadable = true;
        return true;
    }
    return !*form->flags;
}

struct np_meta *
np_form_decode(const struct np_form *form, struct np_pool *pool)
{
    struct np_manifest m = { .pool = pool };
    struct np_meta *object = NULL;

    np_manifest_decode(&m, *form->file ? form->file : NULL, form->json,
                       strlen(form->json));
    if (m.n == 1 && !m.errors.n && has_key(m.objects[0], form->key)
        && complete(m.objects[0], form)) {
        object = m.objects[0];
        m.n = 0;
    }
    np_manifest_clear(&m);
    return object;
}
