/* A file of saved objects, and what stands in a record of it.  Digests keep
 * almost all bytes from getting any further, so the latter come in without. */

#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include "fuzz/fuzz.h"
#include "netpol/object.h"
#include "saved/form.h"
#include "saved/record.h"
#include "util.h"

static void
read_records(const char *text, size_t size)
{
    FILE *stream = fmemopen(CONST_CAST(char *, text), size, "r");
    struct record_reader r;

    np_record_reader_init(&r, stream);
    while (np_record_read(&r) == RECORD_OK) {
        ovs_assert(r.type < N_RECORD_TYPES && !r.body.string[r.body.length]);
    }
    np_record_reader_destroy(&r);
    fclose(stream);
}

/* What is taken is written in the same way again. */
static void
read_form(const char *text, size_t size)
{
    struct ds body = DS_EMPTY_INITIALIZER;
    struct np_meta *object, *again;
    struct np_form form;

    if (np_form_parse(text, size, &form)) {
        object = np_form_decode(&form, NULL);
        if (object) {
            np_form_put(object, &body);
            ovs_assert(np_form_parse(body.string, body.length, &form));
            again = np_form_decode(&form, NULL);
            ovs_assert(np_object_equal(object, again));
            np_object_destroy(again);
        }
        np_object_destroy(object);
    }
    ds_destroy(&body);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xmemdup0((const char *) data, size);

    if (size) {
        read_records(text, size);
    }
    read_form(text, size);
    free(text);
    return 0;
}
