/* Records: how they are framed, and how it is noticed that one is not what was
 * written.
 *
 *     TYPE SIZE DIGEST LINK\n
 *     the body, SIZE bytes\n
 *
 * DIGEST is the SHA-1 of the body.  LINK is the first half of the SHA-1 of the
 * rest of the line and the link before it, so a line can be believed before
 * its body is looked at, and a record that is missing, or stands where it was
 * not written, breaks the chain.
 *
 * A file that ends in the middle of a record is what a crash leaves: that
 * record was never there.  So is one that ends in zeros, which is how some
 * file systems show blocks that were not written when the power went.
 * Anything else is damage. */

#include <config.h>
#include "record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "netpol/manifest.h"
#include "util.h"

#define DIGEST_LEN SHA1_HEX_DIGEST_LEN
#define LINK_LEN (SHA1_HEX_DIGEST_LEN / 2)
#define LINE_MAX_LEN 100

/* An object is never larger than the file that it was in; escapes and what the
 * text says around them may double it and more. */
#define BODY_MAX (4ull * NP_MANIFEST_MAX)

static const char *const type_names[N_RECORD_TYPES] = {
    [RECORD_BEGIN] = "netpol-objects", [RECORD_PUT] = "put",
    [RECORD_REMOVE] = "remove", [RECORD_KEPT] = "kept",
    [RECORD_WHOLE] = "whole", [RECORD_TIME] = "time",
};

/* Makes '*link' that of a record whose line begins with LINE. */
static void
advance(uint8_t link[SHA1_DIGEST_SIZE], const char *line, size_t len)
{
    uint8_t text[SHA1_DIGEST_SIZE + LINE_MAX_LEN];

    ovs_assert(len <= LINE_MAX_LEN);
    memcpy(text, link, SHA1_DIGEST_SIZE);
    memcpy(text + SHA1_DIGEST_SIZE, line, len);
    sha1_bytes(text, SHA1_DIGEST_SIZE + len, link);
}

/* Writing. */

struct record_writer *
np_record_writer_create(int fd)
{
    struct record_writer *w = xzalloc(sizeof *w);

    w->fd = fd;
    ds_init(&w->buf);
    return w;
}

void
np_record_writer_destroy(struct record_writer *w)
{
    if (w) {
        close(w->fd);
        ds_destroy(&w->buf);
        free(w);
    }
}

void
np_record_add(struct record_writer *w, enum record_type type,
              const struct ds *body)
{
    const char *text = body->length ? body->string : "";
    uint8_t digest[SHA1_DIGEST_SIZE];
    char hex[DIGEST_LEN + 1];
    size_t start;

    if (!w || w->error) {
        return;
    }
    start = w->buf.length;
    sha1_bytes(text, body->length, digest);
    sha1_to_hex(digest, hex);
    ds_put_format(&w->buf, "%s %"PRIuSIZE" %s", type_names[type],
                  body->length, hex);
    advance(w->link, w->buf.string + start, w->buf.length - start);
    sha1_to_hex(w->link, hex);
    ds_put_format(&w->buf, " %.*s\n", LINK_LEN, hex);
    ds_put_buffer(&w->buf, text, body->length);
    ds_put_char(&w->buf, '\n');
}

void
np_record_flush(struct record_writer *w)
{
    size_t done = 0;

    while (!w->error && done < w->buf.length) {
        ssize_t n = write(w->fd, w->buf.string + done, w->buf.length - done);

        if (n >= 0) {
            done += n;
        } else if (errno != EINTR) {
            w->error = errno;
        }
    }
    if (!w->error) {
        w->size += done;
    } else if (ftruncate(w->fd, w->size)) {
        /* Then its end is torn. */
    }
    ds_clear(&w->buf);
}

/* Reading. */

void
np_record_reader_init(struct record_reader *r, FILE *stream)
{
    memset(r, 0, sizeof *r);
    r->stream = stream;
    ds_init(&r->body);
}

void
np_record_reader_destroy(struct record_reader *r)
{
    ds_destroy(&r->body);
}

/* What follows a null where there should be none. */
static enum record_result
read_zeros(FILE *stream)
{
    int c;

    do {
        c = getc(stream);
    } while (!c);
    return c == EOF && !ferror(stream) ? RECORD_TORN : RECORD_BAD;
}

/* Reads a line, without its end, into LINE. */
static enum record_result
read_line(FILE *stream, char line[LINE_MAX_LEN + 1])
{
    for (size_t n = 0; n <= LINE_MAX_LEN; n++) {
        int c = getc(stream);

        if (c == EOF) {
            return ferror(stream) ? RECORD_BAD : n ? RECORD_TORN : RECORD_END;
        } else if (!c) {
            return read_zeros(stream);
        }
        line[n] = c == '\n' ? '\0' : c;
        if (c == '\n') {
            return RECORD_OK;
        }
    }
    return RECORD_BAD;
}

/* Takes LINE apart; false if it is not one that follows R's last record. */
static bool
parse_line(struct record_reader *r, char *line, size_t *size,
           uint8_t digest[SHA1_DIGEST_SIZE])
{
    char *link = strrchr(line, ' ');
    char hex[DIGEST_LEN + 1];
    char *save = NULL;
    char *type, *number;
    unsigned long long int n;
    int i;

    if (!link) {
        return false;
    }
    advance(r->link, line, link - line);
    sha1_to_hex(r->link, hex);
    hex[LINK_LEN] = '\0';
    if (strcmp(link + 1, hex)) {
        return false;
    }
    /* From here on it is as it was written. */
    *link = '\0';
    type = strtok_r(line, " ", &save);
    number = strtok_r(NULL, " ", &save);
    if (!number || !save || !sha1_from_hex(digest, save)
        || !str_to_ullong(number, 10, &n) || n > BODY_MAX) {
        return false;
    }
    *size = n;
    for (i = 0; i < N_RECORD_TYPES && strcmp(type, type_names[i]); i++) {
        continue;
    }
    r->type = i;
    return i < N_RECORD_TYPES;
}

enum record_result
np_record_read(struct record_reader *r)
{
    uint8_t expected[SHA1_DIGEST_SIZE], digest[SHA1_DIGEST_SIZE];
    char line[LINE_MAX_LEN + 1];
    enum record_result result = read_line(r->stream, line);
    size_t size, n;

    if (result != RECORD_OK) {
        return result;
    } else if (!parse_line(r, line, &size, expected)) {
        return RECORD_BAD;
    }
    ds_clear(&r->body);
    n = fread(ds_put_uninit(&r->body, size + 1), 1, size + 1, r->stream);
    if (n <= size) {
        return ferror(r->stream) ? RECORD_BAD : RECORD_TORN;
    }
    sha1_bytes(r->body.string, size, digest);
    if (r->body.string[size] != '\n'
        || memcmp(digest, expected, sizeof digest)) {
        return r->body.string[size] ? RECORD_BAD : read_zeros(r->stream);
    }
    ds_truncate(&r->body, size);
    return RECORD_OK;
}
