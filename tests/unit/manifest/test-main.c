#include <config.h>
#include "tests.h"

int
main(void)
{
    return (test_yaml() + test_json() + test_kinds() + test_netpol()
            + test_rules() + test_hostile()) != 0;
}
