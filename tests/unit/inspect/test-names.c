/* What the numbers in the flows stand for. */

#include <config.h>
#include "../unit.h"

#include <stdlib.h>
#include <string.h>

#include "inspect/names.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

static const char answer[] =
    "{\"bridge\": \"br-int\", \"table_base\": 20,"
    " \"identities\": {\"4\": \"shop/db 10.0.0.1\"},"
    " \"rules\": {\"7\": \"NetworkPolicy shop/a ingress[0]\"},"
    " \"ports\": {\"3\": \"veth1 (pod shop/db)\"}}";

/* Checks what a flow with this kind, id and text stands for. */
static void
check(const struct np_names *names, uint64_t cookie, const char *text,
      const char *expected)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    struct np_flow *flow;
    char *error = np_flow_parse(text, NULL, &flow);

    assert_null(error);
    flow->cookie = cookie;
    np_flow_describe(flow, names, &s);
    assert_string_equal(ds_cstr(&s), expected);
    ds_destroy(&s);
    np_flow_destroy(flow);
}

#define DROP "table=1,actions=drop"

static void
test_describe(void **state OVS_UNUSED)
{
    struct np_names names, none = { NULL };

    assert_null(np_names_parse(&names, answer, "br-int"));
    assert_int_equal(np_names_table_base(&names), 20);
    check(&names, np_cookie(NP_FLOW_STATIC, 0), DROP, "static");
    check(&names, np_cookie(NP_FLOW_PORT, 3), DROP,
          "port 3: veth1 (pod shop/db)");
    check(&names, np_cookie(NP_FLOW_IDENTITY, 4), DROP,
          "identity 4: shop/db 10.0.0.1");
    check(&names, np_cookie(NP_FLOW_IDENTITY, 5), DROP, "identity 5");
    check(&names, np_cookie(NP_FLOW_RULE, 7), DROP,
          "rule 7: NetworkPolicy shop/a ingress[0]");
    check(&names, np_cookie(NP_FLOW_CLAUSE, 0),
          "table=1,actions=conjunction(7,1/2),conjunction(8,2/3)",
          "clause of NetworkPolicy shop/a ingress[0], rule 8");
    check(&names, 0x77, DROP, "not ours, cookie 0x77");
    check(&names, (NP_COOKIE_OWNER << 48) | UINT64_C(0x630100000002), DROP,
          "kind 99, 2");
    np_names_destroy(&names);

    assert_int_equal(np_names_table_base(&none), -1);
    check(&none, np_cookie(NP_FLOW_RULE, 7), DROP, "rule 7");
    check(&none, np_cookie(NP_FLOW_CLAUSE, 0),
          "table=1,actions=conjunction(7,1/2)", "clause of rule 7");
}

/* The other end of a socket may say anything. */
static void
test_bad_answers(void **state OVS_UNUSED)
{
    static const char *const bad[] = {
        "", "[]", "null", "{\"bridge\": 1}", "{", "\"bridge\"",
        "{\"bridge\": \"br-x\"}",
    };
    static const char *const odd[] = {
        "{\"bridge\": \"br-int\"}",
        "{\"bridge\": \"br-int\", \"ports\": 3, \"table_base\": \"x\"}",
        "{\"bridge\": \"br-int\", \"ports\": {\"3\": []}}",
        "{\"bridge\": \"br-int\", \"table_base\": -20}",
        "{\"bridge\": \"br-int\", \"table_base\": 256}",
    };
    struct np_names names;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char *error = np_names_parse(&names, bad[i], "br-int");

        assert_non_null(error);
        free(error);
        np_names_destroy(&names);
    }
    for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
        assert_null(np_names_parse(&names, odd[i], "br-int"));
        check(&names, np_cookie(NP_FLOW_PORT, 3), DROP, "port 3");
        assert_int_equal(np_names_table_base(&names), -1);
        np_names_destroy(&names);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_bad_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
