#include <config.h>
#include "../unit.h"
#include "tests.h"

#include "openvswitch/dynamic-string.h"

struct np_flow *
flow_of(const char *text, const struct np_table_names *names)
{
    struct np_flow *flow;
    char *error = np_flow_parse(text, names, &flow);

    if (error) {
        fail_msg("%s: %s", text, error);
    }
    return flow;
}

char *
text_of(const struct np_flow *flow, const struct np_table_names *names)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    np_flow_format(flow, names, &s);
    return ds_steal_cstr(&s);
}

int
main(void)
{
    return (test_set() + test_patch() + test_text() + test_maker()) != 0;
}
