/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest whose agent runs a netprep-guest made of variables. */
#include "fake/fake_guest.h"

#include "fake/fake_guest_files.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* A bond with the two devices in it. */
typedef struct {
    const char *bond, *function, *virtio; /* names */
    const char *function_path, *virtio_path;
    const char *active, *primary;
} Pair;

/* A command that was started. */
typedef struct {
    char *verb;
    char *output;
    int exit_status;
} Command;

struct FakeGuest {
    GMutex lock;
    gboolean silent, stubborn, bonded, virtio_carrier;
    gboolean without_program, without_files, without_exec;
    gboolean vf_in_bond, hears_all;
    gboolean without_function, without_link; /* the first pair's */
    unsigned announcements;
    FakeGuestFiles *files;
    char *report;
    Pair pairs[2];
    unsigned pair_count;
    char *together; /* verb whose commands end only when so many were started */
    unsigned together_count;
    GHashTable *failures; /* verb -> count */
    GHashTable *counts;   /* verb -> count */
    GHashTable *commands; /* pid -> Command *, until its end was told */
    gint pid;             /* of the latest */
};

static char *
bonding_text(const FakeGuest *guest)
{
    const Pair *pair = &guest->pairs[0];
    g_autofree char *vf = guest->vf_in_bond ? g_strdup("\nSlave Interface: vf\nMII Status: up\n"
                                                       "Permanent HW addr: 02:00:00:00:00:01\n")
                                            : g_strdup("");

    return g_strdup_printf(
        "Ethernet Channel Bonding Driver: v6.1\n\n"
        "Bonding Mode: fault-tolerance (active-backup)\n"
        "Primary Slave: %s%s\nCurrently Active Slave: %s\nMII Status: up\n"
        "MII Polling Interval (ms): 100\nUp Delay (ms): 200\n\n"
        "Slave Interface: virtio\nMII Status: %s\n"
        "Permanent HW addr: 52:54:00:aa:00:01\n%s",
        pair->primary ? pair->primary : "None", pair->primary ? " (primary_reselect always)" : "",
        pair->active ? pair->active : "None", guest->virtio_carrier ? "up" : "down", vf);
}

static char *
content(void *data, const char *path)
{
    static const char *const fixed[][2] = {
        { "/sys/class/net/vf/device/uevent", "DRIVER=igbvf\nPCI_SLOT_NAME=0000:00:04.0\n" },
        { "/sys/class/net/virtio/device/uevent", "DRIVER=virtio_net\n" },
        { "/sys/class/net/virtio/device/../uevent", "PCI_SLOT_NAME=0000:00:03.0\n" },
        { "/sys/class/net/vf/flags", "0x1003\n" },
        { "/proc/net/arp",
          "IP address       HW type     Flags       HW address            Mask     Device\n"
          "10.99.0.254      0x1         0x2         52:54:00:00:00:01     *        bond0\n" },
        { "/sys/class/net/bond0/bonding/num_grat_arp", "3\n" },
    };
    const FakeGuest *guest = data;

    for (gsize i = 0; i < G_N_ELEMENTS(fixed); i++) {
        if (g_str_equal(path, fixed[i][0]))
            return g_strdup(fixed[i][1]);
    }
    if (g_str_equal(path, "/sys/class/net/bonding_masters"))
        return g_strdup(guest->bonded ? "bond0\n" : "");
    if (g_str_equal(path, "/proc/net/bonding/bond0"))
        return bonding_text(guest);
    return g_str_has_prefix(path, "/sys/class/net/bond0/bonding/") ? g_strdup("0\n") : NULL;
}

static const char *
port_name(const char *text)
{
    return g_str_equal(text, "vf") ? "vf" : g_str_equal(text, "virtio") ? "virtio" : NULL;
}

static gboolean
store(void *data, const char *path, const char *text)
{
    FakeGuest *guest = data;
    g_autofree char *option = g_path_get_basename(path);

    if (g_str_equal(option, "all_slaves_active")) {
        guest->hears_all = g_str_equal(text, "1");
    } else if (g_str_equal(option, "primary")) {
        guest->pairs[0].primary = port_name(text);
    } else if (g_str_equal(option, "slaves")) {
        if (g_str_equal(text, "+vf"))
            guest->vf_in_bond = TRUE;
        else
            fake_guest_take_vf_out(guest);
    } else if (g_str_equal(option, "active_slave")) {
        if (!port_name(text) || (g_str_equal(text, "vf") && !guest->vf_in_bond))
            return FALSE;
        if (!guest->stubborn)
            guest->pairs[0].active = port_name(text);
    }
    return TRUE;
}

static const FakeFilesOps files_ops = { content, store };

static void
command_free(Command *command)
{
    g_free(command->verb);
    g_free(command->output);
    g_free(command);
}

FakeGuest *
fake_guest_new(void)
{
    FakeGuest *guest = g_new0(FakeGuest, 1);

    g_mutex_init(&guest->lock);
    guest->bonded = guest->virtio_carrier = TRUE;
    guest->vf_in_bond = TRUE;
    guest->announcements = 3;
    guest->files = fake_guest_files_new(&files_ops, guest);
    guest->pairs[0] = (Pair) { "bond0", "vf", "virtio", "04.0", "03.0", "vf", "vf" };
    guest->pairs[1] = (Pair) { "bond1", "vf1", "virtio1", "06.0", "05.0", "vf1", "vf1" };
    guest->pair_count = 1;
    guest->commands = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)command_free);
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
    fake_guest_files_free(guest->files);
    g_free(guest->report);
    g_free(guest->together);
    g_hash_table_unref(guest->commands);
    g_free(guest);
}

static json_t *
interface(const char *name, const char *path, gboolean carrier, const char *bond)
{
    return json_pack("{s:s, s:s, s:s, s:b, s:s?}", "name", name, "driver", "any", "pciPath", path,
                     "carrier", carrier, "master", bond);
}

/* Only the first pair's VF comes and goes. */
static gboolean
has_function(const FakeGuest *guest, const Pair *pair)
{
    return pair != &guest->pairs[0] || !guest->without_function;
}

static gboolean
is_joined(const FakeGuest *guest, const Pair *pair)
{
    return pair != &guest->pairs[0] || guest->vf_in_bond;
}

static json_t *
bond(const FakeGuest *guest, const Pair *pair)
{
    json_t *ports = json_pack("[s]", pair->virtio);

    if (is_joined(guest, pair))
        json_array_append_new(ports, json_string(pair->function));
    return json_pack("{s:s, s:s, s:s, s:s?, s:i, s:s, s:i, s:o}", "name", pair->bond, "mode",
                     "active-backup", "active", pair->active, "primary", pair->primary,
                     "monitorIntervalMilliseconds", 100, "failOverMac", "none", "gratuitousArp",
                     (int)guest->announcements, "ports", ports);
}

static json_t *
report(const FakeGuest *guest)
{
    json_t *interfaces = json_array(), *bonds = json_array();

    for (unsigned i = 0; i < guest->pair_count; i++) {
        const Pair *pair = &guest->pairs[i];
        const char *name = guest->bonded ? pair->bond : NULL;

        json_array_append_new(
            interfaces, interface(pair->virtio, pair->virtio_path, guest->virtio_carrier, name));
        if (has_function(guest, pair))
            json_array_append_new(interfaces, interface(pair->function, pair->function_path, TRUE,
                                                        is_joined(guest, pair) ? name : NULL));
        if (guest->bonded)
            json_array_append_new(bonds, bond(guest, pair));
    }
    return json_pack("{s:o, s:o}", "interfaces", interfaces, "bonds", bonds);
}

static gboolean
fails(FakeGuest *guest, const char *verb)
{
    int left = GPOINTER_TO_INT(g_hash_table_lookup(guest->failures, verb));

    if (left > 0)
        g_hash_table_insert(guest->failures, g_strdup(verb), GINT_TO_POINTER(left - 1));
    return left != 0;
}

/* The pair whose bond the arguments name, else the first. */
static Pair *
find_pair(FakeGuest *guest, const json_t *argv)
{
    for (size_t i = 0; i + 1 < json_array_size(argv); i++) {
        const char *name = json_string_value(json_array_get(argv, i + 1));

        if (g_str_equal(json_string_value(json_array_get(argv, i)), "--bond") &&
            g_str_equal(name, guest->pairs[1].bond))
            return &guest->pairs[1];
    }
    return &guest->pairs[0];
}

static json_t *
run_verb(FakeGuest *guest, const char *verb, const json_t *argv, int *ret_exit_status)
{
    unsigned count = GPOINTER_TO_UINT(g_hash_table_lookup(guest->counts, verb));
    Pair *pair = find_pair(guest, argv);

    g_hash_table_insert(guest->counts, g_strdup(verb), GUINT_TO_POINTER(count + 1));
    gboolean absent = g_str_equal(verb, "join") && !has_function(guest, pair);
    gboolean cut = g_str_equal(verb, "join") && guest->without_link;
    *ret_exit_status = fails(guest, verb) || absent || cut;
    if (*ret_exit_status)
        return json_pack("{s:s}", "error",
                         absent ? "no such device"
                         : cut  ? "no carrier"
                                : "told to fail");
    if (g_str_equal(verb, "hooks"))
        return json_pack("{s:[]}", "hooks");
    if (g_str_equal(verb, "report"))
        return report(guest);
    if (g_str_equal(verb, "repair"))
        guest->announcements = 3;
    if (g_str_equal(verb, "create-bond"))
        guest->bonded = TRUE;
    if (g_str_equal(verb, "use") && !guest->stubborn) {
        pair->active = pair->virtio;
        pair->primary = NULL;
    }
    if (g_str_equal(verb, "join")) {
        pair->active = pair->primary = pair->function;
        guest->vf_in_bond |= pair == &guest->pairs[0];
    }
    return bond(guest, pair);
}

static json_t *
start(FakeGuest *guest, const json_t *arguments)
{
    const json_t *argv = json_object_get(arguments, "arg");
    const char *verb = json_string_value(json_array_get(argv, 0));
    Command *command = g_new0(Command, 1);
    json_auto_t *result = run_verb(guest, verb, argv, &command->exit_status);

    command->verb = g_strdup(verb);
    if (guest->report && g_str_equal(verb, "report")) {
        command->output = g_strdup(guest->report);
    } else {
        char *text = json_dumps(result, 0);
        command->output = g_strdup(text);
        free(text);
    }
    guest->pid++;
    g_hash_table_insert(guest->commands, GINT_TO_POINTER(guest->pid), command);
    return json_pack("{s:{s:i}}", "return", "pid", guest->pid);
}

static gboolean
has_ended(const FakeGuest *guest, const Command *command)
{
    return !guest->together || !g_str_equal(guest->together, command->verb) ||
           GPOINTER_TO_UINT(g_hash_table_lookup(guest->counts, command->verb)) >=
               guest->together_count;
}

static json_t *
status(FakeGuest *guest, const json_t *arguments)
{
    gint pid = (gint)json_integer_value(json_object_get(arguments, "pid"));
    const Command *command = g_hash_table_lookup(guest->commands, GINT_TO_POINTER(pid));

    if (!command)
        return json_pack("{s:{s:s}}", "error", "desc", "Invalid parameter 'pid'");
    if (!has_ended(guest, command))
        return json_pack("{s:{s:b}}", "return", "exited", FALSE);
    g_autofree char *data =
        g_base64_encode((const guchar *)command->output, strlen(command->output));
    json_t *told = json_pack("{s:{s:b, s:i, s:s}}", "return", "exited", TRUE, "exitcode",
                             command->exit_status, "out-data", data);
    /* Told once, as QEMU's agent does. */
    g_hash_table_remove(guest->commands, GINT_TO_POINTER(pid));
    return told;
}

static json_t *
info(const FakeGuest *guest)
{
    static const char *const commands[] = {
        "guest-exec",
        "guest-exec-status",
        "guest-file-open",
        "guest-file-read",
        "guest-file-write",
        "guest-file-close",
        "guest-network-get-interfaces",
    };
    json_t *supported = json_array();

    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        gboolean enabled =
            !(guest->without_files && g_str_has_prefix(commands[i], "guest-file-")) &&
            !(guest->without_exec && g_str_has_prefix(commands[i], "guest-exec"));
        json_array_append_new(supported,
                              json_pack("{s:s, s:b}", "name", commands[i], "enabled", enabled));
    }
    return json_pack("{s:{s:s, s:o}}", "return", "version", "10.0", "supported_commands",
                     supported);
}

static json_t *
interfaces(void)
{
    return json_pack("{s:[{s:s}, {s:s, s:s, s:[{s:s, s:s}]}, {s:s, s:s}, {s:s, s:s}]}", "return",
                     "name", "lo", "name", "bond0", "hardware-address", "52:54:00:aa:00:01",
                     "ip-addresses", "ip-address", "10.99.0.11", "ip-address-type", "ipv4", "name",
                     "virtio", "hardware-address", "52:54:00:aa:00:01", "name", "vf",
                     "hardware-address", "52:54:00:aa:00:01");
}

static json_t *
answer(FakeGuest *guest, const char *name, const json_t *arguments)
{
    if (g_str_equal(name, "guest-exec"))
        return guest->without_program ? json_pack("{s:{s:s}}", "error", "desc", "no such file")
                                      : start(guest, arguments);
    if (g_str_equal(name, "guest-exec-status"))
        return status(guest, arguments);
    if (g_str_equal(name, "guest-info"))
        return info(guest);
    if (g_str_equal(name, "guest-network-get-interfaces"))
        return interfaces();
    if (g_str_has_prefix(name, "guest-file-") && guest->without_files)
        return json_pack("{s:{s:s}}", "error", "desc", "Command guest-file-open has been disabled");
    if (g_str_has_prefix(name, "guest-file-"))
        return fake_guest_files_command(guest->files, name, arguments);
    return json_pack("{s:{}}", "return");
}

char *
fake_guest_agent(const char *uuid, const char *command, void *data)
{
    FakeGuest *guest = data;
    json_auto_t *request = json_loads(command, 0, NULL);
    const char *name = json_string_value(json_object_get(request, "execute"));
    json_auto_t *reply = NULL;

    g_mutex_lock(&guest->lock);
    if (!guest->silent)
        reply = answer(guest, name, json_object_get(request, "arguments"));
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
fake_guest_set_announcements(FakeGuest *guest, unsigned announcements)
{
    guest->announcements = announcements;
}

void
fake_guest_set_program(FakeGuest *guest, gboolean present)
{
    guest->without_program = !present;
}

void
fake_guest_set_files(FakeGuest *guest, gboolean allowed)
{
    guest->without_files = !allowed;
}

void
fake_guest_set_exec(FakeGuest *guest, gboolean allowed)
{
    guest->without_exec = !allowed;
}

unsigned
fake_guest_open_files(FakeGuest *guest)
{
    return fake_guest_files_open_count(guest->files);
}

gboolean
fake_guest_hears_all(FakeGuest *guest)
{
    return guest->hears_all;
}

void
fake_guest_take_vf_out(FakeGuest *guest)
{
    guest->vf_in_bond = FALSE;
    guest->pairs[0].active = "virtio";
    guest->pairs[0].primary = NULL;
}

void
fake_guest_set_function(FakeGuest *guest, gboolean present)
{
    g_mutex_lock(&guest->lock);
    guest->without_function = !present;
    if (!present)
        fake_guest_take_vf_out(guest);
    g_mutex_unlock(&guest->lock);
}

void
fake_guest_set_function_carrier(FakeGuest *guest, gboolean carrier)
{
    g_mutex_lock(&guest->lock);
    guest->without_link = !carrier;
    g_mutex_unlock(&guest->lock);
}

gboolean
fake_guest_has_joined(FakeGuest *guest)
{
    g_mutex_lock(&guest->lock);
    gboolean joined = guest->vf_in_bond;
    g_mutex_unlock(&guest->lock);
    return joined;
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
fake_guest_set_two_bonds(FakeGuest *guest)
{
    guest->pair_count = 2;
}

void
fake_guest_end_together(FakeGuest *guest, const char *verb, unsigned count)
{
    g_free(guest->together);
    guest->together = g_strdup(verb);
    guest->together_count = count;
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
    const char *active = guest->pairs[0].active;
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
