/* The spec of a NetworkPolicy that applies to pods which are there; the first
 * byte says how much of it is given. */

#include <config.h>
#include "fuzz/wrap.h"

#define PODS \
    "apiVersion: v1\nkind: Pod\nmetadata: {namespace: a, name: x, " \
    "labels: {app: web}}\nspec: {containers: [{name: c, image: i, ports: " \
    "[{name: http, containerPort: 80}]}]}\nstatus: {podIPs: [{ip: 10.0.0.1}," \
    " {ip: 'fd00::1'}]}\n---\n" \
    "apiVersion: v1\nkind: Pod\nmetadata: {namespace: b, name: y}\n" \
    "status: {podIPs: [{ip: 10.0.0.2}]}\n---\n" \
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n" \
    "metadata: {namespace: a, name: p}\nspec: "

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const before[] = {
        PODS, PODS "{podSelector: ", PODS "{ingress: [{from: [",
        PODS "{egress: [{to: [", PODS "{ingress: [{ports: [",
    };
    static const char *const after[] = {
        "\n", "}\n", "]}]}\n", "]}]}\n", "]}]}\n",
    };

    if (size) {
        size_t i = data[0] % 5;

        fuzz_wrapped(before[i], data + 1, size - 1, after[i]);
    }
    return 0;
}
