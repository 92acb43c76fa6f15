/* Port ranges as masked matches.
 *
 * A match with a mask covers an aligned block of 2^k ports.  Taking the
 * largest block that starts at the lowest port not yet covered and does not
 * run past the end is both exact and minimal: blocks that overlap contain one
 * another, so every exact cover refines this one. */

#include <config.h>
#include "netpol/portrange.h"

size_t
np_port_masks(uint16_t lo, uint16_t hi,
              struct np_port_mask masks[NP_PORT_MASKS_MAX])
{
    uint32_t start = lo;
    size_t n = 0;

    while (start <= hi) {
        uint32_t size = 1;

        while (size < 0x10000 && !(start & size)
               && start + size * 2 - 1 <= hi) {
            size *= 2;
        }
        masks[n].value = start;
        masks[n].mask = ~(size - 1);
        n++;
        start += size;
    }
    return n;
}
