#include <config.h>
#include "../unit.h"
#include "fixture.h"

#include "openvswitch/vlog.h"

int
main(void)
{
    /* Every damaged file is a warning. */
    vlog_set_levels(NULL, VLF_ANY_DESTINATION, VLL_OFF);
    return test_form() + test_saved() + test_damage() != 0;
}
