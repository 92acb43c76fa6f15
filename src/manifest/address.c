/* Addresses and prefixes as the API server reads them.
 *
 * It accepts more than it likes.  Leading zeros, which other programs take for
 * octal, are dropped, and ::ffff:10.0.0.0/104 is 10.0.0.0/8, because that is
 * how Go's "net" has treated them.  What is accepted must be enforced, so we
 * read them in the same way; the doubts become the same warnings
 * (apimachinery, util/validation, GetWarningsForCIDR). */

#include <config.h>
#include "decode.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

/* An address or prefix before its host bits are cleared. */
struct sloppy {
    uint8_t bytes[16];          /* IPv4 in the first 4. */
    unsigned int max_len;       /* 32 or 128. */
    unsigned int len;
    bool nonstandard;           /* Newer parsers refuse it. */
};

/* A decimal number up to MAX; leading zeros are allowed. */
static bool
parse_len(const char *s, unsigned int max, unsigned int *len, bool *zeros)
{
    unsigned int n = 0;

    *zeros = s[0] == '0' && s[1];
    if (!*s) {
        return false;
    }
    for (; *s; s++) {
        if (!isdigit((unsigned char) *s)) {
            return false;
        }
        n = n * 10 + (*s - '0');
        if (n > max) {
            return false;
        }
    }
    *len = n;
    return true;
}

static bool
is_mapped(const struct sloppy *a)
{
    static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

    return a->max_len == 128 && !memcmp(a->bytes, prefix, sizeof prefix);
}

/* net.ParseIP or, if WITH_LEN, net.ParseCIDR.  inet_pton(3) refuses leading
 * zeros in IPv4 and zone ids, as these do. */
static bool
parse(const char *text, bool with_len, struct sloppy *a)
{
    const char *slash = strchr(text, '/');
    size_t n = slash ? slash - text : strlen(text);
    char addr[INET6_ADDRSTRLEN + 1];
    bool zeros = false;

    if (n >= sizeof addr || with_len != (slash != NULL)) {
        return false;
    }
    memcpy(addr, text, n);
    addr[n] = '\0';
    memset(a, 0, sizeof *a);
    if (inet_pton(AF_INET, addr, a->bytes) == 1) {
        a->max_len = 32;
    } else if (inet_pton(AF_INET6, addr, a->bytes) == 1) {
        a->max_len = 128;
    } else {
        return false;
    }
    a->len = a->max_len;
    if (with_len && !parse_len(slash + 1, a->max_len, &a->len, &zeros)) {
        return false;
    }
    a->nonstandard = zeros || is_mapped(a);
    return true;
}

/* Copies a number from '*sp' to OUT without its leading zeros. */
static bool
strip_number(const char **sp, struct ds *out)
{
    const char *s = *sp;
    const char *digits;

    if (!isdigit((unsigned char) *s)) {
        return false;
    }
    while (*s == '0' && isdigit((unsigned char) s[1])) {
        s++;
    }
    digits = s;
    while (isdigit((unsigned char) *s)) {
        s++;
    }
    ds_put_buffer(out, digits, s - digits);
    *sp = s;
    return true;
}

/* Appends TEXT without leading zeros in the IPv4 address at its end, of which
 * the length is a part.  Returns false if there is no such address. */
static bool
strip_zeros(const char *text, struct ds *out)
{
    const char *colon = strrchr(text, ':');
    const char *s = colon ? colon + 1 : text;

    ds_put_buffer(out, text, s - text);
    for (int i = 0; i < 4; i++) {
        if (i && *s++ != '.') {
            return false;
        } else if (i) {
            ds_put_char(out, '.');
        }
        if (!strip_number(&s, out)) {
            return false;
        }
    }
    if (*s == '/') {
        ds_put_char(out, *s++);
        if (!strip_number(&s, out)) {
            return false;
        }
    }
    return !*s;
}

static bool
parse_sloppy(const char *text, bool with_len, struct sloppy *a)
{
    struct ds stripped = DS_EMPTY_INITIALIZER;
    bool ok = parse(text, with_len, a);

    if (!ok && strip_zeros(text, &stripped)) {
        ok = parse(ds_cstr(&stripped), with_len, a);
        a->nonstandard = true;
    }
    ds_destroy(&stripped);
    return ok;
}

/* With all bits if FULL, else with those of the prefix. */
static struct np_prefix
to_prefix(const struct sloppy *a, bool full)
{
    unsigned int len = full ? a->max_len : a->len;
    struct in6_addr in6;
    ovs_be32 in4;

    if (a->max_len == 32) {
        memcpy(&in4, a->bytes, sizeof in4);
        return np_prefix_v4(in4, len);
    } else if (is_mapped(a) && len >= 96) {
        memcpy(&in4, a->bytes + 12, sizeof in4);
        return np_prefix_v4(in4, len - 96);
    }
    memcpy(&in6, a->bytes, sizeof in6);
    return np_prefix_v6(&in6, len);
}

/* Always with the length. */
static char *
format_cidr(const struct np_prefix *p)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    np_prefix_format(p, &s);
    if (p->len == np_prefix_max_len(p)) {
        ds_put_format(&s, "/%u", p->len);
    }
    return ds_steal_cstr(&s);
}

static void
warn_of_cidr(struct np_decoder *dec, int line, const struct np_path *path,
             const char *text, const struct sloppy *a)
{
    struct np_prefix cidr = to_prefix(a, false);
    struct np_prefix addr = to_prefix(a, true);
    char *cidr_text = format_cidr(&cidr);
    char *addr_text = format_cidr(&addr);
    bool ambiguous = memcmp(cidr.bytes, addr.bytes, sizeof addr.bytes);

    if (ambiguous) {
        np_decode_warning(dec, line, path, "CIDR value \"%.200s\" is "
                          "ambiguous in this context (should be \"%s\" or "
                          "\"%s\"?)", text, cidr_text, addr_text);
    }
    if (a->nonstandard) {
        np_decode_warning(dec, line, path, "non-standard CIDR value "
                          "\"%.200s\" will be considered invalid in a future "
                          "Kubernetes release: use \"%s\"", text,
                          cidr_text);
    } else if (!ambiguous && cidr.family == 6 && strcmp(cidr_text, text)) {
        np_decode_warning(dec, line, path, "IPv6 CIDR value \"%.200s\" should "
                          "be in RFC 5952 canonical format (\"%s\")", text,
                          cidr_text);
    }
    free(cidr_text);
    free(addr_text);
}

bool
np_decode_cidr(struct np_decoder *dec, int line, const struct np_path *path,
               const char *text, struct np_prefix *cidr,
               unsigned int *written_len)
{
    struct sloppy a;

    if (!parse_sloppy(text, true, &a)) {
        np_decode_invalid(dec, line, path, text, "must be a valid CIDR value, "
                          "(e.g. 10.9.8.0/24 or 2001:db8::/64)");
        return false;
    }
    warn_of_cidr(dec, line, path, text, &a);
    *cidr = to_prefix(&a, false);
    *written_len = a.len;
    return true;
}

bool
np_decode_addr(struct np_decoder *dec, int line, const struct np_path *path,
               const char *text, struct np_prefix *addr)
{
    struct sloppy a;

    if (!parse_sloppy(text, false, &a)) {
        np_decode_invalid(dec, line, path, text, "must be a valid IP address, "
                          "(e.g. 10.9.8.7 or 2001:db8::ffff)");
        return false;
    }
    *addr = to_prefix(&a, false);
    if (a.nonstandard) {
        struct ds s = DS_EMPTY_INITIALIZER;

        np_prefix_format(addr, &s);
        np_decode_warning(dec, line, path, "non-standard IP address "
                          "\"%.200s\" will be considered invalid in a future "
                          "Kubernetes release: use \"%s\"", text,
                          ds_cstr(&s));
        ds_destroy(&s);
    }
    return true;
}

bool
np_is_addr(const char *text)
{
    struct sloppy a;

    return parse_sloppy(text, false, &a);
}
