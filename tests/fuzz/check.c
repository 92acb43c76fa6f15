/* What holds whatever the bytes were. */

#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fuzz/fuzz.h"
#include "netpol/flow.h"
#include "openvswitch/dynamic-string.h"
#include "unicode.h"
#include "util.h"

void
fuzz_check_printable(const char *s)
{
    char *error;

    if (!s) {
        return;
    }
    for (const char *p = s; *p; p++) {
        unsigned char c = *p;

        ovs_assert(c >= 0x20 && c != 0x7f);
        /* U+0080...U+009F are control characters, too. */
        ovs_assert(c != 0xc2 || (unsigned char) p[1] >= 0xa0);
    }
    error = utf8_validate(s, NULL);
    ovs_assert(!error);
}

/* libopenvswitch prints some values inside actions as it does not read them:
 * masks of nothing, packet types, unknown bits. */
static bool
may_be_unreadable(const char *text)
{
    return strstr(text, "learn(") || strstr(text, "set_field:");
}

/* How long tunnel metadata are is something only a bridge knows. */
static bool
may_differ(const char *text)
{
    return strstr(text, "tun_metadata") != NULL;
}

/* That a flow asks for an Ethernet header, which every frame on our bridges
 * has, is implied by most matches and then not printed; "tp_dst=0/0" asks for
 * it and for nothing that would imply it. */
static struct np_flow *
without_packet_type(const struct np_flow *flow)
{
    struct match match;

    np_flow_expand(flow, &match);
    match.flow.packet_type = match.wc.masks.packet_type = 0;
    return np_flow_create(flow->table, flow->priority, flow->cookie, &match,
                          flow->actions, flow->actions_len);
}

static bool
mean_the_same(const struct np_flow *a, const struct np_flow *b)
{
    struct np_flow *c = without_packet_type(a);
    struct np_flow *d = without_packet_type(b);
    bool same = np_flow_equal(a, b) || np_flow_equal(c, d);

    np_flow_destroy(c);
    np_flow_destroy(d);
    return same;
}

void
fuzz_check_flow_text(const struct np_flow *flow,
                     const struct np_table_names *names)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_flow *again;
    char *error;

    np_flow_format(flow, names, &s);
    error = np_flow_parse(ds_cstr(&s), names, &again);
    if (error ? !may_be_unreadable(ds_cstr(&s))
        : !mean_the_same(flow, again) && !may_differ(ds_cstr(&s))) {
        fprintf(stderr, "%s\n%s\n", ds_cstr(&s), error ? error : "not equal");
        abort();
    }
    free(error);
    np_flow_destroy(again);
    ds_destroy(&s);
}
