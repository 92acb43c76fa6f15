/* A file of manifests, YAML or JSON, as somebody wrote it. */

#include <config.h>
#include "fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_manifest_text((const char *) data, size);
    return 0;
}
