#ifndef NETPOL_SAVED_RECORD_H
#define NETPOL_SAVED_RECORD_H 1

/* The records of a file; see record.c. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include "openvswitch/dynamic-string.h"
#include "sha1.h"

#define SAVED_VERSION "1"

/* Fields of a body are divided by null characters; a KEY is "Kind ns/name". */
enum record_type {
    RECORD_BEGIN,               /* VERSION, name of the source. */
    RECORD_PUT,                 /* KEY, file or "", "unreadable" or "", lines,
                                 * object in JSON. */
    RECORD_REMOVE,              /* KEY. */
    RECORD_KEPT,                /* All of struct np_source's 'kept': file,
                                 * seconds, file, seconds... */
    RECORD_WHOLE,               /* The snapshot ends, with so many puts. */
    RECORD_TIME,                /* Seconds since 1970: what comes before was
                                 * what the source said then. */
    N_RECORD_TYPES
};

struct record_writer {
    int fd;                     /* Owned. */
    uint8_t link[SHA1_DIGEST_SIZE];
    struct ds buf;              /* To be written. */
    off_t size;                 /* Bytes written. */
    int error;                  /* errno of the first failure, or 0; then
                                 * nothing is written any more. */
};

struct record_writer *np_record_writer_create(int fd);
/* What was not flushed is lost.  NULL is allowed. */
void np_record_writer_destroy(struct record_writer *);
/* Appends a record to what is to be written; the writer may be NULL. */
void np_record_add(struct record_writer *, enum record_type,
                   const struct ds *body);
/* Writes all.  If that fails, the file ends after its last whole record, as
 * far as that can be had. */
void np_record_flush(struct record_writer *);

enum record_result {
    RECORD_OK,
    RECORD_END,                 /* Of the file. */
    RECORD_TORN,                /* The file ends in the middle of one. */
    RECORD_BAD,                 /* Damaged. */
};

struct record_reader {
    FILE *stream;               /* Borrowed. */
    uint8_t link[SHA1_DIGEST_SIZE];
    enum record_type type;      /* Of the last record that was read, and its */
    struct ds body;             /* body, which ends with a null. */
};

void np_record_reader_init(struct record_reader *, FILE *);
void np_record_reader_destroy(struct record_reader *);
enum record_result np_record_read(struct record_reader *);

#endif /* saved/record.h */
