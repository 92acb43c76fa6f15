#ifndef NETPOL_INSPECT_NAMES_H
#define NETPOL_INSPECT_NAMES_H 1

/* What the numbers in the flows stand for, as the daemon tells it. */

#include <stdbool.h>
#include <stdint.h>
#include "netpol/flow.h"

struct ds;
struct json;

struct np_names {
    struct json *json;          /* The answer to netpol/names, or NULL. */
};

/* Asks the daemon whose control socket is TARGET (as ovs-appctl -t takes it)
 * for the names on BRIDGE.  Returns NULL, or an error to be freed; then NAMES
 * has none.  Blocks. */
char *np_names_fetch(struct np_names *, const char *target,
                     const char *bridge);
/* The same from the text of an answer. */
char *np_names_parse(struct np_names *, const char *text, const char *bridge);
void np_names_destroy(struct np_names *);

/* The description of number ID of this kind, or NULL. */
const char *np_names_find(const struct np_names *, enum np_flow_kind,
                          uint32_t id);
/* The daemon's --table-base, or -1 if it is not known. */
int np_names_table_base(const struct np_names *);

/* Appends what FLOW stands for by its cookie ("identity 4: shop/db …"); a
 * clause that serves several rules is named by its conjunctions. */
void np_flow_describe(const struct np_flow *, const struct np_names *,
                      struct ds *);

#endif /* inspect/names.h */
