#include <config.h>

#include "daemon/netpold.h"

int
main(int argc, char *argv[])
{
    return np_daemon_main(argc, argv);
}
