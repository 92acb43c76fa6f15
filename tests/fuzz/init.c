#include <config.h>
#include "fuzz/fuzz.h"
#include "openvswitch/vlog.h"
#include "util.h"

/* Nothing is logged to where it costs time, but the decoders think that
 * somebody reads their debug lines. */
int
LLVMFuzzerInitialize(int *argc OVS_UNUSED, char ***argv OVS_UNUSED)
{
    static const char *const modules[] = { "np_manifest", "np_document" };

    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    if (!vlog_set_log_file("/dev/null")) {
        for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
            struct vlog_module *module = vlog_module_from_name(modules[i]);

            if (module) {
                vlog_set_levels(module, VLF_FILE, VLL_DBG);
            }
        }
    }
    return 0;
}
