/* Flows as text, in the syntax of ovs-ofctl(8).
 *
 * It is what people who debug a bridge read all day, what golden files are
 * written in, and what --dry-run prints: `ovs-ofctl add-flows` must take it.
 * The library's own parser and printer do the work; here are only the table
 * names, and refusals of what a flow of ours cannot carry. */

#include <config.h>

#include "flow-private.h"

#include <stdlib.h>

#include "byte-order.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-protocol.h"
#include "openvswitch/ofp-table.h"
#include "util.h"

/* Table 254 is the switch's own and 255 means "all". */
enum { MAX_TABLE = 253 };

static void
table_map_init(struct ofputil_table_map *map,
               const struct np_table_names *names)
{
    ofputil_table_map_init(map);
    for (size_t i = 0; names && i < ARRAY_SIZE(names->name); i++) {
        if (names->name[i]) {
            ofputil_table_map_put(map, i, names->name[i]);
        }
    }
}

void
np_flow_format(const struct np_flow *flow, const struct np_table_names *names,
               struct ds *s)
{
    struct ofputil_table_map tables;

    table_map_init(&tables, names);
    ds_put_format(s, "cookie=0x%"PRIx64",table=", flow->cookie);
    ofputil_format_table(flow->table, &tables, s);
    ds_put_format(s, ",priority=%"PRIu16",", flow->priority);

    struct minimatch match = np_flow_match(flow);
    size_t start = s->length;
    minimatch_format(&match, NULL, NULL, s, OFP_DEFAULT_PRIORITY);
    ds_put_cstr(s, s->length > start ? ",actions=" : "actions=");

    struct ofpact_format_params fp = { .table_map = &tables, .s = s };
    ofpacts_format(flow->actions, flow->actions_len, &fp);
    ofputil_table_map_destroy(&tables);
}

/* What OpenFlow knows and an np_flow has no place for. */
static char *
check_flow_mod(const struct ofputil_flow_mod *fm,
               enum ofputil_protocol usable)
{
    if (fm->table_id > MAX_TABLE) {
        return xasprintf("table %"PRIu8" is outside the range 0 through %d",
                         fm->table_id, MAX_TABLE);
    } else if (fm->idle_timeout || fm->hard_timeout || fm->importance) {
        return xstrdup("timeouts and importance are not supported");
    } else if (fm->flags) {
        return xstrdup("flags are not supported");
    } else if (!(usable & OFPUTIL_P_OF15_OXM)) {
        return xstrdup("flow cannot be expressed in OpenFlow 1.5");
    }
    return NULL;
}

struct np_flow_parser {
    struct ofputil_table_map tables;
};

struct np_flow_parser *
np_flow_parser_create(const struct np_table_names *names)
{
    struct np_flow_parser *parser = xmalloc(sizeof *parser);

    table_map_init(&parser->tables, names);
    return parser;
}

void
np_flow_parser_destroy(struct np_flow_parser *parser)
{
    if (parser) {
        ofputil_table_map_destroy(&parser->tables);
        free(parser);
    }
}

/* Makes the flow that FM is, or says why not. */
static char *
from_flow_mod(const struct ofputil_flow_mod *fm, struct np_flow **flowp)
{
    struct match match;
    bool exact;

    minimatch_expand(&fm->match, &match);
    *flowp = np_flow_create__(fm->table_id, fm->priority,
                              ntohll(fm->new_cookie), &match, fm->ofpacts,
                              fm->ofpacts_len, &exact);
    if (exact) {
        return NULL;
    }
    np_flow_destroy(*flowp);
    *flowp = NULL;
    return xstrdup("a match field lacks its prerequisites, or the flow is too "
                   "large for an OpenFlow message");
}

char *
np_flow_parser_parse(const struct np_flow_parser *parser, const char *text,
                     struct np_flow **flowp)
{
    enum ofputil_protocol usable;
    struct ofputil_flow_mod fm;

    *flowp = NULL;
    /* A flow without a table is in table 0, and a later "table=" wins. */
    char *s = xasprintf("table=0,%s", text);
    char *error = parse_ofp_str(&fm, OFPFC_ADD, s, NULL, &parser->tables,
                                &usable);
    free(s);
    if (error) {
        return error;
    }
    error = check_flow_mod(&fm, usable);
    if (!error) {
        error = from_flow_mod(&fm, flowp);
    }
    free(fm.ofpacts);
    minimatch_destroy(&fm.match);
    return error;
}

char *
np_flow_parse(const char *text, const struct np_table_names *names,
              struct np_flow **flowp)
{
    struct np_flow_parser *parser = np_flow_parser_create(names);
    char *error = np_flow_parser_parse(parser, text, flowp);

    np_flow_parser_destroy(parser);
    return error;
}
