/* Asks the switch for what was denied, and answers who asks us.
 *
 * The counters are read every ten seconds, which is what metrics show, and
 * when somebody asks. */

#include <config.h>
#include "daemon/denials.h"

#include <stdlib.h>

#include "daemon/netpold.h"
#include "daemon/options.h"
#include "netpol/learned.h"
#include "netpol/observe.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

#define READ_MSEC 10000
#define ASK_MSEC 5000

struct asker {
    struct ovs_list node;       /* In struct np_denial_desk's 'askers'. */
    struct unixctl_conn *conn;
    bool as_json;
    uint64_t read;              /* np_learned_read() */
    long long int deadline;     /* time_msec() */
};

static void
ended_cb(const struct np_flow_stats *stats, void *desk_)
{
    struct np_denial_desk *desk = desk_;

    np_denials_ended(desk->book, stats, time_wall_msec());
}

static void
read_cb(const struct np_flow_dump *dump, bool first, void *desk_)
{
    struct np_denial_desk *desk = desk_;

    desk->as_of = time_wall_msec();
    np_denials_take(desk->book, dump, first, desk->as_of);
}

void
np_denial_desk_init(struct np_daemon *d)
{
    static const struct np_learned_class class = { ended_cb, read_cb };
    uint8_t base = d->options->compile.table_base;
    uint8_t tables[NP_DENIALS_N_TABLES];
    size_t n = np_denials_tables(base, tables);

    d->denials.learned = np_learned_create(tables, n, &class, &d->denials);
    d->denials.book = np_denials_create(base);
    d->denials.next_read = 0;
    d->denials.as_of = 0;
    ovs_list_init(&d->denials.askers);
}

static void
answer(struct np_daemon *d, struct asker *asker)
{
    struct json *facts = np_denials_create_facts(d);
    struct ds s = DS_EMPTY_INITIALIZER;

    if (asker->as_json) {
        json_to_ds(facts, JSSF_SORT, &s);
    } else {
        np_denials_format(facts, &s);
    }
    json_destroy(facts);
    unixctl_command_reply(asker->conn, ds_cstr(&s));
    ds_destroy(&s);
    ovs_list_remove(&asker->node);
    free(asker);
}

void
np_denial_desk_destroy(struct np_daemon *d)
{
    struct asker *asker;

    LIST_FOR_EACH_SAFE (asker, node, &d->denials.askers) {
        answer(d, asker);
    }
    np_learned_destroy(d->denials.learned);
    np_denials_destroy(d->denials.book);
}

void
np_denial_desk_run(struct np_daemon *d, const char *mgmt)
{
    struct np_denial_desk *desk = &d->denials;
    struct asker *asker;

    np_learned_set_target(desk->learned, mgmt);
    np_learned_run(desk->learned);
    if (time_msec() >= desk->next_read) {
        np_learned_read(desk->learned);
        desk->next_read = time_msec() + READ_MSEC;
    }
    LIST_FOR_EACH_SAFE (asker, node, &desk->askers) {
        if (np_learned_done(desk->learned) >= asker->read
            || !np_learned_is_connected(desk->learned)
            || time_msec() >= asker->deadline) {
            answer(d, asker);
        }
    }
}

void
np_denial_desk_wait(struct np_daemon *d)
{
    const struct asker *asker;

    np_learned_wait(d->denials.learned);
    poll_timer_wait_until(d->denials.next_read);
    LIST_FOR_EACH (asker, node, &d->denials.askers) {
        poll_timer_wait_until(asker->deadline);
    }
}

void
np_denial_desk_ask(struct np_daemon *d, struct unixctl_conn *conn,
                   bool as_json)
{
    struct asker *asker = xmalloc(sizeof *asker);

    *asker = (struct asker) {
        .conn = conn,
        .as_json = as_json,
        .read = np_learned_read(d->denials.learned),
        .deadline = time_msec() + ASK_MSEC,
    };
    ovs_list_push_back(&d->denials.askers, &asker->node);
    poll_immediate_wake();
}
