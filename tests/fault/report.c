/* What is said at the end, as JSON.
 *
 *     {"drops": {LISTENER: N},         frames that its socket had no room for
 *      "streams": {NAME: {
 *          "tcp": BOOLEAN,
 *          "sent": N, "failed": N,     failed: the kernel did not take it
 *          "received": N, "duplicates": N,
 *          "wrong": [[FIRST, LAST, SINCE, UNTIL], ...],
 *          "more": N,                  further such stretches, not listed
 *          "astray": N, "astray_at": LISTENER or null,
 *          "stall": S, "stall_end": S, the longest way of one, when it arrived
 *          "error": TEXT or null}}}    TCP: why the connection broke
 *
 * "wrong" are stretches of numbers that were sent and, in a stream that is
 * allowed, did not arrive, in one that is denied, arrived; SINCE and UNTIL are
 * when the first and last of them were sent.  Times are seconds of
 * CLOCK_MONOTONIC. */

#include <config.h>

#include "streams.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "openvswitch/json.h"
#include "util.h"

enum { MAX_LISTED = 10000 };

static void
print(struct json *json)
{
    char *s = json_to_string(json, JSSF_SORT);

    puts(s);
    fflush(stdout);
    free(s);
    json_destroy(json);
}

static void
put_integer(struct json *object, const char *name, long long int value)
{
    json_object_put(object, name, json_integer_create(value));
}

static struct json *
seconds(int64_t ns)
{
    return json_real_create(ns / 1e9);
}

/* A TCP byte that is still on its way when the traffic ends is not lost. */
static bool
is_wrong(const struct stream *s, uint32_t n)
{
    return s->sent_at[n] && !s->tcp && s->allowed == !s->seen[n];
}

static void
put_wrong(const struct stream *s, struct json *object)
{
    struct json *list = json_array_create_empty();
    int more = 0;

    for (uint32_t n = 0; n < s->n; n++) {
        if (!is_wrong(s, n)) {
            continue;
        }
        uint32_t first = n;
        while (n + 1 < s->n && is_wrong(s, n + 1)) {
            n++;
        }
        if (json_array(list)->n < MAX_LISTED) {
            struct json *ends[] = {
                json_integer_create(first), json_integer_create(n),
                seconds(s->sent_at[first]), seconds(s->sent_at[n]),
            };
            json_array_add(list, json_array_create(
                               xmemdup(ends, sizeof ends), ARRAY_SIZE(ends)));
        } else {
            more++;
        }
    }
    json_object_put(object, "wrong", list);
    put_integer(object, "more", more);
}

static uint32_t
count_duplicates(const struct stream *s)
{
    uint32_t n_duplicates = 0;

    for (uint32_t n = 0; n < s->n; n++) {
        n_duplicates += s->seen[n] > 1;
    }
    return n_duplicates;
}

static void
put_text(struct json *object, const char *name, const char *text)
{
    json_object_put(object, name, (text ? json_string_create(text)
                                   : json_null_create()));
}

static struct json *
report_stream(const struct streams *all, const struct stream *s)
{
    struct json *object = json_object_create();

    json_object_put(object, "tcp", json_boolean_create(s->tcp));
    put_integer(object, "sent", s->tcp ? s->n : s->n - s->n_failed);
    put_integer(object, "failed", s->n_failed);
    put_integer(object, "received", s->n_received);
    put_integer(object, "duplicates", count_duplicates(s));
    put_wrong(s, object);
    put_integer(object, "astray", s->n_astray);
    put_text(object, "astray_at",
             s->n_astray ? all->listeners[s->astray_at].name : NULL);
    json_object_put(object, "stall", seconds(s->stall));
    json_object_put(object, "stall_end", seconds(s->stall_end));
    put_text(object, "error", s->error ? ovs_strerror(s->error) : NULL);
    return object;
}

static unsigned int
drops(const struct listener *l)
{
    struct tpacket_stats stats;
    socklen_t len = sizeof stats;

    if (getsockopt(l->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len)) {
        ovs_fatal(errno, "PACKET_STATISTICS");
    }
    return stats.tp_drops;
}

void
report(const struct streams *all)
{
    struct json *object = json_object_create();
    struct json *by_listener = json_object_create();
    struct json *by_stream = json_object_create();

    for (size_t i = 0; i < all->n_listeners; i++) {
        put_integer(by_listener, all->listeners[i].name,
                    drops(&all->listeners[i]));
    }
    for (size_t i = 0; i < all->n_streams; i++) {
        json_object_put(by_stream, all->streams[i].name,
                        report_stream(all, &all->streams[i]));
    }
    json_object_put(object, "drops", by_listener);
    json_object_put(object, "streams", by_stream);
    print(object);
}

void
report_newest(const struct streams *all)
{
    struct json *object = json_object_create();

    for (size_t i = 0; i < all->n_streams; i++) {
        json_object_put(object, all->streams[i].name,
                        seconds(all->streams[i].newest));
    }
    print(object);
}
