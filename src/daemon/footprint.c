/* What the daemon keeps in memory, by part.
 *
 * The parts are counted, not weighed: how many of each there are is known at
 * no cost, and says what grew when the process did.  A stage that keeps
 * something new adds a line to the table. */

#include <config.h>
#include "daemon/footprint.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/netpold.h"
#include "netpol/observe.h"
#include "netpol/openflow.h"
#include "netpol/ovsdb.h"
#include "netpol/source.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "simap.h"
#include "util.h"

static size_t
count_objects(const struct np_daemon *d)
{
    return d->source->n_objects;
}

static size_t
count_groups(const struct np_daemon *d)
{
    return hmap_count(&d->engine.groups.by_key);
}

static size_t
count_sets(const struct np_daemon *d)
{
    return hmap_count(&d->engine.policies.sets);
}

static size_t
count_rules(const struct np_daemon *d)
{
    return d->engine.policies.n_rules;
}

static size_t
count_used_rules(const struct np_daemon *d)
{
    struct np_compile_counts counts;

    np_compiler_count(d->engine.compiler, &counts);
    return counts.rules;
}

static size_t
count_points(const struct np_daemon *d)
{
    struct np_compile_counts counts;

    np_compiler_count(d->engine.compiler, &counts);
    return counts.points;
}

static size_t
count_identities(const struct np_daemon *d)
{
    struct np_compile_counts counts;

    np_compiler_count(d->engine.compiler, &counts);
    return counts.identities;
}

static size_t
count_conjunctions(const struct np_daemon *d)
{
    struct np_compile_counts counts;

    np_compiler_count(d->engine.compiler, &counts);
    return counts.conjunctions;
}

static size_t
count_clauses(const struct np_daemon *d)
{
    struct np_compile_counts counts;

    np_compiler_count(d->engine.compiler, &counts);
    return counts.clauses;
}

static size_t
count_profiles(const struct np_daemon *d)
{
    return hmap_count(&d->engine.groups.by_labels);
}

static size_t
count_ports(const struct np_daemon *d)
{
    return np_ovsdb_ports(d->ovsdb)->n;
}

static size_t
count_local_pods(const struct np_daemon *d)
{
    return d->engine.binding.n_locals;
}

static size_t
count_flows(const struct np_daemon *d)
{
    struct np_installer_status st;

    np_installer_get_status(d->installer, &st);
    return st.n_installed;
}

static size_t
count_pending(const struct np_daemon *d)
{
    return d->progress.latency.n_pending;
}

static size_t
count_denials(const struct np_daemon *d)
{
    return np_denials_count(d->denials.book);
}

static const struct part {
    const char *name;
    size_t (*count)(const struct np_daemon *);
} parts[] = {
    { "objects", count_objects },
    { "profiles", count_profiles },
    { "groups", count_groups },
    { "sets", count_sets },
    { "rules", count_rules },
    { "used-rules", count_used_rules },
    { "points", count_points },
    { "identities", count_identities },
    { "conjunctions", count_conjunctions },
    { "clauses", count_clauses },
    { "ports", count_ports },
    { "local-pods", count_local_pods },
    { "flows", count_flows },
    { "pending-updates", count_pending },
    { "denials", count_denials },
};

void
np_footprint_for_each(const struct np_daemon *d,
                      void (*cb)(const char *part, size_t n, void *aux),
                      void *aux)
{
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        cb(parts[i].name, parts[i].count(d), aux);
    }
}

void
np_footprint_process(struct np_footprint_process *p)
{
    struct mallinfo2 info = mallinfo2();
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];

    memset(p, 0, sizeof *p);
    p->heap = info.arena + info.hblkhd;
    p->heap_used = info.uordblks + info.hblkhd;
    while (f && fgets(line, sizeof line, f)) {
        unsigned long long int kb;

        if (ovs_scan(line, "VmRSS: %llu", &kb)) {
            p->resident = kb * 1024;
        } else if (ovs_scan(line, "VmHWM: %llu", &kb)) {
            p->peak = kb * 1024;
        }
    }
    if (f) {
        fclose(f);
    }
}

static void
add_usage(const char *part, size_t n, void *usage)
{
    simap_increase(usage, part, n);
}

void
np_footprint_add(const struct np_daemon *d, struct simap *usage)
{
    np_footprint_for_each(d, add_usage, usage);
}

static void
add_json(const char *part, size_t n, void *o)
{
    json_object_put(o, part, json_integer_create(n));
}

struct json *
np_footprint_create(const struct np_daemon *d)
{
    struct json *process = json_object_create();
    struct json *counts = json_object_create();
    struct json *o = json_object_create();
    struct np_footprint_process p;

    np_footprint_process(&p);
    json_object_put(process, "resident", json_integer_create(p.resident));
    json_object_put(process, "peak", json_integer_create(p.peak));
    json_object_put(process, "heap", json_integer_create(p.heap));
    json_object_put(process, "heap_used", json_integer_create(p.heap_used));
    json_object_put(o, "bytes", process);
    np_footprint_for_each(d, add_json, counts);
    json_object_put(o, "parts", counts);
    return o;
}

static double
megabytes(const struct json *o, const char *name)
{
    return json_integer(shash_find_data(json_object(o), name)) / 1e6;
}

void
np_footprint_format(const struct json *o, struct ds *s)
{
    const struct json *process = shash_find_data(json_object(o), "bytes");
    const struct json *counts = shash_find_data(json_object(o), "parts");

    ds_put_format(s, "resident: %.1f MB, at most %.1f MB\n",
                  megabytes(process, "resident"), megabytes(process, "peak"));
    ds_put_format(s, "heap: %.1f MB, %.1f MB of it in use\n",
                  megabytes(process, "heap"),
                  megabytes(process, "heap_used"));
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        ds_put_format(s, "%s: %lld\n", parts[i].name, (long long int)
                      json_integer(shash_find_data(json_object(counts),
                                                   parts[i].name)));
    }
}
