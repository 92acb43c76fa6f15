/* Names, labels and ports, judged as the API server judges them.
 *
 * The messages are its own, so that what a user reads here is what he would
 * have read there, and what he finds when he searches for it. */

#include <config.h>
#include "validate.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#define LABEL_RE "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
#define NAME_RE "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

#define DNS_LABEL_MSG \
    "a lowercase RFC 1123 label must consist of lower case alphanumeric " \
    "characters or '-', and must start and end with an alphanumeric " \
    "character (e.g. 'my-name', or '123-abc', regex used for validation is " \
    "'" LABEL_RE "')"
#define DNS_SUBDOMAIN_MSG \
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric " \
    "characters, '-' or '.', and must start and end with an alphanumeric " \
    "character (e.g. 'example.com', regex used for validation is " \
    "'" LABEL_RE "(\\." LABEL_RE ")*')"
#define LABEL_NAME_MSG \
    "must consist of alphanumeric characters, '-', '_' or '.', and must " \
    "start and end with an alphanumeric character (e.g. 'MyName', or " \
    "'my.name', or '123-abc', regex used for validation is '" NAME_RE "')"
#define LABEL_VALUE_MSG \
    "a valid label must be an empty string or consist of alphanumeric " \
    "characters, '-', '_' or '.', and must start and end with an " \
    "alphanumeric character (e.g. 'MyValue', or 'my_value', or '12345', " \
    "regex used for validation is '(" NAME_RE ")?')"

struct check {
    struct np_decoder *dec;
    int line;
    const struct np_path *path;
    const char *value;          /* The whole of it, for the message. */
};

static void
say(const struct check *c, const char *message)
{
    np_decode_invalid(c->dec, c->line, c->path, c->value, message);
}

static void
check_length(const struct check *c, const char *prefix, size_t n, size_t max)
{
    if (n > max) {
        char *message = xasprintf("%smust be no more than %"PRIuSIZE" bytes",
                                  prefix, max);

        say(c, message);
        free(message);
    }
}

static bool
is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
is_alnum(char c)
{
    return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

/* LABEL_RE on N bytes. */
static bool
is_dns_label(const char *s, size_t n)
{
    if (!n || !is_lower_alnum(s[0]) || !is_lower_alnum(s[n - 1])) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!is_lower_alnum(s[i]) && s[i] != '-') {
            return false;
        }
    }
    return true;
}

static bool
is_dns_subdomain(const char *s, size_t n)
{
    for (;;) {
        const char *dot = memchr(s, '.', n);
        size_t len = dot ? dot - s : n;

        if (!is_dns_label(s, len)) {
            return false;
        }
        if (!dot) {
            return true;
        }
        s += len + 1;
        n -= len + 1;
    }
}

/* NAME_RE. */
static bool
is_label_name(const char *s)
{
    size_t n = strlen(s);

    if (!n || !is_alnum(s[0]) || !is_alnum(s[n - 1])) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!is_alnum(s[i]) && !strchr("-_.", s[i])) {
            return false;
        }
    }
    return true;
}

static void
check_dns_label(const struct check *c)
{
    size_t n = strlen(c->value);

    check_length(c, "", n, 63);
    if (!is_dns_label(c->value, n)) {
        say(c, is_dns_subdomain(c->value, n) ? "must not contain dots"
            : DNS_LABEL_MSG);
    }
}

static void
check_dns_subdomain(const struct check *c)
{
    size_t n = strlen(c->value);

    check_length(c, "", n, 253);
    if (!is_dns_subdomain(c->value, n)) {
        say(c, DNS_SUBDOMAIN_MSG);
    }
}

static void
check_label_key(const struct check *c)
{
    const char *slash = strchr(c->value, '/');
    const char *name = slash ? slash + 1 : c->value;

    if (slash && strchr(slash + 1, '/')) {
        say(c, "a valid label key " LABEL_NAME_MSG " with an optional DNS "
            "subdomain prefix and '/' (e.g. 'example.com/MyName')");
        return;
    }
    if (slash == c->value) {
        say(c, "prefix part must be non-empty");
    } else if (slash) {
        check_length(c, "prefix part ", slash - c->value, 253);
        if (!is_dns_subdomain(c->value, slash - c->value)) {
            say(c, "prefix part " DNS_SUBDOMAIN_MSG);
        }
    }
    if (!*name) {
        say(c, "name part must be non-empty");
    }
    check_length(c, "name part ", strlen(name), 63);
    if (!is_label_name(name)) {
        say(c, "name part " LABEL_NAME_MSG);
    }
}

static void
check_label_value(const struct check *c)
{
    check_length(c, "", strlen(c->value), 63);
    if (*c->value && !is_label_name(c->value)) {
        say(c, LABEL_VALUE_MSG);
    }
}

static void
check_port_name(const struct check *c)
{
    size_t n = strlen(c->value);
    bool charset = n > 0;
    bool letter = false;

    for (size_t i = 0; i < n; i++) {
        charset &= is_lower_alnum(c->value[i]) || c->value[i] == '-';
        letter |= c->value[i] >= 'a' && c->value[i] <= 'z';
    }
    check_length(c, "", n, 15);
    if (!charset) {
        say(c, "must contain only alpha-numeric characters (a-z, 0-9), and "
            "hyphens (-)");
    }
    if (!letter) {
        say(c, "must contain at least one letter (a-z)");
    }
    if (strstr(c->value, "--")) {
        say(c, "must not contain consecutive hyphens");
    }
    if (n && (c->value[0] == '-' || c->value[n - 1] == '-')) {
        say(c, "must not begin or end with a hyphen");
    }
}

void
np_validate_name(struct np_decoder *dec, int line, const struct np_path *path,
                 const char *value, enum np_name_rule rule)
{
    struct check c = { dec, line, path, value };

    switch (rule) {
    case NP_DNS_LABEL:
        check_dns_label(&c);
        return;
    case NP_DNS_SUBDOMAIN:
        check_dns_subdomain(&c);
        return;
    case NP_LABEL_KEY:
        check_label_key(&c);
        return;
    case NP_LABEL_VALUE:
        check_label_value(&c);
        return;
    case NP_PORT_NAME:
        check_port_name(&c);
        return;
    }
}

bool
np_validate_port(struct np_decoder *dec, int line, const struct np_path *path,
                 int64_t value)
{
    if (value < 1 || value > 65535) {
        np_decode_invalid_number(dec, line, path, value,
                                 "must be between 1 and 65535, inclusive");
        return false;
    }
    return true;
}
