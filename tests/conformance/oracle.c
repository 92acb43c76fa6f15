/* The judge of the objects, for many questions at once.
 *
 *     oracle DIRECTORY [NODE-ADDRESS]... < questions > answers
 *
 * DIRECTORY holds manifests, NODE-ADDRESS is one of the node under test.  A
 * question is a line
 *
 *     SOURCE DESTINATION PROTOCOL PORT
 *
 * of two addresses and two numbers; its answer is a line of two words, for the
 * egress of the source and the ingress of the destination:
 *
 *     open                    nothing isolates that pod, or it is none
 *     exempt                  allowed whatever policies say
 *     allow:NAMESPACE/NAME[N] by rule N of that policy
 *     deny:NAMESPACE/NAME,... by these, which isolate and do not allow
 *
 * Exit status 2 if anything could not be read. */

#include <config.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "netpol/eval.h"
#include "netpol/manifest.h"
#include "openvswitch/dynamic-string.h"
#include "svec.h"
#include "util.h"

static void
read_directory(const char *dir, struct np_manifest *manifest)
{
    struct svec names = SVEC_EMPTY_INITIALIZER;
    struct dirent *entry;
    const char *name;
    DIR *stream;
    size_t i;

    stream = opendir(dir);
    if (!stream) {
        fprintf(stderr, "oracle: %s: %s\n", dir, ovs_strerror(errno));
        exit(2);
    }
    while ((entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] != '.') {
            svec_add_nocopy(&names, xasprintf("%s/%s", dir, entry->d_name));
        }
    }
    closedir(stream);
    svec_sort(&names);
    SVEC_FOR_EACH (i, name, &names) {
        np_manifest_read(manifest, name);
    }
    svec_destroy(&names);
}

/* What is not understood must not be judged as if it were not there. */
static void
refuse_errors(const struct np_manifest *manifest)
{
    struct ds text = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < manifest->errors.n; i++) {
        ds_put_cstr(&text, "oracle: ");
        np_error_format(&manifest->errors.v[i], &text);
        ds_put_char(&text, '\n');
    }
    if (manifest->errors.n) {
        fputs(ds_cstr(&text), stderr);
        exit(2);
    }
    ds_destroy(&text);
}

static struct np_prefix
parse_address(const char *s)
{
    struct np_prefix addr;

    if (!np_addr_parse(s, &addr)) {
        fprintf(stderr, "oracle: %s: not an address\n", s);
        exit(2);
    }
    return addr;
}

static void
put_direction(struct ds *s, const struct np_eval_direction *d)
{
    if (d->exempt) {
        ds_put_cstr(s, "exempt");
    } else if (!d->n_isolating) {
        ds_put_cstr(s, "open");
    } else if (d->allowed) {
        ds_put_cstr(s, "allow:");
        np_object_format_key(&d->reason.policy->meta, s);
        ds_put_format(s, "[%d]", d->reason.rule);
    } else {
        ds_put_cstr(s, "deny:");
        for (size_t i = 0; i < d->n_isolating; i++) {
            ds_put_cstr(s, i ? "," : "");
            np_object_format_key(&d->isolating[i]->meta, s);
        }
    }
}

static void
answer(const struct np_eval_world *world, char *line)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_eval_verdict verdict;
    struct np_eval_query query;
    char src[64], dst[64];
    uint16_t port;
    uint8_t proto;

    if (sscanf(line, "%63s %63s %"SCNu8" %"SCNu16, src, dst, &proto,
               &port) != 4) {
        fprintf(stderr, "oracle: %s: not a question\n", line);
        exit(2);
    }
    query.opener.addr = parse_address(src);
    query.opener.pod = np_eval_pod_at(world, &query.opener.addr);
    query.server.addr = parse_address(dst);
    query.server.pod = np_eval_pod_at(world, &query.server.addr);
    query.proto = proto;
    query.port = port;
    np_eval(world, &query, &verdict);
    put_direction(&s, &verdict.direction[NP_EGRESS]);
    ds_put_char(&s, ' ');
    put_direction(&s, &verdict.direction[NP_INGRESS]);
    puts(ds_cstr(&s));
    np_eval_verdict_destroy(&verdict);
    ds_destroy(&s);
}

int
main(int argc, char *argv[])
{
    struct np_manifest manifest = { .n = 0 };
    struct np_eval_world world = { .n = 0 };
    struct np_prefix *node_addrs;
    char line[256];

    if (argc < 2) {
        fputs("usage: oracle DIRECTORY [NODE-ADDRESS]...\n", stderr);
        return 2;
    }
    read_directory(argv[1], &manifest);
    refuse_errors(&manifest);
    node_addrs = xcalloc(argc, sizeof *node_addrs);
    for (int i = 2; i < argc; i++) {
        node_addrs[world.n_node_addrs++] = parse_address(argv[i]);
    }
    world.node_addrs = node_addrs;
    world.objects = (const struct np_meta *const *) manifest.objects;
    world.n = manifest.n;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        answer(&world, line);
    }
    np_manifest_clear(&manifest);
    free(node_addrs);
    return 0;
}
