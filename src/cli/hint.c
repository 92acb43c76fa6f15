/* What to write instead.
 *
 * The API server's words say what is wrong; most people who read them know
 * what they meant and not how it is written.  A hint is given where it is
 * clear, and only there. */

#include <config.h>
#include "cli/cli.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "netpol/addr.h"
#include "util.h"

static bool
ends_with(const char *s, const char *end)
{
    size_t n = strlen(s);
    size_t m = strlen(end);

    return n >= m && !strcmp(s + n - m, end);
}

/* What stands in the first pair of double quotes; the caller frees it.  NULL
 * if there is none. */
static char *
quoted(const char *reason)
{
    const char *start = strchr(reason, '"');
    const char *end = start ? strchr(start + 1, '"') : NULL;

    return end ? xmemdup0(start + 1, end - start - 1) : NULL;
}

/* The one of CHOICES, which ends with a NULL, that VALUE is in other letters
 * or starts like; NULL if none. */
static const char *
choose(const char *value, const char *const choices[])
{
    for (size_t i = 0; choices[i]; i++) {
        if (!strcasecmp(value, choices[i])) {
            return choices[i];
        }
    }
    for (size_t i = 0; strlen(value) > 2 && choices[i]; i++) {
        if (!strncasecmp(value, choices[i], 3)) {
            return choices[i];
        }
    }
    return NULL;
}

/* Each of these makes a hint of an error's value, or returns NULL. */

static char *
hint_port_name(const char *value)
{
    return (value[strspn(value, "0123456789")] || !*value ? NULL
            : xasprintf("write %s without quotes: in quotes it is the name "
                        "of a port", value));
}

static char *
hint_protocol(const char *value)
{
    static const char *const choices[] = { "TCP", "UDP", "SCTP", NULL };
    const char *meant = choose(value, choices);

    return meant ? xasprintf("write %s", meant)
        : xstrdup("ports are of TCP, UDP or SCTP; a rule without ports "
                  "allows every protocol");
}

static char *
hint_type(const char *value)
{
    static const char *const choices[] = { "Ingress", "Egress", NULL };
    const char *meant = choose(value, choices);

    return meant ? xasprintf("write %s", meant)
        : xstrdup("write Ingress, Egress or both");
}

static char *
hint_operator(const char *value)
{
    static const char *const choices[] = {
        "In", "NotIn", "Exists", "DoesNotExist", NULL
    };
    const char *meant = choose(value, choices);

    return meant ? xasprintf("write %s", meant)
        : xstrdup("operators are In, NotIn, Exists and DoesNotExist");
}

static char *
hint_cidr(const char *value)
{
    struct np_prefix addr;

    if (np_addr_parse(value, &addr)) {
        return xasprintf("write %s/%u: a single address is a block too",
                         value, np_prefix_max_len(&addr));
    } else if (strpbrk(value, "ghijklmnopqrstuvwxyz")) {
        return xstrdup("a block is of addresses; names cannot be given");
    }
    return NULL;
}

static char *
hint_version(const char *kind)
{
    return xstrdup(!strcasecmp(kind, "NetworkPolicy")
                   ? "write apiVersion: networking.k8s.io/v1 and kind: "
                   "NetworkPolicy"
                   : "Pod, Namespace and Node are kinds of apiVersion v1");
}

static const struct {
    const char *path;           /* The end of the path. */
    const char *reason;         /* A part of the reason. */
    const char *hint;           /* NULL: ask MAKE. */
    char *(*make)(const char *value);
} hints[] = {
    { ".port", "at least one letter", NULL, hint_port_name },
    { ".port", "Invalid value: 0:",
      "leave out port to allow every port of the protocol", NULL },
    { ".protocol", "Unsupported value", NULL, hint_protocol },
    { ".endPort", "when `port` is not specified",
      "write the first port of the range as port", NULL },
    { ".endPort", "when `port` is non-numeric",
      "a range starts with a number: write it as port", NULL },
    { ".endPort", "greater than or equal to",
      "port is the first of the range and endPort the last", NULL },
    { ".endPort", "expected an integer", "write the number without quotes",
      NULL },
    { "]", "may not specify both ipBlock and another peer",
      "make two items of the list: one with the ipBlock, one with the "
      "selectors", NULL },
    { "]", "must specify a peer",
      "leave out the whole list to allow every address; write "
      "namespaceSelector: {} to allow all pods", NULL },
    { "]", "strict subset of `cidr`",
      "an exception is a smaller block inside cidr", NULL },
    { ".cidr", "must be a valid CIDR value", NULL, hint_cidr },
    { "]", "must be a valid CIDR value", NULL, hint_cidr },
    { "", "is ambiguous in this context",
      "the bits beyond the length do not count: it is read as the first of "
      "these", NULL },
    { "]", "supported values: \"Ingress\", \"Egress\"", NULL, hint_type },
    { ".policyTypes", "more than two", "write each direction once", NULL },
    { ".values", "must be specified when",
      "write Exists to ask only whether the key is there, DoesNotExist "
      "whether it is not", NULL },
    { ".values", "may not be specified when",
      "write In or NotIn to compare the value", NULL },
    { ".operator", "not a valid selector operator", NULL, hint_operator },
    { "]", "expected a string, got a boolean", "put the value in quotes",
      NULL },
    { "]", "expected a string, got a number", "put the value in quotes",
      NULL },
    { ".from", "unknown field", "an egress rule has its peers under to",
      NULL },
    { ".to", "unknown field", "an ingress rule has its peers under from",
      NULL },
    { "", "unknown field", "kubectl apply refuses it", NULL },
    { "", "expected a list, got an object",
      "start each item of the list with \"- \"", NULL },
    { "apiVersion", "no matches for kind", NULL, hint_version },
    { "metadata.name", "Duplicate value",
      "delete one of the two, or give it another name", NULL },
};

char *
cli_hint(const struct np_error *e)
{
    for (size_t i = 0; e->path && i < ARRAY_SIZE(hints); i++) {
        char *value, *hint;

        if (!ends_with(e->path, hints[i].path)
            || !strstr(e->reason, hints[i].reason)) {
            continue;
        } else if (hints[i].hint) {
            return xstrdup(hints[i].hint);
        }
        value = quoted(e->reason);
        hint = value ? hints[i].make(value) : NULL;
        free(value);
        return hint;
    }
    return NULL;
}
