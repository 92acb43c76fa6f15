/* The switch's database.
 *
 * The IDL keeps a copy of the few columns that we need.  Whenever the copy has
 * changed, or an address of this host has, the port map and the bridge's state
 * are made again from scratch and compared with the ones before: a bridge has
 * at most some hundreds of ports, and many changes in the database, our own
 * writes among them, turn out to be none. */

#include <config.h>
#include "netpol/ovsdb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dirs.h"
#include "vswitch-idl.h"
#include "openvswitch/uuid.h"
#include "openvswitch/vlog.h"
#include "ovsdb-idl.h"
#include "ovsdb-session.h"
#include "ovsdb/hostaddr.h"
#include "ovsdb/row.h"
#include "ovsdb/writer.h"
#include "socket-util.h"
#include "svec.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(ovsdb);

/* struct np_bridge_state with its strings owned. */
struct state {
    bool connected;
    bool exists;
    bool secure;
    char *mgmt;
    char *datapath_type;
    char *problem;
};

struct np_ovsdb {
    char *remote;
    char *bridge;
    struct ovsdb_idl *idl;
    struct np_hostaddr *hostaddr;
    struct np_writer *writer;
    unsigned int seqno;         /* Of the contents that 'ports' shows. */
    struct np_portmap ports;
    uint64_t n_port_changes;
    struct state state;
};

/* Is S "HOST[:PORT]"?  Whether the host is found shows later. */
static bool
is_host_port(const char *s)
{
    char *copy = xstrdup(s);
    char *host, *port;
    int number;
    bool ok;

    inet_parse_host_port_tokens(copy, &host, &port);
    ok = host && *host && !strpbrk(host, " /")
         && (!port || (str_to_int(port, 10, &number)
                       && number > 0 && number <= UINT16_MAX));
    free(copy);
    return ok;
}

/* Checks REMOTE as ovsdb-idl would take it, which itself only logs what it
 * cannot use.  Returns an error to be freed, or NULL. */
static char *
check_remote(const char *remote)
{
    struct svec remotes = SVEC_EMPTY_INITIALIZER;
    struct uuid cid;
    char *error = NULL;

    ovsdb_session_parse_remote(remote, &remotes, &cid);
    if (!remotes.n) {
        error = xasprintf("\"%s\" names no database", remote);
    }
    for (size_t i = 0; i < remotes.n && !error; i++) {
        const char *name = remotes.names[i];

        if (!strncmp(name, "unix:", 5)
            ? !name[5]
            : ((strncmp(name, "tcp:", 4) && strncmp(name, "ssl:", 4))
               || !is_host_port(name + 4))) {
            error = xasprintf("\"%s\" is not a database address such as "
                              "unix:FILE, tcp:HOST:PORT or ssl:HOST:PORT",
                              name);
        }
    }
    svec_destroy(&remotes);
    return error;
}

static void
add_columns(struct ovsdb_idl *idl)
{
    ovsdb_idl_add_table(idl, &ovsrec_table_bridge);
    ovsdb_idl_add_column(idl, &ovsrec_bridge_col_name);
    ovsdb_idl_add_column(idl, &ovsrec_bridge_col_ports);
    ovsdb_idl_add_column(idl, &ovsrec_bridge_col_fail_mode);
    ovsdb_idl_add_column(idl, &ovsrec_bridge_col_datapath_type);
    ovsdb_idl_add_table(idl, &ovsrec_table_port);
    ovsdb_idl_add_column(idl, &ovsrec_port_col_interfaces);
    ovsdb_idl_add_column(idl, &ovsrec_port_col_external_ids);
    ovsdb_idl_add_table(idl, &ovsrec_table_interface);
    ovsdb_idl_add_column(idl, &ovsrec_interface_col_name);
    ovsdb_idl_add_column(idl, &ovsrec_interface_col_type);
    ovsdb_idl_add_column(idl, &ovsrec_interface_col_ofport);
    ovsdb_idl_add_column(idl, &ovsrec_interface_col_mac_in_use);
    ovsdb_idl_add_column(idl, &ovsrec_interface_col_external_ids);
}

struct np_ovsdb *
np_ovsdb_create(const char *remote, const char *bridge, char **error)
{
    struct np_ovsdb *o;

    *error = check_remote(remote);
    if (*error) {
        return NULL;
    }
    o = xzalloc(sizeof *o);
    o->remote = xstrdup(remote);
    o->bridge = xstrdup(bridge);
    o->idl = ovsdb_idl_create(remote, &ovsrec_idl_class, false, true);
    ovsdb_idl_set_leader_only(o->idl, false);
    add_columns(o->idl);
    o->writer = np_writer_create(o->idl);
    o->hostaddr = np_hostaddr_create();
    return o;
}

static void
state_clear(struct state *s)
{
    free(s->mgmt);
    free(s->datapath_type);
    free(s->problem);
    memset(s, 0, sizeof *s);
}

static bool
state_equal(const struct state *a, const struct state *b)
{
    return a->connected == b->connected
           && a->exists == b->exists
           && a->secure == b->secure
           && nullable_string_is_equal(a->mgmt, b->mgmt)
           && nullable_string_is_equal(a->datapath_type, b->datapath_type)
           && nullable_string_is_equal(a->problem, b->problem);
}

void
np_ovsdb_destroy(struct np_ovsdb *o)
{
    if (o) {
        np_writer_destroy(o->writer);
        np_hostaddr_destroy(o->hostaddr);
        ovsdb_idl_destroy(o->idl);
        np_portmap_clear(&o->ports);
        state_clear(&o->state);
        free(o->remote);
        free(o->bridge);
        free(o);
    }
}

static const struct ovsrec_bridge *
find_bridge(const struct np_ovsdb *o)
{
    const struct ovsrec_bridge *br;

    OVSREC_BRIDGE_FOR_EACH (br, o->idl) {
        if (!strcmp(br->name, o->bridge)) {
            return br;
        }
    }
    return NULL;
}

static void
read_state(const struct np_ovsdb *o, const struct ovsrec_bridge *br,
           struct state *s)
{
    memset(s, 0, sizeof *s);
    s->connected = (ovsdb_idl_has_ever_connected(o->idl)
                    && ovsdb_idl_is_connected(o->idl));
    if (!s->connected) {
        int error = ovsdb_idl_get_last_error(o->idl);

        s->problem = xasprintf("waiting for %s: %s", o->remote,
                               error ? ovs_retval_to_string(error)
                               : "not connected yet");
    }
    if (br) {
        s->exists = true;
        s->secure = (nullable_string_is_equal(br->fail_mode, "secure")
                     && !np_writer_secure_pending(o->writer));
        s->mgmt = xasprintf("unix:%s/%s.mgmt", ovs_rundir(), br->name);
        s->datapath_type = xstrdup(br->datapath_type);
    } else if (s->connected) {
        s->problem = xasprintf("waiting for bridge %s: %s has none of that "
                               "name", o->bridge, o->remote);
    }
}

static void
read_port(const struct np_ovsdb *o, const struct ovsrec_port *port,
          const struct ovsrec_interface *iface, struct np_bridge_port *p)
{
    const struct np_port_row row = {
        .bridge = o->bridge,
        .name = iface->name,
        .type = iface->type,
        .ofport = iface->n_ofport ? iface->ofport[0] : -1,
        .mac_in_use = iface->mac_in_use,
        .iface_ids = &iface->external_ids,
        .port_ids = &port->external_ids,
    };

    np_port_from_row(&row, p);
    if (p->role == NP_PORT_NODE && !p->n_addrs) {
        np_hostaddr_read(p);
    }
}

static int
compare_ports(const void *a_, const void *b_)
{
    const struct np_bridge_port *a = a_;
    const struct np_bridge_port *b = b_;

    return strcmp(a->name, b->name);
}

static void
read_ports(const struct np_ovsdb *o, const struct ovsrec_bridge *br,
           struct np_portmap *map)
{
    size_t allocated = 0;

    memset(map, 0, sizeof *map);
    for (size_t i = 0; br && i < br->n_ports; i++) {
        const struct ovsrec_port *port = br->ports[i];

        for (size_t j = 0; j < port->n_interfaces; j++) {
            if (map->n >= allocated) {
                map->v = x2nrealloc(map->v, &allocated, sizeof *map->v);
            }
            read_port(o, port, port->interfaces[j], &map->v[map->n++]);
        }
    }
    if (map->n) {
        qsort(map->v, map->n, sizeof *map->v, compare_ports);
    }
}

/* Makes the port map again; returns true if it is another. */
static bool
update_ports(struct np_ovsdb *o, const struct ovsrec_bridge *br)
{
    struct np_portmap map;

    read_ports(o, br, &map);
    if (np_portmap_equal(&map, &o->ports)) {
        np_portmap_clear(&map);
        return false;
    }
    o->n_port_changes += np_portmap_count_changes(&o->ports, &map);
    np_portmap_clear(&o->ports);
    o->ports = map;
    return true;
}

static bool
update_state(struct np_ovsdb *o, const struct ovsrec_bridge *br)
{
    struct state state;

    read_state(o, br, &state);
    if (state_equal(&state, &o->state)) {
        state_clear(&state);
        return false;
    }
    /* The first moment, before any attempt to connect, is not worth a line. */
    bool worth = state.connected || ovsdb_idl_get_last_error(o->idl);
    if (state.problem && worth
        && !nullable_string_is_equal(state.problem, o->state.problem)) {
        VLOG_INFO("%s", state.problem);
    } else if (state.exists && !o->state.exists) {
        VLOG_INFO("bridge %s found", o->bridge);
    }
    state_clear(&o->state);
    o->state = state;
    return true;
}

bool
np_ovsdb_run(struct np_ovsdb *o)
{
    bool changed = np_hostaddr_run(o->hostaddr);
    const struct ovsrec_bridge *br;
    unsigned int seqno;

    ovsdb_idl_run(o->idl);
    br = find_bridge(o);
    np_writer_run(o->writer, br);

    seqno = ovsdb_idl_get_seqno(o->idl);
    if (changed || seqno != o->seqno) {
        o->seqno = seqno;
        changed = update_ports(o, br);
    }
    return update_state(o, br) || changed;
}

void
np_ovsdb_wait(struct np_ovsdb *o)
{
    ovsdb_idl_wait(o->idl);
    np_writer_wait(o->writer);
    np_hostaddr_wait(o->hostaddr);
}

uint64_t
np_ovsdb_sync(struct np_ovsdb *o)
{
    return np_writer_sync(o->writer);
}

uint64_t
np_ovsdb_synced(const struct np_ovsdb *o)
{
    return np_writer_synced(o->writer);
}

void
np_ovsdb_get_bridge(const struct np_ovsdb *o, struct np_bridge_state *s)
{
    *s = (struct np_bridge_state) {
        .connected = o->state.connected,
        .exists = o->state.exists,
        .secure = o->state.secure,
        .mgmt = o->state.mgmt,
        .datapath_type = o->state.datapath_type,
        .problem = o->state.problem,
    };
}

uint64_t
np_ovsdb_n_port_changes(const struct np_ovsdb *o)
{
    return o->n_port_changes;
}

const struct np_portmap *
np_ovsdb_ports(const struct np_ovsdb *o)
{
    return &o->ports;
}

void
np_ovsdb_set_tables(struct np_ovsdb *o, const struct np_table_setting *v,
                    size_t n)
{
    np_writer_set_tables(o->writer, v, n);
}

void
np_ovsdb_want_secure(struct np_ovsdb *o)
{
    np_writer_want_secure(o->writer);
}

void
np_ovsdb_set_realized(struct np_ovsdb *o, const struct np_realized *v,
                      size_t n)
{
    np_writer_set_realized(o->writer, v, n);
}
