/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Varlink messages on the wire: cut out of a byte stream at their NUL, decoded and encoded. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* Bytes received and not yet taken. Zero-initialised it is empty. */
typedef struct {
    GByteArray *bytes;
    guint scanned; /* so many of them are known to hold no NUL */
} VarlinkReader;

/* Adds what was received. The caller keeps the sum in bounds by taking, or by giving up once it is
 * overflown. */
void varlink_reader_append(VarlinkReader *reader, const void *bytes, gsize length);
/* The oldest complete message, owned and without its NUL; NULL if none is complete. */
char *varlink_reader_take(VarlinkReader *reader, gsize *ret_length);
/* Whether a message is larger than LIMIT_MESSAGE_BYTES; then nothing more may be taken. */
gboolean varlink_reader_overflown(VarlinkReader *reader);
void varlink_reader_clear(VarlinkReader *reader);

typedef struct {
    char *interface; /* "io.migprep.Network" */
    char *method;    /* "Reserve" */
    json_t *parameters;
    gboolean more;
    gboolean oneway;
} VarlinkRequest;
void varlink_request_clear(VarlinkRequest *request);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(VarlinkRequest, varlink_request_clear)

/* FALSE for anything that is no request: the protocol knows no answer to that. The nesting is
 * counted (LIMIT_JSON_DEPTH) before anything is allocated for it. */
gboolean varlink_request_decode(const char *text, gsize length, VarlinkRequest *ret_request);

/* A reply as it goes out, without its NUL. @error is a full error name or NULL; @parameters is
 * borrowed, NULL: {}. Owned by the caller. */
char *varlink_reply_encode(const char *error, const json_t *parameters, gboolean continues);
