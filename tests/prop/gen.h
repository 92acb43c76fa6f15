#ifndef TESTS_PROP_GEN_H
#define TESTS_PROP_GEN_H 1

/* Random clusters, as parts that can be taken away one by one.
 *
 * Everything is text: what a part says is what stands in the YAML, so a
 * cluster that makes a test fail is printed as it was read. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netpol/addr.h"

struct ds;

/* Anything that a smaller cluster could do without. */
struct np_gen_part {
    bool gone;
    char *text;
};

struct np_gen_list {
    struct np_gen_part *v;
    size_t n;
};

struct np_gen_rule {
    struct np_gen_part self;
    struct np_gen_list peers;
    struct np_gen_list ports;
};

struct np_gen_policy {
    struct np_gen_part self;    /* metadata and podSelector. */
    const char *types;          /* A line, or "". */
    struct np_gen_rule *rules[2];       /* By np_direction. */
    size_t n_rules[2];
};

struct np_gen_pod {
    struct np_gen_part self;    /* The object. */
    bool local;                 /* On this node, at port 'ofport'. */
    uint32_t ofport;
    char *key;                  /* "ns/name". */
    char *addrs;                /* "10.0.0.1,fd00::1". */
};

struct np_gen {
    uint32_t seed;
    struct np_gen_list namespaces;
    struct np_gen_pod *pods;
    size_t n_pods;
    struct np_gen_policy *policies;
    size_t n_policies;
    bool restless;
    char *node_addrs;           /* As 'addrs' of a pod. */
    char *port_addrs;           /* Of the node's own port, or "-". */
    uint32_t state;             /* Of the random numbers. */
};

/* How large a cluster may get. */
struct np_gen_size {
    uint32_t pods, policies, local;
    /* One moment of a cluster where much happens: pods have UIDs and all
     * phases, share addresses with each other and with the node; ports claim
     * what is another's; names of rules have equal hashes.  The pods and
     * policies of two such clusters have mostly the same names. */
    bool restless;
};

void np_gen_init(struct np_gen *, uint32_t seed, const struct np_gen_size *);
void np_gen_destroy(struct np_gen *);
uint32_t np_gen_random(struct np_gen *);
uint32_t np_gen_below(struct np_gen *, uint32_t n);

/* The manifest, and the ports as the compiler's fixture reads them. */
void np_gen_yaml(const struct np_gen *, struct ds *);
void np_gen_ports(const struct np_gen *, struct ds *);

/* All parts, the large before the small; to be freed. */
struct np_gen_part **np_gen_parts(struct np_gen *, size_t *n);

#define NP_GEN_NODE_V4 "192.0.2.1"
#define NP_GEN_NODE_V6 "2001:db8:2::1"

#endif /* tests/prop/gen.h */
