/* Addresses of this host's own network interfaces.
 *
 * Nothing in OVSDB says which addresses the node has on its gateway, and they
 * come and go without a change there, so the kernel is asked to tell
 * (rtnetlink(7), RTMGRP_IPV4_IFADDR and RTMGRP_IPV6_IFADDR).  What it tells is
 * only taken as a hint to read them again. */

#include <config.h>
#include "ovsdb/hostaddr.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "netlink-notifier.h"
#include "netpol/portmap.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "ovsdb/row.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(hostaddr);

struct np_hostaddr {
    struct nln *nln;
    struct nln_notifier *notifiers[2];
    bool changed;
};

/* Which multicast group a message belongs to; what it says does not matter. */
static int
parse_change(struct ofpbuf *buf, void *change OVS_UNUSED)
{
    const struct nlmsghdr *nlmsg = buf->data;
    const struct ifaddrmsg *ifa;

    if (buf->size < NLMSG_LENGTH(sizeof *ifa)
        || (nlmsg->nlmsg_type != RTM_NEWADDR
            && nlmsg->nlmsg_type != RTM_DELADDR)) {
        return 0;
    }
    ifa = NLMSG_DATA(nlmsg);
    return ifa->ifa_family == AF_INET ? RTNLGRP_IPV4_IFADDR
                                      : RTNLGRP_IPV6_IFADDR;
}

static void
changed_cb(const void *change OVS_UNUSED, void *h_)
{
    struct np_hostaddr *h = h_;

    h->changed = true;
}

struct np_hostaddr *
np_hostaddr_create(void)
{
    static const int groups[] = { RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR };
    struct np_hostaddr *h = xzalloc(sizeof *h);

    h->nln = nln_create(NETLINK_ROUTE, parse_change, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        h->notifiers[i] = nln_notifier_create(h->nln, groups[i], changed_cb,
                                              h);
        if (!h->notifiers[i]) {
            VLOG_WARN("cannot watch the addresses of this host: those of a "
                      "gateway are read only when its row changes");
        }
    }
    return h;
}

void
np_hostaddr_destroy(struct np_hostaddr *h)
{
    if (h) {
        for (size_t i = 0; i < ARRAY_SIZE(h->notifiers); i++) {
            nln_notifier_destroy(h->notifiers[i]);
        }
        nln_destroy(h->nln);
        free(h);
    }
}

bool
np_hostaddr_run(struct np_hostaddr *h)
{
    bool changed;

    nln_run(h->nln);
    changed = h->changed;
    h->changed = false;
    return changed;
}

void
np_hostaddr_wait(struct np_hostaddr *h)
{
    nln_wait(h->nln);
}

void
np_hostaddr_read(struct np_bridge_port *port)
{
    struct ifaddrs *list;

    if (getifaddrs(&list)) {
        VLOG_WARN("cannot read the addresses of this host: %s",
                  ovs_strerror(errno));
        return;
    }
    for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
        struct np_prefix p;

        if (!i->ifa_addr || strcmp(i->ifa_name, port->name)) {
            continue;
        } else if (i->ifa_addr->sa_family == AF_INET) {
            const struct sockaddr_in *sin = (const void *) i->ifa_addr;

            p = np_prefix_v4(sin->sin_addr.s_addr, 32);
        } else if (i->ifa_addr->sa_family == AF_INET6) {
            const struct sockaddr_in6 *sin6 = (const void *) i->ifa_addr;

            p = np_prefix_v6(&sin6->sin6_addr, 128);
        } else {
            continue;
        }
        np_bridge_port_add_addr(port, &p);
    }
    freeifaddrs(list);
}
