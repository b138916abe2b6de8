/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest whose agent runs a netprep-guest made of variables. */
#include "fake/fake_guest.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct FakeGuest {
    GMutex lock;
    gboolean silent, stubborn, bonded, virtio_carrier;
    char *report;
    const char *active, *primary;
    GHashTable *failures; /* verb -> count */
    GHashTable *counts;   /* verb -> count */
    char *output;         /* of the last command */
    int exit_status;
};

FakeGuest *
fake_guest_new(void)
{
    FakeGuest *guest = g_new0(FakeGuest, 1);

    g_mutex_init(&guest->lock);
    guest->bonded = guest->virtio_carrier = TRUE;
    guest->active = guest->primary = "vf";
    guest->failures = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guest->counts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return guest;
}

void
fake_guest_free(FakeGuest *guest)
{
    g_mutex_clear(&guest->lock);
    g_hash_table_unref(guest->failures);
    g_hash_table_unref(guest->counts);
    g_free(guest->report);
    g_free(guest->output);
    g_free(guest);
}

static json_t *
interface(const char *name, const char *path, gboolean carrier, gboolean bonded)
{
    return json_pack("{s:s, s:s, s:s, s:b, s:s?}", "name", name, "driver", "any", "pciPath", path,
                     "carrier", carrier, "master", bonded ? "bond0" : NULL);
}

static json_t *
bond(const FakeGuest *guest)
{
    return json_pack("{s:s, s:s, s:s, s:s?, s:i, s:s, s:[s, s]}", "name", "bond0", "mode",
                     "active-backup", "active", guest->active, "primary", guest->primary,
                     "monitorIntervalMilliseconds", 100, "failOverMac", "none", "ports", "virtio",
                     "vf");
}

static json_t *
report(const FakeGuest *guest)
{
    json_t *bonds = json_array();

    if (guest->bonded)
        json_array_append_new(bonds, bond(guest));
    return json_pack("{s:[o, o], s:o}", "interfaces",
                     interface("virtio", "03.0", guest->virtio_carrier, guest->bonded),
                     interface("vf", "04.0", TRUE, guest->bonded), "bonds", bonds);
}

static gboolean
fails(FakeGuest *guest, const char *verb)
{
    int left = GPOINTER_TO_INT(g_hash_table_lookup(guest->failures, verb));

    if (left > 0)
        g_hash_table_insert(guest->failures, g_strdup(verb), GINT_TO_POINTER(left - 1));
    return left != 0;
}

static json_t *
run_verb(FakeGuest *guest, const char *verb)
{
    unsigned count = GPOINTER_TO_UINT(g_hash_table_lookup(guest->counts, verb));

    g_hash_table_insert(guest->counts, g_strdup(verb), GUINT_TO_POINTER(count + 1));
    if (fails(guest, verb)) {
        guest->exit_status = 1;
        return json_pack("{s:s}", "error", "told to fail");
    }
    guest->exit_status = 0;
    if (g_str_equal(verb, "report"))
        return report(guest);
    if (g_str_equal(verb, "create-bond"))
        guest->bonded = TRUE;
    if (g_str_equal(verb, "use") && !guest->stubborn) {
        guest->active = "virtio";
        guest->primary = NULL;
    }
    if (g_str_equal(verb, "join"))
        guest->active = guest->primary = "vf";
    return bond(guest);
}

static json_t *
start(FakeGuest *guest, const json_t *arguments)
{
    const json_t *argv = json_object_get(arguments, "arg");
    const char *verb = json_string_value(json_array_get(argv, 0));
    json_t *result = run_verb(guest, verb);

    g_free(guest->output);
    if (guest->report && g_str_equal(verb, "report")) {
        guest->output = g_strdup(guest->report);
    } else {
        char *text = json_dumps(result, 0);
        guest->output = g_strdup(text);
        free(text);
    }
    json_decref(result);
    return json_pack("{s:{s:i}}", "return", "pid", 7);
}

static json_t *
status(const FakeGuest *guest)
{
    g_autofree char *data = g_base64_encode((const guchar *)guest->output, strlen(guest->output));

    return json_pack("{s:{s:b, s:i, s:s}}", "return", "exited", TRUE, "exitcode",
                     guest->exit_status, "out-data", data);
}

char *
fake_guest_agent(const char *uuid, const char *command, void *data)
{
    FakeGuest *guest = data;
    json_auto_t *request = json_loads(command, 0, NULL);
    const char *name = json_string_value(json_object_get(request, "execute"));
    json_auto_t *reply = NULL;

    g_mutex_lock(&guest->lock);
    if (guest->silent)
        reply = NULL;
    else if (g_str_equal(name, "guest-exec"))
        reply = start(guest, json_object_get(request, "arguments"));
    else if (g_str_equal(name, "guest-exec-status"))
        reply = status(guest);
    else
        reply = json_pack("{s:{}}", "return");
    g_mutex_unlock(&guest->lock);
    if (!reply)
        return NULL;
    char *text = json_dumps(reply, 0);
    char *copy = g_strdup(text);
    free(text);
    return copy;
}

void
fake_guest_set_silent(FakeGuest *guest, gboolean silent)
{
    g_mutex_lock(&guest->lock);
    guest->silent = silent;
    g_mutex_unlock(&guest->lock);
}

void
fake_guest_fail(FakeGuest *guest, const char *verb, int count)
{
    g_mutex_lock(&guest->lock);
    g_hash_table_insert(guest->failures, g_strdup(verb), GINT_TO_POINTER(count));
    g_mutex_unlock(&guest->lock);
}

void
fake_guest_set_stubborn(FakeGuest *guest, gboolean stubborn)
{
    guest->stubborn = stubborn;
}

void
fake_guest_set_report(FakeGuest *guest, const char *text)
{
    g_free(guest->report);
    guest->report = g_strdup(text);
}

void
fake_guest_set_bonded(FakeGuest *guest, gboolean bonded)
{
    guest->bonded = bonded;
}

void
fake_guest_set_virtio_carrier(FakeGuest *guest, gboolean carrier)
{
    guest->virtio_carrier = carrier;
}

const char *
fake_guest_active(FakeGuest *guest)
{
    g_mutex_lock(&guest->lock);
    const char *active = guest->active;
    g_mutex_unlock(&guest->lock);
    return active;
}

unsigned
fake_guest_count(FakeGuest *guest, const char *verb)
{
    g_mutex_lock(&guest->lock);
    unsigned count = GPOINTER_TO_UINT(g_hash_table_lookup(guest->counts, verb));
    g_mutex_unlock(&guest->lock);
    return count;
}
