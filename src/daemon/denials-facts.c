/* Who was denied what: the facts, as JSON.
 *
 * The switch knows addresses and ports.  Whose they are, and which policies
 * isolate them, is looked up when somebody asks, so it is what holds then.
 * The words are those of Hubble's flow records. */

#include <config.h>
#include "daemon/denials.h"

#include <netinet/in.h>
#include <stdlib.h>

#include "daemon/netpold.h"
#include "netpol/learned.h"
#include "netpol/observe.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "timeval.h"
#include "util.h"

/* An address that a denial names, and whose it is. */
struct owner {
    struct hmap_node node;      /* In struct report. */
    struct np_prefix addr;
    const struct np_entry *pod; /* NULL: no pod's. */
};

/* The policies that isolate a pod, which is asked for many times. */
struct isolators {
    struct hmap_node node;
    const struct np_entry *pod;
    enum np_direction direction;
    struct json *policies;
};

struct report {
    const struct np_daemon *d;
    struct hmap owners;
    struct hmap isolators;
};

static struct owner *
find_owner(const struct report *r, const struct np_prefix *addr)
{
    struct owner *owner;

    HMAP_FOR_EACH_WITH_HASH (owner, node, np_prefix_hash(addr, 0),
                             &r->owners) {
        if (np_prefix_equal(&owner->addr, addr)) {
            return owner;
        }
    }
    return NULL;
}

static void
want_owner(struct report *r, const struct np_prefix *addr)
{
    if (addr->family && !find_owner(r, addr)) {
        struct owner *owner = xzalloc(sizeof *owner);

        owner->addr = *addr;
        hmap_insert(&r->owners, &owner->node, np_prefix_hash(addr, 0));
    }
}

static void
found_pod(struct report *r, const struct np_entry *pod,
          const struct np_prefix *addrs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct owner *owner = find_owner(r, &addrs[i]);

        if (owner && !owner->pod) {
            owner->pod = pod;
        }
    }
}

/* A pod of this node has what its port's row says; of the others it is known
 * from their objects. */
static void
find_owners(struct report *r)
{
    const struct np_engine *engine = &r->d->engine;
    const struct np_entry *entry;

    for (size_t i = 0; i < engine->binding.n_locals; i++) {
        const struct np_local *local = engine->binding.locals[i];

        found_pod(r, local->entry, local->addrs, local->n_addrs);
    }
    HMAP_FOR_EACH (entry, key_node, &engine->cache.by_key) {
        if (entry->object && entry->object->kind == NP_POD
            && np_pod_counts(np_entry_pod(entry))
            && !np_entry_pod(entry)->host_network) {
            found_pod(r, entry, np_entry_pod(entry)->addrs,
                      np_entry_pod(entry)->n_addrs);
        }
    }
}

static const struct np_entry *
pod_at(const struct report *r, const struct np_prefix *addr)
{
    const struct owner *owner = find_owner(r, addr);

    return owner ? owner->pod : NULL;
}

static const struct np_entry *
pod_of_port(const struct report *r, uint32_t ofport)
{
    const struct np_binding *b = &r->d->engine.binding;

    for (size_t i = 0; i < b->n_locals; i++) {
        if (b->locals[i]->port->ofport == ofport) {
            return b->locals[i]->entry;
        }
    }
    return NULL;
}

static struct json *
create_policies(const struct report *r, const struct np_entry *pod,
                enum np_direction direction)
{
    const struct np_policies *policies = &r->d->engine.policies;
    const struct np_policy **v = np_policies_sort(policies);
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < hmap_count(&policies->by_entry); i++) {
        if (v[i]->isolates[direction] && pod && pod->profile
            && np_idset_contains(&pod->profile->groups,
                                 v[i]->applied->groups[0]->id)) {
            const struct np_meta *object = v[i]->entry->object;
            struct json *o = json_object_create();

            json_object_put_string(o, "kind", "NetworkPolicy");
            json_object_put_string(o, "namespace", object->namespace);
            json_object_put_string(o, "name", object->name);
            json_array_add(array, o);
        }
    }
    free(v);
    return array;
}

/* A copy; to be destroyed. */
static struct json *
policies_of(struct report *r, const struct np_entry *pod,
            enum np_direction direction)
{
    uint32_t hash = hash_pointer(pod, direction);
    struct isolators *i;

    HMAP_FOR_EACH_WITH_HASH (i, node, hash, &r->isolators) {
        if (i->pod == pod && i->direction == direction) {
            return json_clone(i->policies);
        }
    }
    i = xmalloc(sizeof *i);
    i->pod = pod;
    i->direction = direction;
    i->policies = create_policies(r, pod, direction);
    hmap_insert(&r->isolators, &i->node, hash);
    return json_clone(i->policies);
}

static void
put_addr(struct json *o, const char *name, const struct np_prefix *addr)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    np_prefix_format(addr, &s);
    json_object_put_string(o, name, ds_cstr(&s));
    ds_destroy(&s);
}

static void
put_time(struct json *o, const char *name, long long int when)
{
    char *s = xastrftime_msec("%Y-%m-%dT%H:%M:%SZ", when, true);

    json_object_put_string(o, name, s);
    free(s);
}

/* Null for what is no pod's. */
static void
put_pod(struct json *o, const char *name, const struct np_entry *pod)
{
    struct json *end = json_null_create();

    if (pod) {
        json_destroy(end);
        end = json_object_create();
        json_object_put_string(end, "namespace", pod->object->namespace);
        json_object_put_string(end, "pod_name", pod->object->name);
    }
    json_object_put(o, name, end);
}

static void
put_counts(struct json *o, const struct np_denial *denial)
{
    json_object_put(o, "count", json_integer_create(denial->n_packets));
    put_time(o, "first_seen", denial->first);
    put_time(o, "last_seen", denial->last);
}

static struct json *
create_l4(const struct np_denial *denial)
{
    static const struct { uint8_t proto; const char *name; } known[] = {
        { IPPROTO_TCP, "TCP" }, { IPPROTO_UDP, "UDP" },
        { IPPROTO_SCTP, "SCTP" }, { IPPROTO_ICMP, "ICMPv4" },
        { IPPROTO_ICMPV6, "ICMPv6" },
    };
    struct json *fields = json_object_create();
    char number[] = "255";
    const char *name = number;

    snprintf(number, sizeof number, "%d", denial->proto);
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (known[i].proto == denial->proto) {
            name = known[i].name;
        }
    }
    if (denial->proto == IPPROTO_ICMP || denial->proto == IPPROTO_ICMPV6) {
        json_object_put(fields, "type",
                        json_integer_create(denial->port >> 8));
        json_object_put(fields, "code",
                        json_integer_create(denial->port & 0xff));
    } else if (name != number) {
        json_object_put(fields, denial->reply ? "source_port"
                        : "destination_port",
                        json_integer_create(denial->port));
    }

    struct json *l4 = json_object_create();
    json_object_put(l4, name, fields);
    return l4;
}

static struct json *
create_denial(struct report *r, const struct np_denial *denial)
{
    bool egress = denial->reason == NP_DENY_EGRESS;
    const struct np_entry *src = pod_at(r, &denial->src);
    const struct np_entry *dst = pod_at(r, &denial->dst);
    struct json *ip = json_object_create();
    struct json *o = json_object_create();

    json_object_put_string(o, "verdict", "DROPPED");
    json_object_put_string(o, "drop_reason_desc", "POLICY_DENIED");
    put_addr(ip, "source", &denial->src);
    put_addr(ip, "destination", &denial->dst);
    json_object_put_string(ip, "ipVersion",
                           denial->src.family == 4 ? "IPv4" : "IPv6");
    json_object_put(o, "IP", ip);
    json_object_put(o, "l4", create_l4(denial));
    put_pod(o, "source", src);
    put_pod(o, "destination", dst);
    json_object_put_string(o, "traffic_direction",
                           egress ? "EGRESS" : "INGRESS");
    json_object_put(o, "is_reply", json_boolean_create(denial->reply));
    /* The opener's pod is isolated for egress, the server's for ingress. */
    json_object_put(o, egress ? "egress_denied_by" : "ingress_denied_by",
                    policies_of(r, egress == denial->reply ? dst : src,
                                egress ? NP_EGRESS : NP_INGRESS));
    put_counts(o, denial);
    return o;
}

static struct json *
create_overflow(const struct report *r, const struct np_denial *denial)
{
    struct json *o = json_object_create();

    if (denial->dst.family) {
        put_addr(o, "destination_ip", &denial->dst);
        put_pod(o, "destination", pod_at(r, &denial->dst));
    } else {
        json_object_put(o, "in_port", json_integer_create(denial->in_port));
        put_pod(o, "source", pod_of_port(r, denial->in_port));
    }
    put_counts(o, denial);
    return o;
}

static struct json *
create_packets(const struct np_denials *book)
{
    struct json *o = json_object_create();

    json_object_put(o, "egress", json_integer_create(
                        np_denials_total(book, NP_DENY_EGRESS)));
    json_object_put(o, "ingress", json_integer_create(
                        np_denials_total(book, NP_DENY_INGRESS)));
    json_object_put(o, "overflow", json_integer_create(
                        np_denials_overflowed(book)));
    json_object_put(o, "forgotten", json_integer_create(
                        np_denials_forgotten(book)));
    return o;
}

static void
report_destroy(struct report *r)
{
    struct isolators *i;
    struct owner *owner;

    HMAP_FOR_EACH_POP (i, node, &r->isolators) {
        json_destroy(i->policies);
        free(i);
    }
    HMAP_FOR_EACH_POP (owner, node, &r->owners) {
        free(owner);
    }
    hmap_destroy(&r->isolators);
    hmap_destroy(&r->owners);
}

struct json *
np_denials_create_facts(const struct np_daemon *d)
{
    const struct np_denials *book = d->denials.book;
    struct json *denials = json_array_create_empty();
    struct json *overflows = json_array_create_empty();
    struct json *o = json_object_create();
    struct report r = { .d = d };
    size_t n;
    struct np_denial *v = np_denials_sort(book, &n);

    hmap_init(&r.owners);
    hmap_init(&r.isolators);
    for (size_t i = 0; i < n; i++) {
        want_owner(&r, &v[i].src);
        want_owner(&r, &v[i].dst);
    }
    find_owners(&r);
    for (size_t i = 0; i < n; i++) {
        if (v[i].reason) {
            json_array_add(denials, create_denial(&r, &v[i]));
        } else {
            json_array_add(overflows, create_overflow(&r, &v[i]));
        }
    }
    free(v);
    report_destroy(&r);
    json_object_put(o, "connected", json_boolean_create(
                        np_learned_is_connected(d->denials.learned)));
    json_object_put(o, "as_of", json_null_create());
    if (d->denials.as_of) {
        put_time(o, "as_of", d->denials.as_of);
    }
    json_object_put(o, "packets", create_packets(book));
    json_object_put(o, "denials", denials);
    json_object_put(o, "overflows", overflows);
    return o;
}
