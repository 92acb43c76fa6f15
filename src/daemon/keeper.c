/* Keeping the last good objects across restarts.
 *
 * A source that cannot be read keeps what it has said before; but a daemon
 * that has just started has nothing to keep.  So everything is saved in a file
 * in Open vSwitch's database directory, and where the source lacks something
 * when it was tried for the first time, it gets that from there:
 *
 *   nothing could be read     all saved objects, at once
 *   a file is broken          that file's objects, before the first of the
 *                             source's are taken in
 *   all of it is good         nothing; the file is not even opened
 *
 * From there on they are the source's own, and whatever it can read later is
 * just a change of them.  That they are in force does not make the daemon
 * ready, and netpol/wait still waits for the source; both promise what the
 * source says, which nobody knows.  But a pod's port is told that its policies
 * are in the switch: they are the last that were known, with those of a pod
 * that is not known nothing passes, and without it no pod could start on a
 * node for as long as, say, the API server is away. */

#include <config.h>
#include "daemon/keeper.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/netpold.h"
#include "daemon/options.h"
#include "dirs.h"
#include "netpol/saved.h"
#include "netpol/source.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "sha1.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_keeper);

/* One for each bridge and source, so that daemons do not take each other's
 * file, and a daemon with another source does not find a wrong one. */
static char *
make_path(const struct np_options *options)
{
    uint8_t digest[SHA1_DIGEST_SIZE];

    sha1_bytes(options->source, strlen(options->source), digest);
    return xasprintf("%s/ovs-netpold.%s.%02x%02x%02x%02x.objects",
                     ovs_dbdir(), options->bridge, digest[0], digest[1],
                     digest[2], digest[3]);
}

void
np_keeper_init(struct np_daemon *d)
{
    struct np_keeper *k = &d->keeper;

    k->path = make_path(d->options);
    k->saved = np_saved_create(k->path, d->source->name);
}

static unsigned int
as_of(const struct np_source *source)
{
    return source->lost ? source->as_of : 0;
}

void
np_keeper_destroy(struct np_daemon *d)
{
    struct np_keeper *k = &d->keeper;

    np_saved_close(k->saved, &d->engine.cache, as_of(d->source));
    free(k->path);
}

unsigned int
np_keeper_age(unsigned int since)
{
    return MAX(time_wall() - (long long int) since, 0);
}

void
np_keeper_format_age(unsigned int age, struct ds *s)
{
    if (age < 120) {
        ds_put_format(s, "%u s", age);
    } else if (age < 120 * 60) {
        ds_put_format(s, "%u min", age / 60);
    } else if (age < 48 * 3600) {
        ds_put_format(s, "%u h", age / 3600);
    } else {
        ds_put_format(s, "%u days", age / 86400);
    }
}

char *
np_keeper_format_date(unsigned int since)
{
    return xastrftime_msec("%Y-%m-%dT%H:%M:%SZ", since * 1000LL, true);
}

void
np_keeper_format_since(unsigned int since, struct ds *s)
{
    char *date = np_keeper_format_date(since);

    ds_put_format(s, "as of %s (", date);
    np_keeper_format_age(np_keeper_age(since), s);
    ds_put_cstr(s, " ago)");
    free(date);
}

/* Says what was restored, once. */
static void
tell(const struct np_source *source)
{
    const struct simap_node **nodes = simap_sort(&source->kept);
    struct ds s = DS_EMPTY_INITIALIZER;

    if (source->restored) {
        np_keeper_format_since(source->as_of, &s);
        VLOG_WARN("source %s: not read yet (%s); enforcing %"PRIuSIZE
                  " objects %s", source->name, source->problem,
                  source->n_objects, ds_cstr(&s));
    }
    for (size_t i = 0; i < simap_count(&source->kept); i++) {
        ds_clear(&s);
        np_keeper_format_since(nodes[i]->data, &s);
        VLOG_WARN("%s: enforcing its last good objects %s", nodes[i]->name,
                  ds_cstr(&s));
    }
    free(nodes);
    ds_destroy(&s);
}

void
np_keeper_restore(struct np_daemon *d)
{
    struct np_source *source = d->source;
    struct np_last_good last;

    if (d->keeper.asked || !source->tried) {
        return;
    }
    d->keeper.asked = true;
    if (!np_source_lacks(source, NULL)) {
        return;
    }
    np_last_good_init(&last);
    if (np_saved_load(d->keeper.path, source, &last)) {
        np_source_restore(source, &last);
        tell(source);
    }
    np_last_good_destroy(&last);
}

void
np_keeper_note(struct np_daemon *d)
{
    if (d->source->complete) {
        np_saved_note(d->keeper.saved, d->source);
    }
}

void
np_keeper_run(struct np_daemon *d)
{
    if (d->source->complete) {
        np_saved_run(d->keeper.saved, &d->engine.cache, as_of(d->source));
    }
}

void
np_keeper_wait(const struct np_daemon *d)
{
    if (d->source->complete) {
        np_saved_wait(d->keeper.saved);
    }
}
