/* A text in JSON: as JSON, and the same text as the YAML that it is, too. */

#include <config.h>
#include "fuzz/fuzz.h"
#include "openvswitch/dynamic-string.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ds s = DS_EMPTY_INITIALIZER;

    if (!size || data[0] != '{') {
        ds_put_char(&s, '{');
    }
    ds_put_buffer(&s, (const char *) data, size);
    fuzz_manifest_text(ds_cstr(&s), s.length);
    fuzz_json_as_yaml(ds_cstr(&s), s.length, false);
    ds_destroy(&s);
    return 0;
}
