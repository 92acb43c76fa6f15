#ifndef NETPOL_ADDR_H
#define NETPOL_ADDR_H 1

/* IP addresses and prefixes of both families, as one value. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ds;

/* A prefix; an address is a prefix of full length.  Bits beyond 'len' are
 * always zero, so two equal prefixes are equal byte by byte (the struct has no
 * padding) and may be hashed as bytes. */
struct np_prefix {
    uint8_t family;             /* 4 or 6. */
    uint8_t len;                /* 0...32 or 0...128, in bits. */
    uint8_t bytes[16];          /* Network byte order; IPv4 in the first 4. */
};

/* 32 or 128. */
static inline unsigned int
np_prefix_max_len(const struct np_prefix *p)
{
    return p->family == 4 ? 32 : 128;
}

/* Parses "10.0.0.0/8", "fd00::/64" or a bare address (full length).  Leading
 * zeros, IPv4-mapped IPv6 and zone ids are refused, as Go's netip refuses
 * them.  Host bits are cleared; '*host_bits', if nonnull, tells whether any
 * were set.  Returns false, leaving '*p' alone, if S is not one. */
bool np_prefix_parse(const char *s, struct np_prefix *p, bool *host_bits);
/* The same for an address without a slash only. */
bool np_addr_parse(const char *s, struct np_prefix *p);

struct np_prefix np_prefix_v4(uint32_t addr_be, unsigned int len);
struct np_prefix np_prefix_v6(const struct in6_addr *, unsigned int len);

/* Is INNER inside OUTER or equal to it? */
bool np_prefix_contains(const struct np_prefix *outer,
                        const struct np_prefix *inner);
/* A total order: family, then bytes, then length; so a prefix sorts right
 * before everything that it contains. */
int np_prefix_compare(const struct np_prefix *, const struct np_prefix *);
uint32_t np_prefix_hash(const struct np_prefix *, uint32_t basis);
bool np_prefix_equal(const struct np_prefix *, const struct np_prefix *);
bool np_addrs_contain(const struct np_prefix *v, size_t n,
                      const struct np_prefix *);
/* Appends the canonical text (RFC 5952), without "/len" at full length. */
void np_prefix_format(const struct np_prefix *, struct ds *);

/* A growing list; all zeros is empty. */
struct np_addr_list {
    struct np_prefix *v;
    size_t n, allocated;
};
void np_addr_list_add(struct np_addr_list *, const struct np_prefix *);
/* Appends what is in FROM, which is empty afterwards. */
void np_addr_list_move(struct np_addr_list *, struct np_addr_list *from);
void np_addr_list_clear(struct np_addr_list *);

/* A longest-prefix-match table from prefixes to one pointer each; the pointers
 * are the caller's.  Both families live in one table and never meet. */
struct np_trie;
struct np_trie *np_trie_create(void);
void np_trie_destroy(struct np_trie *);
/* Sets the value of P and returns the one it replaces, or NULL.  A NULL value
 * removes P. */
void *np_trie_set(struct np_trie *, const struct np_prefix *p, void *value);
void *np_trie_get(const struct np_trie *, const struct np_prefix *);
/* The value of the longest prefix that contains P, P itself included. */
void *np_trie_lookup(const struct np_trie *, const struct np_prefix *p);
/* The same without P itself. */
void *np_trie_lookup_shorter(const struct np_trie *,
                             const struct np_prefix *p);
/* Calls CB for every prefix inside WITHIN (itself included) that has a value,
 * in the order of np_prefix_compare(); where it returns false, what is inside
 * that prefix is left out. */
void np_trie_for_each(const struct np_trie *, const struct np_prefix *within,
                      bool (*cb)(const struct np_prefix *, void *value,
                                 void *aux),
                      void *aux);

#endif /* netpol/addr.h */
