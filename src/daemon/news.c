/* What is wrong with the source, in the log.
 *
 * The status always lists everything.  The log gets each mistake when it
 * appears, as "file:line: path: reason", and nothing while it stays: the
 * source is read again at every change of any of its files. */

#include <config.h>
#include "daemon/news.h"

#include "netpol/source.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "sset.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_source);

/* Lines for one change; a whole cluster's objects may be refused at once. */
#define MAX_LINES 50

static void
collect_errors(const struct np_errors *errors, struct sset *now)
{
    for (size_t i = 0; i < errors->n; i++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        np_error_format(&errors->v[i], &s);
        sset_add_and_free(now, ds_steal_cstr(&s));
    }
}

static void
collect(const struct np_source *source, struct sset *now)
{
    if (source->lost) {
        sset_add_and_free(now, xasprintf("%s; what was read before stays in "
                                         "force", source->problem));
    } else if (source->problem) {
        sset_add(now, source->problem);
    }
    collect_errors(&source->errors, now);
    collect_errors(&source->warnings, now);
}

void
np_news_run(struct sset *told, const struct np_source *source)
{
    struct sset now = SSET_INITIALIZER(&now);
    const char **lines;
    size_t n = 0;

    collect(source, &now);
    lines = sset_sort(&now);
    for (size_t i = 0; i < sset_count(&now); i++) {
        if (!sset_contains(told, lines[i]) && n++ < MAX_LINES) {
            VLOG_WARN("%s", lines[i]);
        }
    }
    if (n > MAX_LINES) {
        VLOG_WARN("%"PRIuSIZE" more, see netpol/status", n - MAX_LINES);
    }
    if (sset_is_empty(&now) && !sset_is_empty(told)) {
        VLOG_INFO("%s: all of it is read and valid", source->name);
    }
    free(lines);
    sset_swap(told, &now);
    sset_destroy(&now);
}
