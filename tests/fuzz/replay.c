/* Runs a target once on each file named, where there is no libFuzzer. */

#include <config.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include "fuzz/fuzz.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

int
main(int argc, char *argv[])
{
    LLVMFuzzerInitialize(&argc, &argv);
    for (int i = 1; i < argc; i++) {
        FILE *stream = fopen(argv[i], "r");
        struct ds s = DS_EMPTY_INITIALIZER;
        int c;

        if (!stream) {
            ovs_fatal(errno, "%s", argv[i]);
        }
        while ((c = getc(stream)) != EOF) {
            ds_put_char(&s, c);
        }
        fclose(stream);
        LLVMFuzzerTestOneInput((const uint8_t *) ds_cstr(&s), s.length);
        ds_destroy(&s);
    }
    return 0;
}
