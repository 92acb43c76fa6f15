/* Documents: which kind is it, what is its name, and lists of others.
 *
 * A document is an object or a list of objects.  What kubectl(1) writes as
 * "kind: List" has whole objects as items; what the API server itself answers,
 * "kind: PodList", has items without apiVersion and kind, and as YAML the
 * list's own kind comes after its items, because the keys are sorted.  So
 * items that cannot be decoded yet wait until the document ends. */

#include <config.h>
#include "validate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(np_document);

struct kind_class {
    const char *name;
    const char *group;          /* "" is the core group. */
    const char *version;
    enum np_kind kind;
    bool namespaced;
    enum np_name_rule name_rule;
    size_t size;
};

static const struct kind_class kinds[] = {
    { "Pod", "", "v1", NP_POD, true, NP_DNS_SUBDOMAIN,
      sizeof(struct np_pod) },
    { "Namespace", "", "v1", NP_NAMESPACE, false, NP_DNS_LABEL,
      sizeof(struct np_namespace) },
    { "Node", "", "v1", NP_NODE, false, NP_DNS_SUBDOMAIN,
      sizeof(struct np_node) },
    { "NetworkPolicy", "networking.k8s.io", "v1", NP_NETPOL, true,
      NP_DNS_SUBDOMAIN, sizeof(struct np_netpol) },
    /* Where it was before, and where people look for it.  Nobody serves these,
     * and to skip a policy in silence would be worse than to refuse it. */
    { "NetworkPolicy", "extensions", NULL, NP_NETPOL, true, NP_DNS_SUBDOMAIN,
      0 },
    { "NetworkPolicy", "", NULL, NP_NETPOL, true, NP_DNS_SUBDOMAIN, 0 },
    { "NetworkPolicy", "networking", NULL, NP_NETPOL, true, NP_DNS_SUBDOMAIN,
      0 },
};

/* The class of KIND in the group of API_VERSION, or NULL.  "networkpolicy" is
 * no kind, but it is clear which was meant. */
static const struct kind_class *
find_kind(const char *api_version, const char *kind, bool *served)
{
    const char *slash = strchr(api_version, '/');
    size_t group_len = slash ? slash - api_version : 0;
    const char *version = slash ? slash + 1 : api_version;

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct kind_class *k = &kinds[i];

        if (!strcasecmp(k->name, kind) && strlen(k->group) == group_len
            && !memcmp(k->group, api_version, group_len)) {
            *served = (k->version && !strcmp(k->version, version)
                       && !strcmp(k->name, kind));
            return k;
        }
    }
    return NULL;
}

/* The namespace of an object without one is kubectl's choice when it applies a
 * file, "default"; it is no default of a field of the API. */
static void
decode_names(struct np_decoder *dec, const struct kind_class *k,
             const struct tree_node *map, int line, struct np_meta *meta)
{
    struct np_path path = np_path_field(NULL, "metadata");
    struct np_path name_path = np_path_field(&path, "name");
    struct np_path ns_path = np_path_field(&path, "namespace");
    const struct tree_node *name = np_decode_string(dec, map, "name", &path);

    if (name && *name->string) {
        meta->name = xstrdup(name->string);
        np_validate_name(dec, name->line, &name_path, meta->name,
                         k->name_rule);
    } else if (name || !np_tree_get(map, "name")) {
        /* The server would make up another name each time. */
        np_decode_error(dec, name ? name->line : line, &name_path,
                        np_tree_get(map, "generateName")
                        ? "Required value: what is applied again and again "
                        "needs a name, not generateName"
                        : "Required value: name or generateName is required");
    }
    if (k->namespaced) {
        const struct tree_node *ns = np_decode_string(dec, map, "namespace",
                                                      &path);

        meta->namespace = np_pool_string(dec->m->pool, ns && *ns->string
                                         ? ns->string : "default");
        if (ns && *ns->string) {
            np_validate_name(dec, ns->line, &ns_path, ns->string,
                             NP_DNS_LABEL);
        }
    }
}

static struct np_label
share_label(struct np_pool *pool, const char *key, const char *value)
{
    return (struct np_label) {
        np_pool_string(pool, key), np_pool_string(pool, value)
    };
}

/* Every namespace has its name as a label.  The API server sets it whatever
 * the manifest says, so a manifest that says otherwise cannot lay a false
 * trail. */
static void
set_name_label(struct np_pool *pool, struct np_meta *meta)
{
    static const char key[] = "kubernetes.io/metadata.name";
    const struct np_labels *old = &meta->labels;
    struct np_label *v = xcalloc(old->n + 1, sizeof *v);
    size_t n = 0;
    size_t i = 0;

    for (; i < old->n && strcmp(old->v[i].key, key) < 0; i++) {
        v[n++] = share_label(pool, old->v[i].key, old->v[i].value);
    }
    v[n++] = share_label(pool, key, meta->name);
    i += i < old->n && !strcmp(old->v[i].key, key);
    for (; i < old->n; i++) {
        v[n++] = share_label(pool, old->v[i].key, old->v[i].value);
    }
    np_labels_destroy(&meta->labels);
    meta->labels = np_labels_share(pool, v, n);
    free(v);
}

static void
decode_meta(struct np_decoder *dec, const struct kind_class *k,
            const struct tree_node *root, struct np_meta *meta)
{
    static const char *const known[] = {
        "name", "namespace", "labels", "annotations", "uid", "generateName",
        "clusterName", NULL
    };
    const struct tree_node *map = np_decode_map(dec, root, "metadata", NULL);
    struct np_path path = np_path_field(NULL, "metadata");
    struct tree_node empty = np_tree_scalar(TREE_MAP, root->line);
    const struct tree_node *uid;

    meta->kind = k->kind;
    meta->file = np_pool_string(dec->m->pool, dec->file);
    meta->line = root->line;
    if (!map) {
        if (np_tree_get(root, "metadata")) {
            return;             /* Of a wrong type; said so. */
        }
        map = &empty;
    }
    np_decode_unknown(dec, map, &path, known);
    decode_names(dec, k, map, map->line, meta);
    np_decode_labels(dec, map, &path, &meta->labels);
    uid = np_decode_string(dec, map, "uid", &path);
    if (uid && *uid->string) {
        meta->uid = xstrdup(uid->string);
    }
}

static void
decode_body(struct np_decoder *dec, const struct tree_node *root,
            struct np_meta *meta)
{
    switch (meta->kind) {
    case NP_POD:
        np_decode_pod(dec, root, (struct np_pod *) meta);
        return;
    case NP_NODE:
        np_decode_node(dec, root, (struct np_node *) meta);
        return;
    case NP_NETPOL:
        np_decode_netpol(dec, root, (struct np_netpol *) meta);
        return;
    case NP_NAMESPACE:
        if (meta->name) {
            set_name_label(dec->m->pool, meta);
        }
        return;
    case NP_N_KINDS:
        break;
    }
    OVS_NOT_REACHED();
}

static void
add_object(struct np_manifest *m, struct np_meta *meta)
{
    if (m->n >= m->allocated) {
        m->objects = x2nrealloc(m->objects, &m->allocated,
                                sizeof *m->objects);
    }
    m->objects[m->n++] = meta;
}

/* "Kind ns/name", owned by the caller. */
static char *
object_name(const struct np_meta *meta)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s ", np_kind_name(meta->kind));
    if (meta->name) {
        np_object_format_key(meta, &s);
    } else {
        ds_put_cstr(&s, "without a name");
    }
    return ds_steal_cstr(&s);
}

/* Takes META. */
static void
refuse_object(struct np_manifest *m, struct np_meta *meta)
{
    if (meta->name) {
        m->refused = xrealloc(m->refused,
                              (m->n_refused + 1) * sizeof *m->refused);
        m->refused[m->n_refused++] = object_name(meta);
    } else {
        m->unparsable = true;
    }
    np_object_destroy(meta);
}

/* META was decoded; of its errors and warnings, these are the indexes of the
 * first.  Takes it. */
static void
finish_object(struct np_decoder *dec, struct np_meta *meta, bool good,
              size_t first_error, size_t first_warning)
{
    struct np_manifest *m = dec->m;

    if (m->errors.n > first_error || m->warnings.n > first_warning) {
        char *name = object_name(meta);

        np_errors_set_object(&m->errors, first_error, name);
        np_errors_set_object(&m->warnings, first_warning, name);
        free(name);
    }
    if (good) {
        add_object(m, meta);
    } else {
        refuse_object(m, meta);
    }
}

/* Nobody serves KIND in VERSION.  It is decoded only to know its name: it may
 * be an object whose last good form is in force. */
static struct np_meta *
decode_unserved(struct np_decoder *dec, const struct kind_class *k,
                const struct tree_node *root, const char *version,
                const char *kind)
{
    const struct tree_node *node = np_tree_get(root, "apiVersion");
    struct np_path path = np_path_field(NULL, "apiVersion");
    struct np_meta *meta = xzalloc(MAX(k->size, sizeof(struct np_netpol)));

    decode_meta(dec, k, root, meta);
    np_decode_error(dec, node ? node->line : root->line, &path,
                    "no matches for kind \"%.64s\" in version \"%.64s\"",
                    kind, version);
    return meta;
}

static struct np_meta *
decode_served(struct np_decoder *dec, const struct kind_class *k,
              const struct tree_node *root)
{
    struct np_meta *meta = xzalloc(k->size);

    decode_meta(dec, k, root, meta);
    decode_body(dec, root, meta);
    return meta;
}

static bool
is_list_kind(const char *kind)
{
    size_t n = strlen(kind);

    return n >= 4 && !strcmp(kind + n - 4, "List");
}

/* What a list says of its items. */
struct item_kind {
    const char *api_version;    /* Both NULL if it is not known. */
    char *kind;
};

static struct item_kind
get_item_kind(const char *api_version, const char *list_kind)
{
    size_t n = strlen(list_kind) - 4;

    return (struct item_kind) {
        n ? api_version : NULL, n ? xmemdup0(list_kind, n) : NULL
    };
}

static void decode_object(struct np_decoder *, const struct tree_node *root,
                          const struct item_kind *);

/* A list inside a list, or one whose items came by a merge. */
static void
decode_list(struct np_decoder *dec, const struct tree_node *root,
            const char *api_version, const char *kind)
{
    const struct tree_node *items = np_decode_list(dec, root, "items", NULL);
    struct item_kind item_kind = get_item_kind(api_version, kind);

    for (size_t i = 0; items && i < items->n; i++) {
        decode_object(dec, &items->list[i], &item_kind);
    }
    free(item_kind.kind);
}

static const char *
string_or(const struct tree_node *node, const char *otherwise)
{
    return node && node->type == TREE_STRING && *node->string
        ? node->string : otherwise;
}

/* Recurses for a list in a list, no deeper than the tree. */
static void
decode_object(struct np_decoder *dec, const struct tree_node *root,
              const struct item_kind *item_kind)
{
    const char *api_version, *kind;
    const struct kind_class *k;
    bool served;

    if (root->type != TREE_MAP) {
        dec->m->unparsable = true;
        np_decode_type_error(dec, root, NULL, "an object");
        return;
    }
    kind = string_or(np_tree_get(root, "kind"), item_kind->kind);
    api_version = string_or(np_tree_get(root, "apiVersion"),
                            item_kind->api_version);
    if (!kind || !api_version) {
        struct np_path path = np_path_field(NULL,
                                            kind ? "apiVersion" : "kind");

        dec->m->unparsable = true;
        np_decode_error(dec, root->line, &path, "Required value: Object '%s' "
                        "is missing", kind ? "apiVersion" : "Kind");
        return;
    }
    k = find_kind(api_version, kind, &served);
    if (k) {
        size_t n_found = dec->n_errors;
        size_t n_errors = dec->m->errors.n;
        size_t n_warnings = dec->m->warnings.n;
        struct np_meta *meta = (served ? decode_served(dec, k, root)
                                : decode_unserved(dec, k, root, api_version,
                                                  kind));

        finish_object(dec, meta, dec->n_errors == n_found, n_errors,
                      n_warnings);
    } else if (is_list_kind(kind)) {
        decode_list(dec, root, api_version, kind);
    } else {
        dec->m->n_skipped++;
        VLOG_DBG("%s:%d: skipped a %.64s of %.64s", dec->file, root->line,
                 kind, api_version);
    }
}

void
np_document_begin(struct np_document *doc, struct np_decoder *dec,
                  struct np_arena *arena, int line)
{
    struct np_manifest *m = dec->m;

    *doc = (struct np_document) {
        .dec = dec, .arena = arena, .line = line,
        .n_objects = m->n, .n_errors = m->errors.n, .n_found = dec->n_errors,
        .n_refused = m->n_refused, .n_skipped = m->n_skipped,
        .n_warnings = m->warnings.n, .n_doubts = dec->n_warnings,
        .unparsable = m->unparsable,
    };
    np_builder_init(&doc->root);
    np_builder_init(&doc->pending);
}

bool
np_document_field(struct np_document *doc, const char *key,
                  const struct tree_node *node)
{
    if (np_builder_has(&doc->root, key)
        || (doc->has_items && !strcmp(key, "items"))) {
        return false;
    }
    np_builder_add(&doc->root, key, node);
    return true;
}

bool
np_document_begin_items(struct np_document *doc)
{
    if (doc->has_items || np_builder_has(&doc->root, "items")) {
        return false;
    }
    doc->has_items = true;
    return true;
}

bool
np_document_item(struct np_document *doc, const struct tree_node *item)
{
    static const struct item_kind unknown = { NULL, NULL };

    if (item->type == TREE_MAP
        && string_or(np_tree_get(item, "kind"), NULL)
        && string_or(np_tree_get(item, "apiVersion"), NULL)) {
        decode_object(doc->dec, item, &unknown);
        return true;
    }
    np_builder_add(&doc->pending, NULL, item);
    return false;
}

/* Takes back all that the document was decoded to. */
static void
undo(struct np_document *doc)
{
    struct np_manifest *m = doc->dec->m;

    while (m->n > doc->n_objects) {
        np_object_destroy(m->objects[--m->n]);
    }
    np_errors_truncate(&m->errors, doc->n_errors);
    np_errors_truncate(&m->warnings, doc->n_warnings);
    doc->dec->n_errors = doc->n_found;
    doc->dec->n_warnings = doc->n_doubts;
    while (m->n_refused > doc->n_refused) {
        free(m->refused[--m->n_refused]);
    }
    m->n_skipped = doc->n_skipped;
    m->unparsable = doc->unparsable;
}

void
np_document_end(struct np_document *doc)
{
    static const struct item_kind unknown = { NULL, NULL };
    struct tree_node root, pending;
    const char *kind;

    np_builder_finish(&doc->root, doc->arena, TREE_MAP, doc->line, &root);
    np_builder_finish(&doc->pending, doc->arena, TREE_LIST, doc->line,
                      &pending);
    kind = string_or(np_tree_get(&root, "kind"), "");
    if (doc->has_items && is_list_kind(kind)) {
        const char *api_version = string_or(np_tree_get(&root, "apiVersion"),
                                            NULL);
        struct item_kind item_kind = get_item_kind(api_version, kind);

        for (size_t i = 0; i < pending.n; i++) {
            decode_object(doc->dec, &pending.list[i], &item_kind);
        }
        free(item_kind.kind);
        return;
    }
    if (doc->has_items) {
        undo(doc);
    }
    decode_object(doc->dec, &root, &unknown);
}

void
np_document_abort(struct np_document *doc)
{
    undo(doc);
    np_builder_destroy(&doc->root);
    np_builder_destroy(&doc->pending);
}
