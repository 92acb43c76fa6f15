/* A flow in ovs-ofctl's syntax, as a golden file or a snapshot brings it. */

#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz/fuzz.h"
#include "netpol/flow.h"
#include "util.h"

/* Where a list of actions inside an action starts, or NULL. */
static const char *
find_nested(const char *s)
{
    static const char *const words[] = { "exec", "clone", "ct(", "ct," };
    const char *first = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        const char *p = strcasestr(s, words[i]);

        first = p && (!first || p < first) ? p : first;
    }
    return first;
}

/* libopenvswitch's parser ends the process at some lists of actions inside
 * others ("ct(exec(ct()))").  Nobody but us gives it text yet; whoever does
 * has to look for this first. */
static bool
kills_parser(const char *text)
{
    const char *p = text;

    while ((p = find_nested(p)) != NULL) {
        bool opens = strncasecmp(p, "ct", 2) != 0;

        p += 2;
        if (opens && find_nested(p)) {
            return true;
        }
    }
    return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct np_table_names names = {
        .name = { [0] = "classify", [5] = "spoof_guard", [20] = "conntrack" },
    };
    char *text = xmemdup0((const char *) data, size);
    struct np_flow *flow;
    char *error;

    if (kills_parser(text)) {
        free(text);
        return 0;
    }
    error = np_flow_parse(text, NULL, &flow);
    ovs_assert(!error == (flow != NULL));
    if (flow) {
        ovs_assert(np_flow_equal(flow, flow) && !np_flow_compare(flow, flow));
        fuzz_check_flow_text(flow, NULL);
        fuzz_check_flow_text(flow, &names);
    }
    np_flow_destroy(flow);
    free(error);
    free(text);
    return 0;
}
