/* Pods, Namespaces and Nodes: what stands behind their names. */

#include <config.h>
#include "fuzz/wrap.h"

#define POD "apiVersion: v1\nkind: Pod\nmetadata: {namespace: a, name: x}\n"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const before[] = {
        POD, POD "spec: {containers: [{name: c, image: i, ports: [",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: ",
        "apiVersion: v1\nkind: Node\nmetadata: {name: node}\nstatus: ",
    };
    static const char *const after[] = { "\n", "]}]}\n", "}\n", "\n" };

    if (size) {
        size_t i = data[0] % 4;

        fuzz_wrapped(before[i], data + 1, size - 1, after[i]);
    }
    return 0;
}
