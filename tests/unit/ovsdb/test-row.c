/* Rows as each CNI plugin writes them, and rows that are wrong. */

#include <config.h>
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "ovsdb/row.h"
#include "packets.h"
#include "smap.h"
#include "util.h"

#define UID "3b5c7a52-0f0e-4e0a-9d3b-0d1c2b3a4f5e"

struct row {
    const char *name;           /* "veth1" if NULL. */
    const char *type;
    int64_t ofport;             /* 5 if 0. */
    const char *iface_ids;      /* "key=value|key=value" */
    const char *port_ids;
    const char *mac_in_use;
};

static void
parse_ids(const char *s, struct smap *smap)
{
    char *copy = xstrdup(s ? s : "");
    char *save = NULL;

    smap_init(smap);
    for (char *pair = strtok_r(copy, "|", &save); pair;
         pair = strtok_r(NULL, "|", &save)) {
        char *eq = strchr(pair, '=');

        *eq = '\0';
        smap_add(smap, pair, eq + 1);
    }
    free(copy);
}

static void
format_port(const struct np_bridge_port *p, struct ds *ds)
{
    ds_put_format(ds, "%s", np_port_role_name(p->role));
    if (p->pod_name) {
        ds_put_format(ds, " %s/%s", p->pod_namespace, p->pod_name);
    }
    if (p->pod_uid) {
        ds_put_format(ds, " uid=%s", p->pod_uid);
    }
    if (p->has_mac) {
        ds_put_format(ds, " mac="ETH_ADDR_FMT, ETH_ADDR_ARGS(p->mac));
    }
    for (size_t i = 0; i < p->n_addrs; i++) {
        ds_put_char(ds, ' ');
        np_prefix_format(&p->addrs[i], ds);
    }
    if (p->error) {
        ds_put_format(ds, " error=%s", p->error);
    }
}

/* Checks what ROW is read as, in the words of format_port(). */
static void
check(const struct row *row, const char *expected)
{
    struct smap iface_ids, port_ids;
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct np_portmap map = { .v = xmalloc(sizeof *map.v), .n = 1 };

    parse_ids(row->iface_ids, &iface_ids);
    parse_ids(row->port_ids, &port_ids);
    np_port_from_row(&(struct np_port_row) {
        .bridge = "br-int",
        .name = row->name ? row->name : "veth1",
        .type = row->type ? row->type : "",
        .ofport = row->ofport ? row->ofport : 5,
        .mac_in_use = row->mac_in_use,
        .iface_ids = &iface_ids,
        .port_ids = &port_ids,
    }, map.v);
    format_port(map.v, &ds);
    assert_string_equal(ds_cstr(&ds), expected);

    ds_destroy(&ds);
    np_portmap_clear(&map);
    smap_destroy(&iface_ids);
    smap_destroy(&port_ids);
}

#define IFACE(IDS) (&(struct row) { .iface_ids = IDS })
#define PORT(IDS) (&(struct row) { .port_ids = IDS })
#define TYPE(TYPE) (&(struct row) { .type = TYPE })

static void
test_cni_rows(void **state OVS_UNUSED)
{
    /* Ours. */
    check(IFACE("iface-id=shop_web-0|iface-id-ver=" UID
                "|attached-mac=0a:58:0a:f4:00:0a"
                "|ip-address=10.244.0.10,fd00:10:244::a"),
          "pod shop/web-0 uid=" UID " mac=0a:58:0a:f4:00:0a"
          " 10.244.0.10 fd00:10:244::a");
    /* ovn-kubernetes. */
    check(IFACE("iface-id=shop_web|iface-id-ver=" UID
                "|attached_mac=0A:58:0A:F4:00:0A"
                "|ip_addresses=10.244.0.10/24,fd00:10:244::a/64|sandbox=12ab"),
          "pod shop/web uid=" UID " mac=0a:58:0a:f4:00:0a"
          " 10.244.0.10 fd00:10:244::a");
    /* Antrea. */
    check(PORT("antrea-type=container|pod-namespace=shop|pod-name=web.1"
               "|container-id=12ab|attached-mac=0a:58:0a:f4:00:0a"
               "|ip-address=10.244.0.10"),
          "pod shop/web.1 mac=0a:58:0a:f4:00:0a 10.244.0.10");
    /* Kube-OVN, which writes no MAC. */
    check(&(struct row) { .iface_ids = "iface-id=web.shop|vendor=kube-ovn"
                          "|pod_namespace=shop|pod_name=web|ip=10.16.0.2"
                          "|pod_netns=/run/netns/x",
                          .mac_in_use = "02:00:00:00:00:09" },
          "pod shop/web 10.16.0.2");
    check(IFACE("iface-id=web.shop.net1.shop.ovn|vendor=kube-ovn"
                "|pod_namespace=shop|pod_name=web|ip=fd00::2,10.16.0.2"),
          "pod shop/web 10.16.0.2 fd00::2");
    /* ovs-cni: the UID is all there is. */
    check(PORT("contPodUid=" UID "|contNetns=/run/netns/x|contIface=eth0"
               "|owner=ovs-cni.network.kubevirt.io"),
          "pod uid=" UID);
    /* OpenStack. */
    check(IFACE("iface-id=" UID "|attached-mac=fa:16:3e:00:00:01"
                "|vm-uuid=" UID "|iface-status=active"), "unknown");
    check(IFACE(""), "unknown");
}

static void
test_roles(void **state OVS_UNUSED)
{
    check(&(struct row) { .name = "br-int", .ofport = NP_OFPORT_LOCAL,
                          .type = "internal",
                          .mac_in_use = "02:00:00:00:00:01" },
          "node mac=02:00:00:00:00:01");
    check(&(struct row) { .name = "br-int", .ofport = -1,
                          .iface_ids = "iface-id=shop_web" }, "node");
    check(IFACE("netpol-role=gateway|ip-address=10.244.0.1"),
          "node 10.244.0.1");
    check(IFACE("iface-id=k8s-node-1.example"), "node");
    check(PORT("antrea-type=gateway"), "node");
    check(IFACE("netpol-role=uplink"), "uplink");
    check(PORT("netpol-role=uplink"), "uplink");
    check(PORT("antrea-type=uplink"), "uplink");
    check(PORT("antrea-type=tunnel"), "tunnel");
    check(PORT("antrea-type=traffic-control"), "unknown");
    check(TYPE("patch"), "uplink");
    check(TYPE("vxlan"), "tunnel");
    check(TYPE("geneve"), "tunnel");
    check(TYPE("gre"), "tunnel");
    check(TYPE("stt"), "tunnel");
    check(TYPE("internal"), "unknown");
    check(TYPE("dpdkvhostuserclient"), "unknown");
    /* A role that is said outright wins over a claim. */
    check(IFACE("netpol-role=uplink|iface-id=shop_web"), "uplink");
    check(&(struct row) { .type = "patch",
                          .iface_ids = "iface-id=shop_web" }, "uplink");
    /* A namespace may be called k8s-…. */
    check(IFACE("iface-id=k8s-a_web"), "pod k8s-a/web");
}

static void
test_two_rows(void **state OVS_UNUSED)
{
    /* The Interface's key wins, the Port's fills the gaps. */
    check(&(struct row) { .iface_ids = "iface-id=shop_web|ip-address=10.0.0.1",
                          .port_ids = "iface-id=shop_db|ip-address=10.0.0.2"
                          "|attached-mac=0a:00:00:00:00:01" },
          "pod shop/web mac=0a:00:00:00:00:01 10.0.0.1");
    /* Each address once, in order; blanks and empty parts do not matter. */
    check(IFACE("iface-id=shop_web|ip-address=10.0.0.2, 10.0.0.1,,10.0.0.2/8"),
          "pod shop/web 10.0.0.1 10.0.0.2");
    /* Empty is absent. */
    check(IFACE("iface-id=shop_web|iface-id-ver=|attached-mac=|ip-address="),
          "pod shop/web");
}

static void
test_broken_rows(void **state OVS_UNUSED)
{
    check(IFACE("iface-id=shop_"),
          "unknown error=external_ids:iface-id: \"shop_\" is not "
          "NAMESPACE_POD");
    check(IFACE("iface-id=_web"),
          "unknown error=external_ids:iface-id: \"_web\" is not "
          "NAMESPACE_POD");
    check(IFACE("iface-id=ns1.net_shop_web"),
          "unknown error=external_ids:iface-id: \"ns1.net_shop_web\" is not "
          "NAMESPACE_POD");
    check(IFACE("iface-id=shop_Web"),
          "unknown error=external_ids:iface-id: \"shop_Web\" is not "
          "NAMESPACE_POD");
    check(PORT("antrea-type=container|pod-name=web"),
          "unknown error=external_ids:pod-name: \"web\" comes without "
          "pod-namespace");
    check(IFACE("pod_namespace=sh op|pod_name=web"),
          "unknown error=external_ids:pod_namespace: \"sh op\" is not the "
          "name of a namespace");
    check(IFACE("pod_namespace=shop|pod_name=web/1"),
          "unknown error=external_ids:pod_name: \"web/1\" is not the name of "
          "a pod");
    check(IFACE("netpol-role=router"),
          "unknown error=external_ids:netpol-role: \"router\" is neither "
          "gateway nor uplink");
    /* What is quoted does not make a line of its own. */
    check(IFACE("netpol-role=a\nb\x1b"),
          "unknown error=external_ids:netpol-role: \"a\\x0ab\\x1b\" is "
          "neither gateway nor uplink");
    check(IFACE("iface-id=shop_web|attached-mac=0a:58:00"),
          "pod shop/web error=external_ids:attached-mac: \"0a:58:00\" is not "
          "a MAC address of a station");
    check(IFACE("iface-id=shop_web|attached_mac=01:00:5e:00:00:01"),
          "pod shop/web error=external_ids:attached_mac: "
          "\"01:00:5e:00:00:01\" is not a MAC address of a station");
    check(IFACE("iface-id=shop_web|attached-mac=00:00:00:00:00:00"),
          "pod shop/web error=external_ids:attached-mac: "
          "\"00:00:00:00:00:00\" is not a MAC address of a station");
    check(IFACE("iface-id=shop_web|ip-address=10.0.0.1,10.0.0.256"),
          "pod shop/web 10.0.0.1 error=external_ids:ip-address: "
          "\"10.0.0.256\" is not the address of a host");
    check(IFACE("iface-id=shop_web|ip_addresses=10.0.0.1/33"),
          "pod shop/web error=external_ids:ip_addresses: \"10.0.0.1/33\" is "
          "not the address of a host");
    check(IFACE("iface-id=shop_web|ip=ff02::1"),
          "pod shop/web error=external_ids:ip: \"ff02::1\" is not the "
          "address of a host");
    check(IFACE("iface-id=shop_web|ip=127.0.0.1"),
          "pod shop/web error=external_ids:ip: \"127.0.0.1\" is not the "
          "address of a host");
    check(IFACE("netpol-role=gateway|ip-address=none"),
          "node error=external_ids:ip-address: \"none\" is not the address "
          "of a host");
}

static void
check_ofport(int64_t ofport, uint32_t expected)
{
    struct smap ids = SMAP_INITIALIZER(&ids);
    struct np_portmap map = { .v = xmalloc(sizeof *map.v), .n = 1 };

    np_port_from_row(&(struct np_port_row) {
        .bridge = "br-int", .name = "veth1", .type = "", .ofport = ofport,
        .iface_ids = &ids, .port_ids = &ids,
    }, map.v);
    assert_int_equal(map.v->ofport, expected);
    np_portmap_clear(&map);
}

static void
test_ofport(void **state OVS_UNUSED)
{
    check_ofport(1, 1);
    check_ofport(-1, NP_OFPORT_NONE);
    check_ofport(0, NP_OFPORT_NONE);
    check_ofport(65279, 65279);
    check_ofport(NP_OFPORT_LOCAL, NP_OFPORT_LOCAL);
    check_ofport(INT64_C(1) << 40, NP_OFPORT_NONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cni_rows),
        cmocka_unit_test(test_roles),
        cmocka_unit_test(test_two_rows),
        cmocka_unit_test(test_broken_rows),
        cmocka_unit_test(test_ofport),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
