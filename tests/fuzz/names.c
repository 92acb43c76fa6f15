/* What somebody on a control socket says that the numbers in flows mean. */

#include <config.h>
#include <stdlib.h>
#include "fuzz/fuzz.h"
#include "inspect/names.h"
#include "netpol/compile.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

static void
describe(const struct np_names *names, const char *text)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_flow *flow;

    free(np_flow_parse(text, NULL, &flow));
    np_flow_describe(flow, names, &s);
    ovs_assert(s.length);
    np_flow_destroy(flow);
    ds_destroy(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xmemdup0((const char *) data, size);
    struct np_names names;
    char *error = np_names_parse(&names, text, "br-int");

    ovs_assert(!error == (names.json != NULL));
    for (int kind = NP_FLOW_STATIC; kind <= NP_FLOW_LEARNED; kind++) {
        np_names_find(&names, kind, 1);
    }
    ovs_assert(np_names_table_base(&names) >= -1
               && np_names_table_base(&names) <= NP_TABLE_BASE_MAX);
    describe(&names, "cookie=0x4e50030100000001,actions=drop");
    describe(&names, "cookie=0x4e50020100000001,actions=drop");
    describe(&names, "cookie=0x4e50050100000001,actions=drop");
    describe(&names, "cookie=0x4e50040100000000,actions=conjunction(1,1/2),"
                     "conjunction(2,1/2)");
    np_names_destroy(&names);
    free(error);
    free(text);
    return 0;
}
