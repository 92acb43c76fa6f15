#ifndef NETPOL_FLOW_H
#define NETPOL_FLOW_H 1

/* OpenFlow flows as values, sets of them, and the difference of two sets.
 *
 * Match and actions are libopenvswitch's own structures, so everything that
 * ovs-ofctl(8) can say can be said here, in its own syntax. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netpol/addr.h"
#include "openvswitch/hmap.h"
#include "openvswitch/match.h"

struct ds;
struct ofpact;
struct ofpbuf;

struct np_mask;

/* Made by np_flow_create() or np_flow_parse() and not changed afterwards.
 * There may be hundreds of thousands, so they may share actions and masks, and
 * the values of the match follow in the same block of memory. */
struct np_flow {
    struct hmap_node node;      /* In a set; its hash is always that of table,
                                 * priority and match. */
    uint64_t cookie;            /* Host byte order. */
    uint16_t priority;
    uint8_t table;
    uint32_t actions_len;       /* Bytes of */
    struct ofpact *actions;     /* these, NULL for none. */
    struct np_mask *mask;
};

/* A cookie says whose flow it is and what it stands for:
 * [63:48] owner, [47:40] kind, [39:32] pipeline version, [31:0] id. */
#define NP_COOKIE_OWNER UINT64_C(0x4e50)        /* "NP" */
#define NP_COOKIE_OWNER_MASK UINT64_C(0xffff000000000000)
#define NP_PIPELINE_VERSION 1

enum np_flow_kind {
    NP_FLOW_STATIC = 1,         /* Of the pipeline; id 0. */
    NP_FLOW_PORT,               /* id: ofport. */
    NP_FLOW_IDENTITY,           /* id: identity. */
    NP_FLOW_CLAUSE,             /* id: conjunction, 0 if it serves several. */
    NP_FLOW_RULE,               /* id: rule. */
    NP_FLOW_DEFAULT,            /* What happens to isolated pods; id 0. */
    NP_FLOW_LEARNED,            /* Made by the switch; never reconciled. */
};

static inline uint64_t
np_cookie(enum np_flow_kind kind, uint32_t id)
{
    return (NP_COOKIE_OWNER << 48) | ((uint64_t) kind << 40)
           | ((uint64_t) NP_PIPELINE_VERSION << 32) | id;
}

static inline bool
np_cookie_is_ours(uint64_t cookie)
{
    return cookie >> 48 == NP_COOKIE_OWNER;
}

static inline enum np_flow_kind
np_cookie_kind(uint64_t cookie)
{
    return (cookie >> 40) & 0xff;
}

const char *np_flow_kind_name(enum np_flow_kind);       /* "identity" */

/* Copies MATCH and the LEN bytes of ACTIONS in their canonical form, that in
 * which a switch hands a flow back: normalised (a field without its
 * prerequisites, such as a port without a protocol, is dropped with a warning
 * in the log) and encoded as OpenFlow 1.5 would.  A flow that does not fit in
 * an OpenFlow message is kept as it is; no switch will take it. */
struct np_flow *np_flow_create(uint8_t table, uint16_t priority,
                               uint64_t cookie, const struct match *,
                               const struct ofpact *actions, size_t len);
/* The same for what is in that form already, such as another flow's match and
 * actions with other values in them. */
struct np_flow *np_flow_create_as_is(uint8_t table, uint16_t priority,
                                     uint64_t cookie, const struct match *,
                                     const struct ofpact *actions, size_t len);
/* Shares SRC's actions and mask. */
struct np_flow *np_flow_clone(const struct np_flow *src);
void np_flow_destroy(struct np_flow *);
/* What it matches: a view, which must not be destroyed, and the same at full
 * length. */
struct minimatch np_flow_match(const struct np_flow *);
void np_flow_expand(const struct np_flow *, struct match *);
/* Same table, priority and match: for a switch they are one flow. */
bool np_flow_same_key(const struct np_flow *, const struct np_flow *);
/* Same key, cookie and actions. */
bool np_flow_equal(const struct np_flow *, const struct np_flow *);
/* Orders by table, falling priority, and match: negative, 0 or positive, 0
 * only if the key is the same.  The order of matches follows the layout of
 * libopenvswitch's struct flow. */
int np_flow_compare(const struct np_flow *, const struct np_flow *);

/* Makes many flows that look alike, much faster: the canonical form is asked
 * for once for each shape of a match and of actions, and equal actions are
 * mostly shared.  The flows are those that np_flow_create() would make. */
struct np_flow_maker;
struct np_flow_maker *np_flow_maker_create(void);
void np_flow_maker_destroy(struct np_flow_maker *);
/* Actions that many flows have: canonical, and kept once.  The caller has one
 * reference, each flow another; NULL for none at all, which all functions here
 * take as well.  More of what is known is found if memory that means nothing,
 * between and inside actions, is 0. */
struct np_actions;
void np_actions_unref(struct np_actions *);
struct np_actions *np_flow_maker_actions(struct np_flow_maker *,
                                         const struct ofpact *, size_t len);
/* As np_flow_create(), but only the match has to be brought to its canonical
 * form. */
struct np_flow *np_flow_maker_make(struct np_flow_maker *, uint8_t table,
                                   uint16_t priority, uint64_t cookie,
                                   const struct match *, struct np_actions *);

/* Names of tables for the text form; NULL, or NULL for a table: its number. */
struct np_table_names {
    const char *name[256];
};

/* Appends the flow as ovs-ofctl(8) "add-flow" takes it back:
 * "cookie=…,table=…,priority=…,match,actions=…". */
void np_flow_format(const struct np_flow *, const struct np_table_names *,
                    struct ds *);
/* Parses ovs-ofctl(8) "add-flow" syntax.  Table names are looked up in NAMES
 * (may be NULL) wherever a table may stand, in resubmit(,NAME) and
 * ct(table=NAME) too; tables are 0 (the default) to 253, ports are numbers or
 * the reserved ports' names.  What np_flow cannot carry (timeouts, flags) and
 * match fields without their prerequisites are refused.  Returns NULL and the
 * flow, or an error to be freed. */
char *np_flow_parse(const char *s, const struct np_table_names *names,
                    struct np_flow **);

/* The same for many flows: what NAMES says is prepared once.  NAMES itself is
 * not needed any more afterwards, the names in it are. */
struct np_flow_parser;
struct np_flow_parser *np_flow_parser_create(const struct np_table_names *);
void np_flow_parser_destroy(struct np_flow_parser *);
char *np_flow_parser_parse(const struct np_flow_parser *, const char *s,
                           struct np_flow **);

/* A set of flows, at most one a key; it owns them. */
struct np_flow_set {
    struct hmap flows;
};

void np_flow_set_init(struct np_flow_set *);
void np_flow_set_destroy(struct np_flow_set *);
void np_flow_set_clear(struct np_flow_set *);
void np_flow_set_swap(struct np_flow_set *, struct np_flow_set *);
size_t np_flow_set_count(const struct np_flow_set *);
/* Takes FLOW.  Returns the flow of the same key that it replaced (now the
 * caller's), or NULL. */
struct np_flow *np_flow_set_put(struct np_flow_set *, struct np_flow *flow);
/* The flow with the key of FLOW, or NULL; still the set's. */
struct np_flow *np_flow_set_find(const struct np_flow_set *,
                                 const struct np_flow *flow);
/* Takes FLOW, an element, out of the set; now the caller's. */
void np_flow_set_remove(struct np_flow_set *, struct np_flow *flow);
/* All flows in np_flow_compare() order, which is the same for equal sets.
 * Free the array, not the flows. */
const struct np_flow **np_flow_set_sort(const struct np_flow_set *);

/* What must be said to a switch that has one set so that it has another.
 * Pointers into the two sets, valid as long as they are; sorted. */
struct np_flow_delta {
    const struct np_flow **put; /* Add, or replace what has the same key. */
    size_t n_put;
    const struct np_flow **del;
    size_t n_del;
    size_t n_new;               /* Of 'put', those with a new key. */
};

/* Computes the way FROM one set TO another. */
void np_flow_set_diff(const struct np_flow_set *from,
                      const struct np_flow_set *to, struct np_flow_delta *);
void np_flow_delta_destroy(struct np_flow_delta *);

/* A change of a set whatever else is in it: flows to put, replacing those with
 * the same key, and flows to delete, of which only the key counts.  No key is
 * in both. */
struct np_flow_patch {
    struct np_flow_set put;
    struct np_flow_set del;
    struct np_addr_list forget; /* Addresses whose connections the switch is
                                 * to forget. */
};

void np_flow_patch_init(struct np_flow_patch *);
void np_flow_patch_destroy(struct np_flow_patch *);
void np_flow_patch_clear(struct np_flow_patch *);
void np_flow_patch_swap(struct np_flow_patch *, struct np_flow_patch *);
/* Adds to PATCH the way FROM one set TO another; copies the flows. */
void np_flow_patch_add_diff(struct np_flow_patch *,
                            const struct np_flow_set *from,
                            const struct np_flow_set *to);
/* The same, but takes the flows; both sets are empty afterwards. */
void np_flow_patch_take_diff(struct np_flow_patch *, struct np_flow_set *from,
                             struct np_flow_set *to);
bool np_flow_patch_is_empty(const struct np_flow_patch *);
/* Both take FLOW; what was said of its key before is forgotten. */
void np_flow_patch_put(struct np_flow_patch *, struct np_flow *flow);
void np_flow_patch_del(struct np_flow_patch *, struct np_flow *flow);
/* Makes PATCH say both in turn, itself and then NEXT, which is empty
 * afterwards. */
void np_flow_patch_join(struct np_flow_patch *, struct np_flow_patch *next);
/* What of PATCH changes SET: the puts that are not there just so, and the
 * deletions of what is there.  Costs what is in PATCH, whatever the size of
 * SET.  Points into PATCH. */
void np_flow_patch_diff(const struct np_flow_patch *,
                        const struct np_flow_set *set, struct np_flow_delta *);
/* Changes SET; PATCH has no flows afterwards. */
void np_flow_patch_apply(struct np_flow_patch *, struct np_flow_set *set);

#endif /* netpol/flow.h */
