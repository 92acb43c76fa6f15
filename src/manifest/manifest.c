/* Manifests: from a file or a text to objects.
 *
 * The way of a text: YAML events or JSON values become a small tree for each
 * document or list item (yaml.c, json.c, tree.c); the tree becomes an object
 * or complaints (document.c and the files of the kinds) and is forgotten.
 *
 * Texts come from whoever can write to a directory, so nothing here trusts
 * them: nesting, the size of a tree, the expansion of aliases and the number
 * of complaints all have limits, and recursion follows the nesting only. */

#include <config.h>
#include "netpol/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decode.h"
#include "util.h"

/* Does the text start as a JSON object?  kubectl decides by the same sign. */
static bool
is_json(const char *text, size_t size, int *line, size_t *offset)
{
    size_t i = 0;

    *line = 1;
    while (i < size && strchr(" \t\r\n", text[i]) && text[i]) {
        *line += text[i++] == '\n';
    }
    *offset = i;
    return i < size && text[i] == '{';
}

static void
refuse_size(struct np_decoder *dec)
{
    dec->m->unparsable = true;
    np_decode_error(dec, 0, NULL, "larger than %u MB", NP_MANIFEST_MAX >> 20);
}

void
np_manifest_decode(struct np_manifest *m, const char *file, const char *text,
                   size_t size)
{
    struct np_decoder dec = { .m = m, .file = file };
    size_t offset;
    int line;

    if (size >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
        text += 3;
        size -= 3;
    }
    if (size > NP_MANIFEST_MAX) {
        refuse_size(&dec);
    } else if (is_json(text, size, &line, &offset)) {
        np_json_decode(&dec, text + offset, size - offset, line);
    } else {
        np_yaml_decode(&dec, text, size);
    }
}

/* Reads at most NP_MANIFEST_MAX + 1 bytes from FD.  Returns 0 or an errno. */
static int
read_all(int fd, char **text, size_t *size)
{
    size_t allocated = 0;

    *text = NULL;
    *size = 0;
    for (;;) {
        ssize_t n;

        if (*size >= allocated) {
            allocated = MAX(allocated * 2, 65536);
            *text = xrealloc(*text, allocated);
        }
        n = read(fd, *text + *size,
                 MIN(allocated, NP_MANIFEST_MAX + 1u) - *size);
        if (n > 0) {
            *size += n;
        } else if (!n) {
            return 0;
        } else if (errno != EINTR) {
            return errno;
        }
    }
}

void
np_manifest_read(struct np_manifest *m, const char *path)
{
    struct np_decoder dec = { .m = m, .file = path };
    struct stat st;
    char *text = NULL;
    size_t size;
    int error;
    int fd;

    /* Without O_NONBLOCK, a FIFO would hold us until somebody writes. */
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    error = fd < 0 || fstat(fd, &st) < 0 ? errno : 0;
    if (!error && !S_ISREG(st.st_mode)) {
        error = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    }
    if (!error && st.st_size <= NP_MANIFEST_MAX) {
        error = read_all(fd, &text, &size);
    }
    if (!error && !text) {
        refuse_size(&dec);
    } else if (error) {
        m->unparsable = true;
        np_decode_error(&dec, 0, NULL, "%s", ovs_strerror(error));
    } else {
        np_manifest_decode(m, path, text, size);
    }
    free(text);
    if (fd >= 0) {
        close(fd);
    }
}

void
np_manifest_clear(struct np_manifest *m)
{
    struct np_pool *pool = m->pool;

    for (size_t i = 0; i < m->n; i++) {
        np_object_destroy(m->objects[i]);
    }
    free(m->objects);
    np_errors_clear(&m->errors);
    np_errors_clear(&m->warnings);
    for (size_t i = 0; i < m->n_refused; i++) {
        free(m->refused[i]);
    }
    free(m->refused);
    memset(m, 0, sizeof *m);
    m->pool = pool;
}
