#ifndef COMPILE_IDENTITY_H
#define COMPILE_IDENTITY_H 1

/* Identities: classes of addresses that no rule can tell apart. */

#include "compile/build.h"
#include "compile/point.h"

struct np_identity {
    struct hmap_node node;      /* In struct np_identities, by content. */
    uint32_t number;            /* What reg1 and reg2 hold. */
    uint32_t flags;
    const struct np_idset *sets;        /* Of its first point. */
    const struct np_point **points;
    size_t n_points;
    size_t allocated;
};

struct np_identities {
    struct hmap by_content;
    struct np_identity **sorted;        /* By flags and sets: an order that
                                         * does not depend on numbers. */
    size_t n;
    struct np_idset *of_set;    /* Numbers of the identities in each set, by
                                 * the set's id; 'n_of_set' of them. */
    size_t n_of_set;
};

/* Classifies POINTS, which must live as long, and numbers the classes after
 * NUMBERS. */
struct np_numbers;
void np_identities_build(struct np_identities *, const struct np_points *,
                         struct np_numbers *);
void np_identities_destroy(struct np_identities *);
/* Adds the flows of the two identity tables. */
void np_build_identities(struct np_build *, const struct np_identities *);

/* Which number an address had last, so that a class that goes on keeps its
 * number.  The only memory of the whole stage. */
struct np_numbers *np_numbers_create(void);
void np_numbers_destroy(struct np_numbers *);
void np_numbers_adopt(struct np_numbers *, const struct np_flow_set *,
                      uint8_t src_identity_table);
/* Gives each of IDENTITIES its number. */
void np_numbers_assign(struct np_numbers *, struct np_identities *);

#endif /* compile/identity.h */
