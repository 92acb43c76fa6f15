#include <config.h>
#include "fixture.h"

int
main(void)
{
    return test_dir() + test_changes() + test_restore() != 0;
}
