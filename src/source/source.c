/* Opening of sources by name. */

#include <config.h>
#include "netpol/source.h"

#include <string.h>

#include "dir.h"
#include "util.h"

struct np_source *
np_source_open(const char *spec, char **error)
{
    *error = NULL;
    if (!strncmp(spec, "dir:", 4)) {
        if (spec[4]) {
            return np_dir_open(spec, spec + 4);
        }
        *error = xasprintf("%s: the directory is missing", spec);
    } else {
        *error = xasprintf("%s: not a source, expected dir:PATH", spec);
    }
    return NULL;
}
