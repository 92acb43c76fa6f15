/* Units of src/compile/binding.c: whose port is it? */

#include <config.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "openvswitch/dynamic-string.h"
#include "unit/compile/fixture.h"
#include "util.h"

#define POD(NAME, REST) \
    "---\napiVersion: v1\nkind: Pod\nmetadata: {namespace: a, name: " NAME \
    ", uid: uid-" NAME "}\n" REST "\n"

static const char objects[] =
    POD("one", "status: {phase: Running, podIPs: [{ip: 10.0.0.1}]}")
    POD("two", "status: {phase: Running}")
    POD("done", "status: {phase: Succeeded, podIPs: [{ip: 10.0.0.3}]}")
    POD("host", "spec: {hostNetwork: true}")
    "---\napiVersion: v1\nkind: Node\nmetadata: {name: node}\n"
    "status: {addresses: [{type: InternalIP, address: 192.0.2.1},"
    " {type: Hostname, address: node}]}\n";

/* "one@veth1=10.0.0.1+fe80::…; bad veth2: reason", in the binding's order. */
static char *
bind_ports(const char *ports)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_fixture f;

    np_fixture_init(&f);
    np_fixture_decode_objects(&f, objects);
    np_fixture_read_ports(&f, ports);
    np_fixture_build(&f);
    for (size_t i = 0; i < f.engine.binding.n_locals; i++) {
        const struct np_local *local = f.engine.binding.locals[i];

        ds_put_format(&s, "%s@%s=", local->entry->object->name, local->port->name);
        for (size_t j = 0; j < local->n_addrs; j++) {
            ds_put_cstr(&s, j ? "+" : "");
            np_prefix_format(&local->addrs[j], &s);
        }
        ds_put_format(&s, "%s%s\n", local->note ? " " : "",
                      local->note ? local->note : "");
    }
    for (size_t i = 0; i < f.engine.binding.n_places; i++) {
        const struct np_place *place = f.engine.binding.places[i];

        if (place->problem) {
            ds_put_format(&s, "bad %s: %s\n", place->row->name,
                          place->problem);
        }
    }
    for (size_t i = 0; i < f.engine.binding.n_node_addrs; i++) {
        ds_put_cstr(&s, "node ");
        np_prefix_format(&f.engine.binding.node_addrs[i], &s);
        ds_put_char(&s, '\n');
    }
    np_fixture_destroy(&f);
    return ds_steal_cstr(&s);
}

static void
check(const char *ports, const char *expected)
{
    char *seen = bind_ports(ports);

    assert_string_equal(seen, expected);
    free(seen);
}

#define NODE "node 192.0.2.1\n"

static void
test_addresses(void **state OVS_UNUSED)
{
    /* The row's hold; without them the object's; a difference is told. */
    check("pod v1 1 a/one 02:00:00:00:00:01\n",
          "one@v1=10.0.0.1+fe80::ff:fe00:1\n" NODE);
    check("pod v1 1 a/one 02:00:00:00:00:01 10.0.0.9,fd00::9\n",
          "one@v1=10.0.0.9+fd00::9+fe80::ff:fe00:1 the row's addresses "
          "10.0.0.9,fd00::9 hold, not status.podIPs 10.0.0.1\n" NODE);
    check("pod v1 1 a/two 02:00:00:00:00:01 10.0.0.2,10.0.0.2\n",
          "two@v1=10.0.0.2+fe80::ff:fe00:1\n" NODE);
    check("pod v1 1 a/two 02:00:00:00:00:01\n",
          "bad v1: has no address, neither in its row nor in the pod's "
          "status.podIPs\n" NODE);
}

static void
test_rows_that_cannot(void **state OVS_UNUSED)
{
    check("pod v1 0 a/one 02:00:00:00:00:01\n",
          "bad v1: has no OpenFlow port number (ofport -1)\n" NODE);
    check("pod v1 1 a/one\n", "bad v1: its row has no attached-mac\n" NODE);
    check("pod v1 1 a/one ff:ff:ff:ff:ff:ff\n",
          "bad v1: its attached-mac is not a unicast address\n" NODE);
    check("pod v1 1 a/none 02:00:00:00:00:01\n",
          "bad v1: no pod a/none is known\n" NODE);
    check("pod v1 1 a/done 02:00:00:00:00:01\n",
          "bad v1: pod a/done has finished\n" NODE);
    check("pod v1 1 a/host 02:00:00:00:00:01\n",
          "bad v1: pod a/host uses the host's network\n" NODE);
    check("unknown v1 1\n", "bad v1: no key says what this port is\n" NODE);
}

static void
test_two_claims(void **state OVS_UNUSED)
{
    /* Nothing decides but the newer number. */
    check("pod v1 1 a/one 02:00:00:00:00:01 10.0.0.1\n"
          "pod v2 2 a/one 02:00:00:00:00:02 10.0.0.1\n",
          "one@v2=10.0.0.1+fe80::ff:fe00:2\n"
          "bad v1: pod a/one is on port v2\n" NODE);
    /* A port that is not there claims nothing. */
    check("pod v1 1 a/one 02:00:00:00:00:01 10.0.0.1\n"
          "pod v2 0 a/one 02:00:00:00:00:02 10.0.0.1\n",
          "one@v1=10.0.0.1+fe80::ff:fe00:1\n"
          "bad v2: has no OpenFlow port number (ofport -1)\n" NODE);
}

static void
test_uid(void **state OVS_UNUSED)
{
    /* The UID decides, whatever the numbers. */
    check("pod v1 1 a/one 02:00:00:00:00:01 10.0.0.1 uid-one\n"
          "pod v2 2 a/one 02:00:00:00:00:02 10.0.0.1\n",
          "one@v1=10.0.0.1+fe80::ff:fe00:1\n"
          "bad v2: pod a/one is on port v1\n" NODE);
    check("pod v1 1 a/one 02:00:00:00:00:01 10.0.0.1 uid-old\n",
          "bad v1: iface-id-ver uid-old is not the UID of pod a/one, uid-one\n"
          NODE);
    /* ovs-cni names pods by UID alone. */
    check("pod v1 1 - 02:00:00:00:00:01 10.0.0.1 uid-one\n",
          "one@v1=10.0.0.1+fe80::ff:fe00:1\n" NODE);
    check("pod v1 1 - 02:00:00:00:00:01 10.0.0.1 uid-x\n",
          "bad v1: no pod with UID uid-x is known\n" NODE);
}

static void
test_stolen(void **state OVS_UNUSED)
{
    /* Addresses and MACs are given away once; the node's come first. */
    check("pod v1 1 a/one 02:00:00:00:00:01 10.0.0.1\n"
          "pod v2 2 a/two 02:00:00:00:00:02 10.0.0.1\n",
          "one@v1=10.0.0.1+fe80::ff:fe00:1\n"
          "bad v2: 10.0.0.1 is another port's address\n" NODE);
    check("pod v1 1 a/one 02:00:00:00:00:01 10.0.0.1\n"
          "pod v2 2 a/two 02:00:00:00:00:01 10.0.0.2\n",
          "one@v1=10.0.0.1+fe80::ff:fe00:1\n"
          "bad v2: another pod's port has its MAC 02:00:00:00:00:01\n" NODE);
    check("node gw 65534 - 02:00:00:00:00:01 10.0.0.1\n"
          "pod v1 1 a/one 02:00:00:00:00:01 10.0.0.1\n",
          "bad v1: 10.0.0.1 is another port's address\n"
          "node 10.0.0.1\n" NODE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_rows_that_cannot),
        cmocka_unit_test(test_two_claims),
        cmocka_unit_test(test_uid),
        cmocka_unit_test(test_stolen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
