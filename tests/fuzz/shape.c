#include <config.h>
#include <string.h>
#include "fuzz/shape.h"
#include "util.h"

typedef void put_func(struct shape *);

/* An input that has ended goes on with zeros, which end everything. */
static uint8_t
take(struct shape *sh)
{
    return sh->p < sh->end ? *sh->p++ : 0;
}

/* C as Latin-1. */
static void
put_char(struct shape *sh, uint8_t c)
{
    if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') {
        ds_put_format(&sh->text, "\\u%04x", c);
    } else {
        ds_put_char(&sh->text, c);
    }
}

/* One of WORDS, one of them many times over, or any bytes but NUL. */
static void
put_word(struct shape *sh, const char *const words[], size_t n)
{
    uint8_t choice = take(sh);
    const char *word = words[choice % n];

    ds_put_char(&sh->text, '"');
    if (choice < 0xe0) {
        ds_put_cstr(&sh->text, word);
    } else if (choice < 0xf0) {
        /* YAML's keys end at 1024 bytes. */
        for (int i = take(sh) % 35; i > 0; i--) {
            ds_put_cstr(&sh->text, word);
        }
    } else {
        for (int i = take(sh) % 70; i > 0; i--) {
            uint8_t c = take(sh);

            put_char(sh, c ? c : 'a');
        }
    }
    ds_put_char(&sh->text, '"');
}

#define DEFINE_WORDS(NAME, ...)                                     \
    static void                                                     \
    NAME(struct shape *sh)                                          \
    {                                                               \
        static const char *const words[] = { __VA_ARGS__ };         \
                                                                    \
        put_word(sh, words, ARRAY_SIZE(words));                     \
    }

DEFINE_WORDS(put_name, "p", "a", "b", "x", "y", "node", "default", "A", "-",
             "a.b", "")
DEFINE_WORDS(put_uid, "u1", "u2", "")
DEFINE_WORDS(put_key, "app", "tier", "x.io/app", "/app", "app/",
             "kubernetes.io/metadata.name", "a_b", "")
DEFINE_WORDS(put_label, "web", "db", "", "-", "a", "b", "W.e_b")
DEFINE_WORDS(put_operator, "In", "NotIn", "Exists", "DoesNotExist", "in", "")
DEFINE_WORDS(put_address, "10.0.0.1", "10.0.0.2", "10.0.0.9", "fd00::1",
             "fe80::858:ff:fe00:1", "0.0.0.0", "224.0.0.1", "127.0.0.1",
             "::ffff:10.0.0.1", "010.0.0.1", "255.255.255.255", "ff02::1",
             "fd00::1%eth0", "")
DEFINE_WORDS(put_cidr, "0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24",
             "10.0.0.1/32", "10.0.0.9/30", "::/0", "fd00::/8", "fd00::1/128",
             "128.0.0.0/1", "255.255.255.255/32", "224.0.0.0/4", "10.0.0.1",
             "10.0.0.0/33", "::ffff:0:0/96", "ff00::/8", "fe80::/10")
DEFINE_WORDS(put_port_name, "http", "dns", "metrics", "--", "80",
             "sixteen-letters-", "")
DEFINE_WORDS(put_protocol, "TCP", "UDP", "SCTP", "tcp", "ICMP", "")
DEFINE_WORDS(put_phase, "Running", "Pending", "Succeeded", "Failed",
             "Unknown", "Evicted", "")
DEFINE_WORDS(put_type, "InternalIP", "ExternalIP", "Hostname", "")
DEFINE_WORDS(put_direction, "Ingress", "Egress", "ingress", "")
DEFINE_WORDS(put_restart, "Always", "Never", "")

static void
put_number(struct shape *sh)
{
    static const int64_t edges[] = {
        80, 443, 53, 1, 65535, 8080, 32768, 0, -1, 65536, INT64_MAX, INT64_MIN,
    };
    uint8_t choice = take(sh);
    int64_t number = edges[choice % ARRAY_SIZE(edges)];

    if (choice >= 0x80) {
        number = take(sh);
        number = number << 8 | take(sh);
    }
    ds_put_format(&sh->text, "%lld", (long long int) number);
}

static void
put_bool(struct shape *sh)
{
    ds_put_cstr(&sh->text, take(sh) & 1 ? "true" : "false");
}

/* Something else than what belongs there. */
static void
put_other(struct shape *sh)
{
    static const char *const others[] = {
        "null", "true", "1", "0.5", "-1e3", "\"\"", "[]", "{}", "[null]",
        "{\"\":null}", "[[{}]]", "\"null\"", "1.0", "80.0",
    };

    ds_put_cstr(&sh->text, others[take(sh) % ARRAY_SIZE(others)]);
}

static void
put_value(struct shape *sh, put_func *put)
{
    if (take(sh) < 0xf8) {
        put(sh);
    } else {
        put_other(sh);
    }
}

/* A list of values of PUT, of a few items or none. */
static void
put_list(struct shape *sh, put_func *put)
{
    int n = take(sh) % 5;

    ds_put_char(&sh->text, '[');
    for (int i = 0; i < n; i++) {
        if (i) {
            ds_put_char(&sh->text, ',');
        }
        put_value(sh, put);
    }
    ds_put_char(&sh->text, ']');
}

struct field {
    const char *key;
    put_func *put;
    bool list;
};

/* An object of some of N fields. */
static void
put_fields(struct shape *sh, const struct field *fields, size_t n)
{
    unsigned int chosen = take(sh);
    bool first = true;

    ds_put_char(&sh->text, '{');
    for (size_t i = 0; i < n; i++) {
        if (!(chosen >> i & 1)) {
            continue;
        }
        ds_put_format(&sh->text, "%s\"%s\":", first ? "" : ",",
                      fields[i].key);
        first = false;
        if (fields[i].list) {
            put_list(sh, fields[i].put);
        } else {
            put_value(sh, fields[i].put);
        }
    }
    ds_put_char(&sh->text, '}');
}

#define DEFINE_FIELDS(NAME, ...)                                    \
    static void                                                     \
    NAME(struct shape *sh)                                          \
    {                                                               \
        static const struct field fields[] = { __VA_ARGS__ };       \
                                                                    \
        put_fields(sh, fields, ARRAY_SIZE(fields));                 \
    }

/* A map of labels; the same key twice is an error, and worth a few tries. */
static void
put_labels(struct shape *sh)
{
    int n = take(sh) % 4;

    ds_put_char(&sh->text, '{');
    for (int i = 0; i < n; i++) {
        if (i) {
            ds_put_char(&sh->text, ',');
        }
        put_key(sh);
        ds_put_char(&sh->text, ':');
        put_value(sh, put_label);
    }
    ds_put_char(&sh->text, '}');
}

/* Nobody reads these, so a key that is there twice is nobody's concern in
 * YAML, though it is in JSON. */
static void
put_annotations(struct shape *sh)
{
    ds_put_char(&sh->text, '{');
    put_key(sh);
    ds_put_cstr(&sh->text, ":\"x\"}");
}

DEFINE_FIELDS(put_meta, { "name", put_name }, { "namespace", put_name },
              { "labels", put_labels }, { "uid", put_uid },
              { "annotations", put_annotations })
DEFINE_FIELDS(put_requirement, { "key", put_key },
              { "operator", put_operator }, { "values", put_label, true })
DEFINE_FIELDS(put_selector, { "matchLabels", put_labels },
              { "matchExpressions", put_requirement, true },
              { "x", put_bool })
DEFINE_FIELDS(put_block, { "cidr", put_cidr }, { "except", put_cidr, true })
DEFINE_FIELDS(put_peer, { "podSelector", put_selector },
              { "namespaceSelector", put_selector }, { "ipBlock", put_block },
              { "x", put_bool })
DEFINE_FIELDS(put_port, { "port", put_number }, { "protocol", put_protocol },
              { "endPort", put_number }, { "x", put_bool })
DEFINE_FIELDS(put_named_port, { "port", put_port_name },
              { "protocol", put_protocol }, { "endPort", put_number })

static void
put_any_port(struct shape *sh)
{
    if (take(sh) & 1) {
        put_named_port(sh);
    } else {
        put_port(sh);
    }
}

DEFINE_FIELDS(put_ingress, { "from", put_peer, true },
              { "ports", put_any_port, true }, { "x", put_bool })
DEFINE_FIELDS(put_egress, { "to", put_peer, true },
              { "ports", put_any_port, true }, { "x", put_bool })
DEFINE_FIELDS(put_spec, { "podSelector", put_selector },
              { "ingress", put_ingress, true },
              { "egress", put_egress, true },
              { "policyTypes", put_direction, true }, { "x", put_bool })
DEFINE_FIELDS(put_container_port, { "containerPort", put_number },
              { "name", put_port_name }, { "protocol", put_protocol },
              { "hostPort", put_number })
DEFINE_FIELDS(put_container, { "ports", put_container_port, true },
              { "restartPolicy", put_restart }, { "name", put_name })
DEFINE_FIELDS(put_pod_spec, { "nodeName", put_name },
              { "hostNetwork", put_bool },
              { "containers", put_container, true },
              { "initContainers", put_container, true },
              { "volumes", put_name, true })
DEFINE_FIELDS(put_ip, { "ip", put_address })
DEFINE_FIELDS(put_pod_status, { "phase", put_phase },
              { "podIP", put_address }, { "podIPs", put_ip, true },
              { "hostIP", put_address })
DEFINE_FIELDS(put_node_address, { "type", put_type },
              { "address", put_address })
DEFINE_FIELDS(put_node_status, { "addresses", put_node_address, true },
              { "phase", put_phase })

/* The whole of an object: its names often as they are expected. */
static void
put_object(struct shape *sh, const char *api_version, const char *kind,
           const struct field *fields, size_t n)
{
    uint8_t choice = take(sh);

    ds_put_format(&sh->text, "{\"apiVersion\":\"%s\",\"kind\":\"%s\","
                  "\"metadata\":", api_version, kind);
    if (choice & 1) {
        put_value(sh, put_meta);
    } else {
        ds_put_cstr(&sh->text, "{\"namespace\":\"a\",\"name\":\"x\","
                    "\"labels\":");
        put_labels(sh);
        ds_put_char(&sh->text, '}');
    }
    for (size_t i = 0; i < n; i++) {
        ds_put_format(&sh->text, ",\"%s\":", fields[i].key);
        put_value(sh, fields[i].put);
    }
    ds_put_char(&sh->text, '}');
}

void
shape_pod(struct shape *sh)
{
    static const struct field fields[] = {
        { "spec", put_pod_spec }, { "status", put_pod_status },
    };

    put_object(sh, "v1", "Pod", fields, ARRAY_SIZE(fields));
}

void
shape_namespace(struct shape *sh)
{
    put_object(sh, "v1", "Namespace", NULL, 0);
}

void
shape_node(struct shape *sh)
{
    static const struct field fields[] = { { "status", put_node_status } };

    put_object(sh, "v1", "Node", fields, ARRAY_SIZE(fields));
}

void
shape_netpol(struct shape *sh)
{
    static const struct field fields[] = { { "spec", put_spec } };

    put_object(sh, "networking.k8s.io/v1", "NetworkPolicy", fields,
               ARRAY_SIZE(fields));
}

void
shape_run(const uint8_t *data, size_t size, const char *cluster,
          void (*put)(struct shape *))
{
    struct shape sh = { .p = data, .end = data + size };

    ds_init(&sh.text);
    put(&sh);
    fuzz_json_as_yaml(ds_cstr(&sh.text), sh.text.length, true);
    ds_put_cstr(&sh.text, cluster);
    fuzz_manifest_text(ds_cstr(&sh.text), sh.text.length);
    ds_destroy(&sh.text);
}
