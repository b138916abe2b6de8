/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the file of guests that left. It is a convenience: what runs where only libvirt says. */
#include "common/cli/drain_record.h"

#include <errno.h>

#include "common/cli/reply.h"
#include "common/fault.h"

#define RECORD_PATH "/var/lib/migprep/drained.json"

struct DrainRecord {
    char *path;
    json_t *guests;
};

static gboolean
refuse(const DrainRecord *record, const char *cause, GError **error)
{
    fault_set(error, FAULT_STORE_FAILED, record->path, "mend it as root, or remove the file", "%s",
              cause);
    return FALSE;
}

static gboolean
read_file(DrainRecord *record, GError **error)
{
    json_error_t mistake;

    if (!g_file_test(record->path, G_FILE_TEST_EXISTS)) {
        record->guests = json_array();
        return TRUE;
    }
    json_auto_t *document = json_load_file(record->path, JSON_REJECT_DUPLICATES, &mistake);
    if (!document)
        return refuse(record, mistake.text, error);
    json_t *guests = json_object_get(document, "guests");
    if (!json_is_array(guests))
        return refuse(record, "it holds no list of guests", error);
    record->guests = json_incref(guests);
    return TRUE;
}

DrainRecord *
drain_record_load(const char *root, GError **error)
{
    g_autoptr(DrainRecord) record = g_new0(DrainRecord, 1);

    record->path = g_strconcat(root, RECORD_PATH, NULL);
    return read_file(record, error) ? g_steal_pointer(&record) : NULL;
}

void
drain_record_free(DrainRecord *record)
{
    if (!record)
        return;
    g_free(record->path);
    json_decref(record->guests);
    g_free(record);
}

const json_t *
drain_record_guests(const DrainRecord *record)
{
    return record->guests;
}

static gboolean
save(const DrainRecord *record, GError **error)
{
    json_auto_t *document = json_pack("{s:O}", "guests", record->guests);
    g_autofree char *text = json_dumps(document, JSON_INDENT(2));
    g_autofree char *directory = g_path_get_dirname(record->path);
    g_autoptr(GError) failure = NULL;

    if (g_mkdir_with_parents(directory, 0755) < 0)
        return refuse(record, g_strerror(errno), error);
    return g_file_set_contents_full(record->path, text, -1,
                                    G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE,
                                    0644, &failure) ||
           refuse(record, failure->message, error);
}

static gboolean
drop(DrainRecord *record, const char *uuid)
{
    for (size_t i = json_array_size(record->guests); i-- > 0;) {
        if (g_str_equal(reply_text(json_array_get(record->guests, i), "uuid"), uuid))
            return json_array_remove(record->guests, i) == 0;
    }
    return FALSE;
}

gboolean
drain_record_add(DrainRecord *record, const DrainGuest *guest, const char *host,
                 DrainOutcome outcome, GError **error)
{
    (void)drop(record, guest->uuid);
    json_array_append_new(record->guests, json_pack("{s:s, s:s, s:s?, s:s}", "name", guest->name,
                                                    "uuid", guest->uuid, "host", host, "outcome",
                                                    drain_outcome_name(outcome)));
    while (json_array_size(record->guests) > DRAIN_RECORD_MAX)
        json_array_remove(record->guests, 0);
    return save(record, error);
}

gboolean
drain_record_forget(DrainRecord *record, const char *uuid, GError **error)
{
    return !drop(record, uuid) || save(record, error);
}
