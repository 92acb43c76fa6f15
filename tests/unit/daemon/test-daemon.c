/* Units of src/daemon. */

#include <config.h>
#include "test-daemon.h"

int
main(void)
{
    return test_expo() + test_latency();
}
