/* A Node or a Namespace with the right fields; the first byte says which. */

#include <config.h>
#include "fuzz/shape.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size) {
        shape_run(data + 1, size - 1, "",
                  data[0] & 1 ? shape_node : shape_namespace);
    }
    return 0;
}
