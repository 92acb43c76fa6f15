/* What we write into the database.
 *
 * The writer holds wishes, not commands: whenever the database or a wish has
 * changed, it compares the two and sends what is missing as one transaction.
 * One transaction is in flight at a time; when it ends, well or not, the
 * comparison is made again.  So a lost connection, a conflict with another
 * writer and a wish that changes meanwhile are the same case.
 *
 * The map columns are changed by key mutations: other programs write other
 * keys of the same maps at the same time. */

#include <config.h>
#include "ovsdb/writer.h"

#include <stdlib.h>
#include <string.h>

#include "vswitch-idl.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "smap.h"
#include "svec.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(ovsdb_writer);

#define REALIZED_KEY "netpol-realized"

/* After a transaction failed and nothing else happened. */
#define RETRY_MSEC 1000

struct table {
    uint8_t number;
    char *name;
    struct svec prefixes;       /* Sorted. */
};

struct np_writer {
    struct ovsdb_idl *idl;

    struct table *tables;
    size_t n_tables;
    bool want_secure;
    bool writes_secure;         /* 'txn' does. */
    int64_t secure_cfg;         /* Taken up by the switch once
                                 * Open_vSwitch:cur_cfg is not below. */
    bool has_realized;          /* A wish was made at all. */
    struct smap realized;       /* Interface name to value. */

    bool dirty;                 /* Compare again. */
    unsigned int seqno;         /* Of the contents compared last. */
    long long int retry_at;     /* time_msec(), 0 for at once. */
    struct ovsdb_idl_txn *txn;  /* In flight, or NULL. */

    uint64_t sync_wanted;       /* The newest np_writer_sync(). */
    uint64_t sync_sent;         /* What 'sync_txn' stands for. */
    uint64_t synced;
    struct ovsdb_idl_txn *sync_txn;
    long long int sync_retry_at;
};

struct np_writer *
np_writer_create(struct ovsdb_idl *idl)
{
    struct np_writer *w = xzalloc(sizeof *w);

    w->idl = idl;
    smap_init(&w->realized);
    ovsdb_idl_add_table(idl, &ovsrec_table_flow_table);
    ovsdb_idl_add_column(idl, &ovsrec_flow_table_col_name);
    ovsdb_idl_add_column(idl, &ovsrec_flow_table_col_prefixes);
    ovsdb_idl_add_column(idl, &ovsrec_bridge_col_flow_tables);
    ovsdb_idl_add_column(idl, &ovsrec_bridge_col_fail_mode);
    ovsdb_idl_add_column(idl, &ovsrec_interface_col_external_ids);
    ovsdb_idl_add_table(idl, &ovsrec_table_open_vswitch);
    ovsdb_idl_add_column(idl, &ovsrec_open_vswitch_col_cur_cfg);
    ovsdb_idl_add_column(idl, &ovsrec_open_vswitch_col_next_cfg);
    ovsdb_idl_omit_alert(idl, &ovsrec_open_vswitch_col_next_cfg);
    return w;
}

static void
clear_tables(struct np_writer *w)
{
    for (size_t i = 0; i < w->n_tables; i++) {
        free(w->tables[i].name);
        svec_destroy(&w->tables[i].prefixes);
    }
    free(w->tables);
    w->tables = NULL;
    w->n_tables = 0;
}

/* Forgets a transaction, finished or not; NULL is allowed. */
static void
drop_txn(struct ovsdb_idl_txn **txn)
{
    if (*txn) {
        ovsdb_idl_txn_destroy(*txn);
        *txn = NULL;
    }
}

void
np_writer_destroy(struct np_writer *w)
{
    if (w) {
        drop_txn(&w->txn);
        drop_txn(&w->sync_txn);
        clear_tables(w);
        smap_destroy(&w->realized);
        free(w);
    }
}

void
np_writer_set_tables(struct np_writer *w, const struct np_table_setting *v,
                     size_t n)
{
    clear_tables(w);
    w->tables = xcalloc(n, sizeof *w->tables);
    w->n_tables = n;
    for (size_t i = 0; i < n; i++) {
        w->tables[i].number = v[i].table;
        w->tables[i].name = xstrdup(v[i].name);
        svec_init(&w->tables[i].prefixes);
        svec_parse_words(&w->tables[i].prefixes,
                         v[i].prefixes ? v[i].prefixes : "");
        svec_sort_unique(&w->tables[i].prefixes);
    }
    w->dirty = true;
}

void
np_writer_want_secure(struct np_writer *w)
{
    w->want_secure = true;
    w->dirty = true;
}

void
np_writer_set_realized(struct np_writer *w, const struct np_realized *v,
                       size_t n)
{
    smap_clear(&w->realized);
    for (size_t i = 0; i < n; i++) {
        smap_replace(&w->realized, v[i].port, v[i].value);
    }
    w->has_realized = true;
    w->dirty = true;
}

bool
np_writer_secure_pending(const struct np_writer *w)
{
    const struct ovsrec_open_vswitch *ovs
        = ovsrec_open_vswitch_first(w->idl);

    return w->want_secure || (ovs && ovs->cur_cfg < w->secure_cfg);
}

uint64_t
np_writer_sync(struct np_writer *w)
{
    return ++w->sync_wanted;
}

uint64_t
np_writer_synced(const struct np_writer *w)
{
    return w->synced;
}

/* The bridge's Flow_Table row for table NUMBER, unless another table has the
 * same row: then changing it would change that one too. */
static const struct ovsrec_flow_table *
find_table(const struct np_writer *w, const struct ovsrec_bridge *bridge,
           uint8_t number)
{
    const struct ovsrec_flow_table *row = NULL;
    const struct ovsrec_bridge *br;
    size_t n_users = 0;

    for (size_t i = 0; i < bridge->n_flow_tables; i++) {
        if (bridge->key_flow_tables[i] == number) {
            row = bridge->value_flow_tables[i];
        }
    }
    OVSREC_BRIDGE_FOR_EACH (br, w->idl) {
        for (size_t i = 0; row && i < br->n_flow_tables; i++) {
            n_users += br->value_flow_tables[i] == row;
        }
    }
    return n_users == 1 ? row : NULL;
}

static bool
same_prefixes(const struct table *t, const struct ovsrec_flow_table *row)
{
    struct svec have = SVEC_EMPTY_INITIALIZER;
    bool same;

    for (size_t i = 0; i < row->n_prefixes; i++) {
        svec_add(&have, row->prefixes[i]);
    }
    svec_sort(&have);
    same = svec_equal(&have, &t->prefixes);
    svec_destroy(&have);
    return same;
}

static void
write_table(struct np_writer *w, const struct ovsrec_bridge *bridge,
            const struct table *t)
{
    const struct ovsrec_flow_table *row = find_table(w, bridge, t->number);

    if (!row) {
        row = ovsrec_flow_table_insert(w->txn);
        ovsrec_bridge_update_flow_tables_setkey(bridge, t->number, row);
    }
    if (!nullable_string_is_equal(row->name, t->name)) {
        ovsrec_flow_table_set_name(row, t->name);
    }
    if (!same_prefixes(t, row)) {
        ovsrec_flow_table_set_prefixes(row,
                                       (const char **) t->prefixes.names,
                                       t->prefixes.n);
    }
}

static void
write_realized(const struct np_writer *w, const struct ovsrec_interface *row)
{
    const char *want = smap_get(&w->realized, row->name);
    const char *have = smap_get(&row->external_ids, REALIZED_KEY);

    if (nullable_string_is_equal(want, have)) {
        return;
    } else if (want) {
        ovsrec_interface_update_external_ids_setkey(row, REALIZED_KEY, want);
    } else {
        ovsrec_interface_update_external_ids_delkey(row, REALIZED_KEY);
    }
}

static void
write_secure(struct np_writer *w, const struct ovsrec_bridge *bridge)
{
    const struct ovsrec_open_vswitch *ovs
        = ovsrec_open_vswitch_first(w->idl);

    if (nullable_string_is_equal(bridge->fail_mode, "secure")) {
        /* Done.  Were the wish kept, somebody's change would make us write it
         * again at a time when that flushes our own flows. */
        w->want_secure = false;
    } else if (ovs) {
        VLOG_INFO("bridge %s: setting fail_mode to secure", bridge->name);
        ovsrec_bridge_set_fail_mode(bridge, "secure");
        /* As ovs-vsctl(8) does it to wait for the switch. */
        ovsdb_idl_txn_increment(w->txn, &ovs->header_,
                                &ovsrec_open_vswitch_col_next_cfg, true);
        w->writes_secure = true;
    }
}

/* Puts into the open transaction what is missing; it may be nothing. */
static void
write_all(struct np_writer *w, const struct ovsrec_bridge *bridge)
{
    for (size_t i = 0; i < w->n_tables; i++) {
        write_table(w, bridge, &w->tables[i]);
    }
    if (w->want_secure) {
        write_secure(w, bridge);
    }
    for (size_t i = 0; w->has_realized && i < bridge->n_ports; i++) {
        const struct ovsrec_port *port = bridge->ports[i];

        for (size_t j = 0; j < port->n_interfaces; j++) {
            write_realized(w, port->interfaces[j]);
        }
    }
}

/* Finishes the transaction in flight, if it can be. */
static void
run_txn(struct np_writer *w)
{
    enum ovsdb_idl_txn_status status = ovsdb_idl_txn_commit(w->txn);

    if (status == TXN_INCOMPLETE) {
        return;
    }
    if (status == TXN_UNCHANGED) {
        w->dirty = false;
    } else if (status == TXN_SUCCESS) {
        /* The update came before the reply: what it changed is visible. */
        w->dirty = true;
        w->retry_at = 0;
        if (w->writes_secure) {
            w->secure_cfg = ovsdb_idl_txn_get_increment_new_value(w->txn);
        }
    } else {
        if (status == TXN_ERROR) {
            static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

            VLOG_ERR_RL(&rl, "the database refused a change: %s",
                        ovsdb_idl_txn_get_error(w->txn));
        }
        w->dirty = true;
        w->retry_at = time_msec() + RETRY_MSEC;
    }
    drop_txn(&w->txn);
    w->writes_secure = false;
}

/* One round trip: a transaction that would insert a row, and aborts.  The
 * server answers it after all updates that it made before (it flushes its
 * monitors in front of each reply), and nothing is written. */
static void
run_sync(struct np_writer *w)
{
    if (!w->sync_txn) {
        if (w->synced >= w->sync_wanted || time_msec() < w->sync_retry_at
            || !ovsdb_idl_has_ever_connected(w->idl)) {
            return;
        }
        w->sync_sent = w->sync_wanted;
        w->sync_txn = ovsdb_idl_txn_create(w->idl);
        ovsdb_idl_txn_set_dry_run(w->sync_txn);
        ovsrec_flow_table_insert(w->sync_txn);
    }

    enum ovsdb_idl_txn_status status = ovsdb_idl_txn_commit(w->sync_txn);
    if (status == TXN_INCOMPLETE) {
        return;
    }
    if (status == TXN_SUCCESS) {
        w->synced = w->sync_sent;
        w->sync_retry_at = 0;
    } else {
        w->sync_retry_at = time_msec() + RETRY_MSEC;
    }
    drop_txn(&w->sync_txn);
}

void
np_writer_run(struct np_writer *w, const struct ovsrec_bridge *bridge)
{
    unsigned int seqno = ovsdb_idl_get_seqno(w->idl);

    if (seqno != w->seqno) {
        w->seqno = seqno;
        w->dirty = true;
        w->retry_at = w->sync_retry_at = 0;
    }
    if (w->txn) {
        run_txn(w);
    }
    if (!bridge) {
        w->dirty = false;       /* Its coming is a change. */
    }
    if (!w->txn && w->dirty && time_msec() >= w->retry_at) {
        w->txn = ovsdb_idl_txn_create(w->idl);
        ovsdb_idl_txn_add_comment(w->txn, "%s", program_name);
        write_all(w, bridge);
        run_txn(w);
    }
    run_sync(w);
}

void
np_writer_wait(struct np_writer *w)
{
    if (w->txn) {
        ovsdb_idl_txn_wait(w->txn);
    } else if (w->dirty) {
        poll_timer_wait_until(w->retry_at);
    }
    if (w->sync_txn) {
        ovsdb_idl_txn_wait(w->sync_txn);
    } else if (w->synced < w->sync_wanted
               && ovsdb_idl_has_ever_connected(w->idl)) {
        poll_timer_wait_until(w->sync_retry_at);
    }
}
