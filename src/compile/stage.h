#ifndef COMPILE_STAGE_H
#define COMPILE_STAGE_H 1

/* The stage's state, and how one change runs through it:
 *
 *   local.c     whose pod is where           ─► claims, points to judge again
 *   ghost.c     addresses that pods left     ─► connections to forget
 *   use.c       rules that apply here        ─► sets that count, conjunctions
 *   point.c     addresses, and what is around them
 *   content.c   a point to the sets it is in
 *   identity.c  points with the same content ─► identity flows
 *   conj.c      identities of sets           ─► conjunctions that can match
 *   clause.c    who uses which value         ─► clause flows
 *   port.c      ports                        ─► their own flows
 *
 * Each file adds what it changes to the patch in 'build'. */

#include "compile/build.h"
#include "netpol/idset.h"
#include "netpol/slots.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"

struct np_conj;
struct np_identity;
struct np_clause;

/* A growing array of pointers. */
struct np_list {
    void **v;
    size_t n, allocated;
};
void np_list_add(struct np_list *, void *);
void np_list_clear(struct np_list *);

/* A set that a rule of this node names, or such a set made narrower by a
 * named port.  Contents of identities are sets of their ids. */
struct np_cset {
    uint32_t id;                /* In 'csets'. */
    const struct np_set *set;   /* NULL for a narrower one: */
    struct np_named *named;     /* by this name, */
    uint16_t port;              /* to this number. */
    char *key;                  /* "~", so that it sorts last, and what it is;
                                 * unique. */
    bool fading;                /* In the list of those that may go. */
    unsigned int n_rules;       /* That name it; with none, nothing is in it. */
    unsigned int n_named;       /* That have it as servers. */
    struct np_idset numbers;    /* Of the identities in it. */
    struct np_conj **conjs;     /* That have it as one side. */
    size_t n_conjs, allocated_conjs;
    uint32_t *blocks;           /* Ids in 'blocks', one for each of the set's. */
};

/* A named port that rules of this node ask for, of the servers in a set. */
struct np_named {
    struct hmap_node node;      /* In 'named', by proto, name and server. */
    enum np_proto proto;
    char *name;
    struct np_cset *server;     /* NULL: any. */
    struct np_list uses;        /* struct np_use, of the rules. */
    struct np_list ports;       /* struct np_cset, one for each number that was
                                 * found. */
};

/* An IP block of a set that counts. */
struct np_cblock {
    struct np_cset *cset;
    const struct np_ipblock *block;
};

/* A point of the address space at which something changes: addresses of pods
 * and of the node, and the prefixes of IP blocks and their exceptions. */
struct np_point {
    struct np_prefix prefix;
    bool node : 1;              /* One of the node's own addresses. */
    bool dirty : 1;             /* In the list of those to judge again. */
    bool has_flow : 1;
    bool fixed : 1;             /* Must not go though nothing is here. */
    uint32_t n_claims;
    struct np_entry *pod;       /* Whose address it is, or NULL. */
    union {                     /* All pods that say so: */
        struct np_entry *one;   /* if it is one, */
        struct np_entry **more; /* if there are several. */
    } claims;
    struct np_identity *identity;       /* NULL before it was judged. */
    struct np_ends *ends;       /* NULL if no block begins or ends here. */
};

/* Where blocks begin and end; ids in 'blocks'. */
struct np_ends {
    struct np_idset begins, ends;
    struct np_idset inside;     /* Those that cover what is inside here. */
};

/* A class of addresses that no rule can tell apart. */
struct np_identity {
    struct hmap_node node;      /* In 'identities', by content. */
    uint32_t number;            /* What reg1 and reg2 hold; 0 not yet. */
    uint32_t flags;             /* NP_ID_*. */
    struct np_idset sets;       /* Ids of csets. */
    size_t n_points;
    struct np_actions *actions[2];      /* Of its flows, once there are any:
                                         * destination's and source's. */
    /* In the change under way: */
    bool dead;                  /* No point is left. */
    bool is_heir;               /* Has the number of one that is dead. */
    struct np_identity *heir;   /* Which has its number, if it is dead. */
    size_t order;               /* Among those that are new. */
};

/* What one rule became: one conjunction, and one more for each number that a
 * named port of it stands for. */
struct np_conj {
    struct hmap_node node;      /* In 'conjs', by 'id'. */
    struct ovs_list rule_node;  /* In its use's list. */
    uint32_t id;                /* Conjunction's and rule's; never 0. */
    uint32_t attempt;           /* How often it was hashed again. */
    char *key;                  /* "ns/name ingress[0]", and for a named port
                                 * " http=8080/TCP". */
    const struct np_rule *rule;
    struct np_cset *openers, *servers;  /* NULL: any. */
    struct np_service *services;        /* Numeric; none: any. */
    size_t n_services;
    bool live;                  /* Can match, and its flows are there. */
    bool touched;               /* In the list of those to look at again. */
};

/* A rule that applies on this node. */
struct np_use {
    struct hmap_node node;      /* In 'uses', by 'rule'. */
    const struct np_rule *rule;
    struct np_cset *applied, *peers;
    struct ovs_list conjs;
};

/* A pod of this node, as its flows were made. */
struct np_clocal {
    struct hmap_node node;      /* In 'locals', by 'entry'. */
    struct np_entry *entry;
    struct np_local *local;     /* In the binding. */
    struct np_idset applied;    /* Ids of applied sets that it is in. */
};

/* What is to be known of each set, whether it counts or not. */
struct np_by_set {
    struct np_cset *cset;       /* NULL if no rule of this node names it. */
    unsigned int n_local;       /* If applied: pods of this node in it. */
    bool n_local_changed;       /* In the list of those to look at. */
    bool was_local;             /* Then, before the change. */
};

struct np_compiler {
    struct np_compile_config config;
    char *out_port;
    struct np_flow_parser *parser;
    bool started;               /* After the first change, in which all points
                                 * are dirty anyway. */
    const struct np_groups *groups;
    const struct np_policies *policies;
    const struct np_binding *binding;

    struct hmap hints;          /* Numbers of an earlier run, until the first
                                 * apply. */
    struct np_slots csets;
    struct np_slots blocks;     /* struct np_cblock. */
    struct np_by_set *by_set;   /* By np_set's id. */
    size_t n_by_set;
    struct np_idset *by_group;  /* By np_group's id: the csets of peers that
                                 * it is part of. */
    size_t n_by_group;
    struct hmap named;
    struct hmap uses;
    struct hmap locals;
    struct np_space *points;
    struct hmap identities;
    struct np_idset numbers;    /* Of the identities. */
    struct hmap conjs;
    size_t n_hashed_again;      /* Conjunctions that are not at attempt 0. */
    struct hmap clauses;
    size_t n_multi[2];          /* Live conjunctions of several dimensions, by
                                 * direction, */
    uint32_t n_shards[2];       /* and the priorities they are spread over. */
    struct hmap ghosts;         /* Addresses that pods have left, */
    struct ovs_list ghosts_by_age;      /* and in which order. */
    struct np_flow_set rest;    /* Flows that ports have together, */
    struct np_flow_set lists;   /* and those that list them. */

    /* The change under way. */
    const struct np_compile_input *in;
    struct np_build build;
    struct np_list changed_sets;        /* struct np_set, applied. */
    struct np_list dirty;       /* struct np_point. */
    struct np_list fading;      /* struct np_cset that may be void. */
    struct np_list touched;     /* struct np_conj. */
    struct np_list dirty_clauses;
    bool hash_again;
    bool stale_lists;           /* Whose ports there are, or who is open,
                                 * changed. */
};

/* local.c */
void np_locals_apply(struct np_compiler *);
struct np_clocal *np_clocal_find(const struct np_compiler *,
                                 const struct np_entry *);
void np_clocal_destroy_all(struct np_compiler *);
/* All points of POD are to be judged again. */
void np_mark_pod(struct np_compiler *, const struct np_entry *pod);

/* ghost.c */
void np_ghost_left(struct np_compiler *, const struct np_prefix *,
                   const struct np_meta *pod);
void np_ghost_came(struct np_compiler *, const struct np_prefix *,
                   const struct np_meta *pod, const struct np_meta *before);
void np_ghosts_destroy(struct np_compiler *);

/* use.c */
/* Takes a pod out of all applied sets, because it is no local one any more. */
void np_clocal_leave(struct np_compiler *, struct np_clocal *);
void np_uses_apply(struct np_compiler *, const struct np_policy_delta *);
void np_uses_destroy(struct np_compiler *);

/* cset.c */
struct np_cset *np_cset_ref(struct np_compiler *, const struct np_set *);
void np_cset_unref(struct np_compiler *, struct np_cset *);
/* To be freed at the end of the change, if nothing is in it any more. */
void np_cset_fade(struct np_compiler *, struct np_cset *);
void np_cset_destroy(struct np_compiler *, struct np_cset *);
void np_csets_destroy(struct np_compiler *);
void np_cset_mark_members(struct np_compiler *, const struct np_cset *);
void np_cset_add_conj(struct np_cset *, struct np_conj *);
void np_cset_remove_conj(struct np_cset *, struct np_conj *);
struct np_by_set *np_by_set(struct np_compiler *, uint32_t set_id);
/* The set's key, or what a narrower one has instead. */
const char *np_cset_key(const struct np_cset *);
static inline struct np_cset *
np_cset(const struct np_compiler *c, uint32_t id)
{
    return c->csets.v[id];
}

/* named.c */
void np_named_add(struct np_compiler *, struct np_use *,
                  struct np_cset *server);
void np_named_remove(struct np_compiler *, struct np_use *,
                     struct np_cset *server);
/* Adds to SETS, which are a point's of POD, the narrower ones. */
void np_named_resolve(struct np_compiler *, const struct np_pod *pod,
                      struct np_idset *sets);
void np_named_drop_port(struct np_compiler *, struct np_cset *);
void np_named_destroy_all(struct np_compiler *);

/* space.c */
struct np_space *np_space_create(void);
/* Not the points. */
void np_space_destroy(struct np_space *);
size_t np_space_count(const struct np_space *);
struct np_point *np_space_get(const struct np_space *,
                              const struct np_prefix *);
/* Adds POINT, where none is. */
void np_space_add(struct np_space *, struct np_point *);
void np_space_remove(struct np_space *, struct np_point *);
/* The longest point around it, itself excluded, or NULL. */
struct np_point *np_space_around(const struct np_space *,
                                 const struct np_prefix *);
/* Calls CB for all points inside WITHIN, itself included.  Where it returns
 * false, nothing inside that point is visited, unless the point is so small
 * that all addresses inside have the same neighbours, 256, as some outside. */
typedef bool np_space_cb(struct np_point *, void *aux);
void np_space_for_each(const struct np_space *, const struct np_prefix *within,
                       np_space_cb *, void *aux);

/* point.c */
struct np_point *np_point_at(struct np_compiler *, const struct np_prefix *);
struct np_point *np_point_find(const struct np_compiler *,
                               const struct np_prefix *);
void np_point_mark(struct np_compiler *, struct np_point *);
void np_point_claim(struct np_compiler *, const struct np_prefix *,
                    struct np_entry *);
void np_point_unclaim(struct np_compiler *, const struct np_prefix *,
                      struct np_entry *);
void np_point_set_node(struct np_compiler *, const struct np_prefix *,
                       bool node);
void np_points_add_block(struct np_compiler *, uint32_t id);
void np_points_remove_block(struct np_compiler *, uint32_t id);
/* All points inside, but for the exceptions, are to be judged again. */
void np_points_mark_block(struct np_compiler *, uint32_t id);
/* Is nothing here any more? */
bool np_point_is_void(const struct np_point *);
void np_point_destroy(struct np_point *);
/* The pod that has the address of POINT, of those that claim it, or NULL. */
struct np_entry *np_point_owner(const struct np_compiler *,
                                const struct np_point *);
void np_points_init(struct np_compiler *);
void np_points_destroy(struct np_compiler *);

/* content.c: which flags, and which sets POINT is in.  Of AROUND, the point
 * around it or NULL, this must have been asked before. */
uint32_t np_content(struct np_compiler *, struct np_point *,
                    const struct np_point *around, struct np_idset *sets);

/* identity.c */
void np_identities_apply(struct np_compiler *);
void np_identities_destroy(struct np_compiler *);

/* number.c */
struct np_judged {
    struct np_point *point;
    const struct np_point *around;      /* NULL if there is none, or POINT is
                                         * void. */
    struct np_identity *old, *new;
};
void np_hints_adopt(struct np_compiler *, const struct np_flow_set *);
void np_hints_forget(struct np_compiler *);
/* Gives each identity in FRESH its number, after the points in JUDGED that
 * become theirs. */
void np_numbers_assign(struct np_compiler *, struct np_list *fresh,
                       const struct np_judged *judged, size_t n_judged);

/* conj.c */
void np_conj_add_rule(struct np_compiler *, struct np_use *);
/* One more conjunction of USE, for PORT, a narrower set. */
void np_conj_add_port(struct np_compiler *, struct np_use *,
                      struct np_cset *port);
void np_conj_destroy(struct np_compiler *, struct np_conj *);
/* Without a word to anybody. */
void np_conj_free(struct np_compiler *, struct np_conj *);
/* Identity NUMBER is now in CSET, or no more. */
void np_conjs_number(struct np_compiler *, struct np_cset *, uint32_t number,
                     bool add);
void np_conjs_apply(struct np_compiler *);
struct np_conj *np_conj_find(const struct np_compiler *, uint32_t id);

/* clause.c */
unsigned int np_conj_dimensions(const struct np_conj *);
/* Adds, or takes away, all the flows of CONJ. */
void np_clauses_set(struct np_compiler *, const struct np_conj *, bool add);
void np_clauses_set_identity(struct np_compiler *, const struct np_conj *,
                             bool opener, uint32_t number, bool add);
void np_clauses_flush(struct np_compiler *);
void np_clauses_destroy(struct np_compiler *);

#endif /* compile/stage.h */
