#ifndef NETPOL_PORTRANGE_H
#define NETPOL_PORTRANGE_H 1

/* Transport port ranges as masked matches, as OpenFlow's tp_dst takes them
 * (ovs-fields(7), "Bitwise matching"). */

#include <stddef.h>
#include <stdint.h>

/* A value and a mask in host byte order. */
struct np_port_mask {
    uint16_t value;
    uint16_t mask;
};

/* At most 2 * 15 masks cover any range of 16-bit numbers. */
#define NP_PORT_MASKS_MAX 30

/* Covers LO...HI, both included, LO <= HI, exactly and with as few masks as
 * possible; returns how many it wrote, in rising order of value. */
size_t np_port_masks(uint16_t lo, uint16_t hi,
                     struct np_port_mask masks[NP_PORT_MASKS_MAX]);

#endif /* netpol/portrange.h */
