#ifndef NETPOL_MANIFEST_VALIDATE_H
#define NETPOL_MANIFEST_VALIDATE_H 1

/* The API server's rules for names, labels and ports, each with its own words
 * for what is wrong (apimachinery, util/validation). */

#include "decode.h"

enum np_name_rule {
    NP_DNS_LABEL,               /* RFC 1123, at most 63 bytes. */
    NP_DNS_SUBDOMAIN,           /* Labels with dots, at most 253 bytes. */
    NP_LABEL_KEY,               /* [subdomain/]name */
    NP_LABEL_VALUE,
    NP_PORT_NAME,               /* RFC 6335, lower case. */
};

/* Adds an error at PATH for each way in which VALUE breaks RULE. */
void np_validate_name(struct np_decoder *, int line, const struct np_path *,
                      const char *value, enum np_name_rule);
/* Returns true if VALUE is 1...65535, else adds an error. */
bool np_validate_port(struct np_decoder *, int line, const struct np_path *,
                      int64_t value);

#endif /* manifest/validate.h */
