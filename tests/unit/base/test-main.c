#include <config.h>
#include "tests.h"

int
main(void)
{
    return (test_addr() + test_error() + test_idset() + test_pool()
            + test_portrange() + test_trie()) != 0;
}
