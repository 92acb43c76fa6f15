/* All flows that a case of tests/golden compiles to, the static ones too, for
 * `ovs-ofctl add-flows`.
 *
 *     case-flows OBJECTS PORTS */

#include <config.h>
#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "netpol/flow.h"
#include "openvswitch/dynamic-string.h"
#include "unit/compile/fixture.h"
#include "util.h"

static char *
read_file(const char *name)
{
    struct ds text = DS_EMPTY_INITIALIZER, line = DS_EMPTY_INITIALIZER;
    FILE *stream = fopen(name, "r");

    if (!stream) {
        ovs_fatal(errno, "%s", name);
    }
    while (!ds_get_line(&line, stream)) {
        ds_put_format(&text, "%s\n", ds_cstr(&line));
    }
    ds_destroy(&line);
    fclose(stream);
    return ds_steal_cstr(&text);
}

int
main(int argc, char *argv[])
{
    struct np_fixture f;

    if (argc != 3) {
        ovs_fatal(0, "usage: case-flows OBJECTS PORTS");
    }
    char *ports = read_file(argv[2]);
    np_fixture_init(&f);
    np_fixture_read_objects(&f, argv[1]);
    np_fixture_read_ports(&f, ports);
    np_fixture_build(&f);

    const struct np_flow **flows = np_flow_set_sort(&f.flows);
    for (size_t i = 0; i < np_flow_set_count(&f.flows); i++) {
        struct ds s = DS_EMPTY_INITIALIZER;

        np_flow_format(flows[i], NULL, &s);
        puts(ds_cstr(&s));
        ds_destroy(&s);
    }
    free(flows);
    np_fixture_destroy(&f);
    free(ports);
    return 0;
}
