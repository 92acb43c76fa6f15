#ifndef NETPOL_OBJECT_H
#define NETPOL_OBJECT_H 1

/* Kubernetes objects as values: what the decoder read, nothing added.
 *
 * A field that the API lets a user leave out stays visibly absent here
 * ('has_…', an empty list); its default is applied by whoever gives it a
 * meaning.  Objects never change after they were made: a change is a new
 * object.  Each owns all that its pointers reach, or has a share in it:
 * namespace, file, labels, node name and container ports are values of
 * netpol/pool.h, which objects of one pool share. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "netpol/addr.h"

struct ds;
struct np_pool;

/* Labels and label selectors (metav1.LabelSelector). */

struct np_label {
    const char *key;
    const char *value;
};

/* Sorted by key, keys are unique. */
struct np_labels {
    const struct np_label *v;
    size_t n;
};

enum np_operator { NP_IN, NP_NOT_IN, NP_EXISTS, NP_DOES_NOT_EXIST };

struct np_requirement {
    char *key;
    enum np_operator op;
    char **values;              /* Sorted, unique. */
    size_t n_values;
};

/* All requirements must hold; none is "everything".  A matchLabels entry is
 * an NP_IN with one value.  Sorted canonically and without repetition, so two
 * selectors with the same requirements are equal field by field. */
struct np_selector {
    struct np_requirement *v;
    size_t n;
};

/* What all objects have. */

enum np_kind { NP_POD, NP_NAMESPACE, NP_NODE, NP_NETPOL, NP_N_KINDS };

struct np_meta {
    enum np_kind kind;
    const char *namespace;      /* NULL for Node and Namespace. */
    char *name;
    char *uid;                  /* NULL if the manifest has none. */
    struct np_labels labels;
    const char *file;           /* Where it was read; NULL if not a file. */
    int line;                   /* Of the object's first line there. */
};

/* Every object starts with its meta, so a pointer to np_meta is a pointer to
 * any of them. */

struct np_namespace {
    struct np_meta meta;
};

struct np_node {
    struct np_meta meta;
    struct np_prefix *addrs;    /* status.addresses, InternalIP and
                                 * ExternalIP ones. */
    size_t n_addrs;
};

enum np_proto { NP_TCP = 6, NP_UDP = 17, NP_SCTP = 132 };    /* IANA's. */

struct np_container_port {
    const char *name;           /* NULL if unnamed. */
    bool has_protocol;          /* Absent means TCP. */
    enum np_proto protocol;
    uint16_t port;
};

enum np_phase { NP_PENDING, NP_RUNNING, NP_SUCCEEDED, NP_FAILED, NP_UNKNOWN };

struct np_pod {
    struct np_meta meta;
    bool host_network;
    const char *node_name;      /* NULL if not scheduled. */
    enum np_phase phase;        /* Absent: NP_PENDING. */
    struct np_prefix *addrs;    /* status.podIPs, and status.podIP. */
    size_t n_addrs;
    const struct np_container_port *ports;      /* Of all containers (init
                                 * ones with restartPolicy Always too), in the
                                 * order of the object. */
    size_t n_ports;
};

/* networking.k8s.io/v1 NetworkPolicy. */

struct np_ipblock {
    struct np_prefix cidr;      /* Host bits cleared. */
    struct np_prefix *except;
    size_t n_except;
};

/* NetworkPolicyPeer.  Either 'block' is set, or at least one selector. */
struct np_peer {
    struct np_selector *pods;   /* NULL if absent. */
    struct np_selector *namespaces;     /* NULL if absent. */
    struct np_ipblock *block;   /* NULL if absent. */
    int line;
};

/* NetworkPolicyPort. */
struct np_port {
    bool has_protocol;          /* Absent means TCP. */
    enum np_proto protocol;
    char *name;                 /* Named port, or NULL. */
    bool has_port;              /* Number in 'port'. */
    uint16_t port;
    bool has_end;               /* endPort, with has_port only. */
    uint16_t end;
    int line;
};

/* NetworkPolicyIngressRule or NetworkPolicyEgressRule. */
struct np_netpol_rule {
    struct np_peer *peers;      /* from/to; none means any. */
    size_t n_peers;
    struct np_port *ports;      /* None means any. */
    size_t n_ports;
    int line;
};

enum np_direction { NP_INGRESS, NP_EGRESS };

struct np_netpol {
    struct np_meta meta;
    struct np_selector pods;    /* spec.podSelector. */
    bool types[2];              /* policyTypes names it, by np_direction;
                                 * both false: absent or empty. */
    struct np_netpol_rule *rules[2];    /* By np_direction. */
    size_t n_rules[2];
    bool unreadable;            /* Selects its pods, but the rest of it could
                                 * not be decoded: isolates both directions
                                 * and allows nothing. */
};

/* Operations on the values. */

const char *np_kind_name(enum np_kind);         /* "Pod" */
const char *np_direction_name(enum np_direction);       /* "ingress" */
const char *np_proto_name(enum np_proto);       /* "TCP" */

/* The value of KEY, or NULL. */
const char *np_labels_get(const struct np_labels *, const char *key);
bool np_labels_equal(const struct np_labels *, const struct np_labels *);
void np_labels_clone(struct np_labels *dst, const struct np_labels *src);
void np_labels_destroy(struct np_labels *);
/* Makes the value of the N labels at V, which are sorted; their strings are
 * shares that are taken.  POOL may be NULL. */
struct np_labels np_labels_share(struct np_pool *, const struct np_label *v,
                                 size_t n);
/* The same for the ports of a pod. */
void np_pod_share_ports(struct np_pod *, struct np_pool *,
                        const struct np_container_port *v, size_t n);

bool np_selector_matches(const struct np_selector *,
                         const struct np_labels *);
bool np_selector_equal(const struct np_selector *,
                       const struct np_selector *);
/* Brings the requirements into the canonical order; for decoders. */
void np_selector_sort(struct np_selector *);
/* Appends kubectl's syntax ("app=web,tier in (a,b),!x"), or "<all>". */
void np_selector_format(const struct np_selector *, struct ds *);
void np_selector_clone(struct np_selector *dst, const struct np_selector *src);
void np_selector_destroy(struct np_selector *);

/* Is the pod one that policies select and address?  A hostNetwork pod is its
 * node's address, and the address of a Succeeded or Failed one may be another
 * pod's already. */
bool np_pod_counts(const struct np_pod *);

/* Are the two equal in all that has a meaning to us, whatever file and line
 * they come from? */
bool np_object_equal(const struct np_meta *, const struct np_meta *);
/* Of two that are equal as above, each gets the other's file and lines. */
void np_object_swap_places(struct np_meta *, struct np_meta *);
/* Calls CB with each line number in OBJECT, its own first, in an order in
 * which those of an equal object come as well. */
void np_object_for_each_line(struct np_meta *object,
                             void (*cb)(int *line, void *aux), void *aux);
/* By kind, namespace and name: less than, equal to or greater than 0. */
int np_object_compare_keys(const struct np_meta *, const struct np_meta *);
/* Appends "ns/name", or "name" for what has no namespace. */
void np_object_format_key(const struct np_meta *, struct ds *);
/* Frees any object, its struct included.  NULL is allowed. */
void np_object_destroy(struct np_meta *);

#endif /* netpol/object.h */
