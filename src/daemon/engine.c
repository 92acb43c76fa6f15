/* cache → group, policy → binding → compile. */

#include <config.h>
#include "daemon/engine.h"

#include <stdlib.h>
#include <string.h>

#include "netpol/source.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_engine);

void
np_engine_init(struct np_engine *e, const struct np_compile_config *config,
               const char *node)
{
    memset(e, 0, sizeof *e);
    e->node = node;
    np_cache_init(&e->cache);
    np_policies_init(&e->policies);
    e->compiler = np_compiler_create(config);
}

void
np_engine_destroy(struct np_engine *e)
{
    np_compiler_destroy(e->compiler);
    np_binding_clear(&e->binding);
    np_policies_destroy(&e->policies);
    np_cache_destroy(&e->cache);
}

void
np_engine_rebuild(struct np_engine *e, struct np_source *source,
                  const struct np_portmap *ports, struct np_flow_set *out)
{
    const struct np_meta **objects = np_source_sort(source);
    long long int start = time_usec();

    np_cache_rebuild(&e->cache, objects, source->n_objects);
    free(objects);
    np_policies_rebuild(&e->policies, &e->cache);
    np_binding_clear(&e->binding);
    np_binding_build(&e->binding, ports, &e->cache, e->node);
    if (out) {
        np_compiler_rebuild(e->compiler, &e->policies, &e->cache, &e->binding,
                            ports, out);
        VLOG_DBG("%"PRIuSIZE" objects and %"PRIuSIZE" ports are %"PRIuSIZE
                 " flows, after %lld us", source->n_objects, ports->n,
                 np_flow_set_count(out), time_usec() - start);
    }
    np_source_taken(source);
}
