/* Addresses and prefixes.
 *
 * Everything that the rest of the project knows of IP addresses is a struct
 * np_prefix, in both families, with an address as the prefix of full length.
 * The one invariant that all of it leans on is that bits beyond the length are
 * zero: whoever makes a prefix by hand must keep it, and everybody may compare
 * and hash prefixes as bytes. */

#include <config.h>
#include "netpol/addr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Zeroes all bits of P beyond its length; returns true if any was set. */
static bool
clear_host_bits(struct np_prefix *p)
{
    unsigned int n = p->len / 8;
    uint8_t was = 0;

    if (p->len % 8) {
        uint8_t host = 0xff >> (p->len % 8);

        was = p->bytes[n] & host;
        p->bytes[n++] &= ~host;
    }
    for (; n < sizeof p->bytes; n++) {
        was |= p->bytes[n];
        p->bytes[n] = 0;
    }
    return was != 0;
}

/* Parses a bare address of either family into a prefix of full length. */
static bool
parse_addr(const char *s, struct np_prefix *p)
{
    /* inet_pton(3) itself refuses leading zeros ("010.0.0.1" is octal to some
     * readers and decimal to others), spaces and zone ids. */
    memset(p, 0, sizeof *p);
    if (inet_pton(AF_INET, s, p->bytes) == 1) {
        p->family = 4;
        p->len = 32;
        return true;
    }
    memset(p, 0, sizeof *p);
    if (inet_pton(AF_INET6, s, p->bytes) == 1) {
        struct in6_addr in6;

        memcpy(&in6, p->bytes, sizeof in6);
        /* Some programs treat a mapped address as IPv4 and some do not. */
        if (IN6_IS_ADDR_V4MAPPED(&in6)) {
            return false;
        }
        p->family = 6;
        p->len = 128;
        return true;
    }
    return false;
}

/* Parses the decimal number S, at most MAX, without sign or leading zeros. */
static bool
parse_len(const char *s, unsigned int max, uint8_t *len)
{
    unsigned int n = 0;

    if (!*s || (*s == '0' && s[1])) {
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

bool
np_prefix_parse(const char *s, struct np_prefix *p, bool *host_bits)
{
    const char *slash = strchr(s, '/');
    size_t n = slash ? slash - s : strlen(s);
    char addr[INET6_ADDRSTRLEN + 1];
    struct np_prefix tmp;
    bool host;

    if (n >= sizeof addr) {
        return false;
    }
    memcpy(addr, s, n);
    addr[n] = '\0';
    if (!parse_addr(addr, &tmp)
        || (slash && !parse_len(slash + 1, np_prefix_max_len(&tmp),
                                &tmp.len))) {
        return false;
    }
    host = clear_host_bits(&tmp);
    if (host_bits) {
        *host_bits = host;
    }
    *p = tmp;
    return true;
}

bool
np_addr_parse(const char *s, struct np_prefix *p)
{
    return !strchr(s, '/') && np_prefix_parse(s, p, NULL);
}

struct np_prefix
np_prefix_v4(uint32_t addr_be, unsigned int len)
{
    struct np_prefix p = { .family = 4, .len = len };

    memcpy(p.bytes, &addr_be, sizeof addr_be);
    clear_host_bits(&p);
    return p;
}

struct np_prefix
np_prefix_v6(const struct in6_addr *addr, unsigned int len)
{
    struct np_prefix p = { .family = 6, .len = len };

    memcpy(p.bytes, addr, sizeof *addr);
    clear_host_bits(&p);
    return p;
}

bool
np_prefix_contains(const struct np_prefix *outer,
                   const struct np_prefix *inner)
{
    unsigned int n = outer->len / 8;
    unsigned int rest = outer->len % 8;

    if (outer->family != inner->family || outer->len > inner->len
        || memcmp(outer->bytes, inner->bytes, n)) {
        return false;
    }
    return !rest
           || !((outer->bytes[n] ^ inner->bytes[n]) & (0xff << (8 - rest)));
}

int
np_prefix_compare(const struct np_prefix *a, const struct np_prefix *b)
{
    int cmp;

    if (a->family != b->family) {
        return a->family < b->family ? -1 : 1;
    }
    cmp = memcmp(a->bytes, b->bytes, sizeof a->bytes);
    if (cmp) {
        return cmp < 0 ? -1 : 1;
    }
    return a->len < b->len ? -1 : a->len > b->len;
}

uint32_t
np_prefix_hash(const struct np_prefix *p, uint32_t basis)
{
    return hash_bytes(p, sizeof *p, basis);
}

bool
np_prefix_equal(const struct np_prefix *a, const struct np_prefix *b)
{
    return !memcmp(a, b, sizeof *a);
}

void
np_prefix_format(const struct np_prefix *p, struct ds *s)
{
    char addr[INET6_ADDRSTRLEN];

    inet_ntop(p->family == 4 ? AF_INET : AF_INET6, p->bytes, addr,
              sizeof addr);
    ds_put_cstr(s, addr);
    if (p->len != np_prefix_max_len(p)) {
        ds_put_format(s, "/%u", p->len);
    }
}

bool
np_addrs_contain(const struct np_prefix *v, size_t n, const struct np_prefix *p)
{
    for (size_t i = 0; i < n; i++) {
        if (np_prefix_equal(&v[i], p)) {
            return true;
        }
    }
    return false;
}

void
np_addr_list_add(struct np_addr_list *list, const struct np_prefix *addr)
{
    if (list->n >= list->allocated) {
        list->v = x2nrealloc(list->v, &list->allocated, sizeof *list->v);
    }
    list->v[list->n++] = *addr;
}

void
np_addr_list_move(struct np_addr_list *list, struct np_addr_list *from)
{
    for (size_t i = 0; i < from->n; i++) {
        np_addr_list_add(list, &from->v[i]);
    }
    np_addr_list_clear(from);
}

void
np_addr_list_clear(struct np_addr_list *list)
{
    free(list->v);
    memset(list, 0, sizeof *list);
}
