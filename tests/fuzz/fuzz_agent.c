/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A guest that lies: each line of the input is what its agent answers next, whatever it was asked.
 *
 * The first line is one digit, which says what is wanted of the guest. A line that begins with '='
 * is the output of a program that ended, one that begins with '<' the content of a file, both in
 * plain text with '|' for the ends of lines; other lines are answers as they are. */
#include <string.h>

#include "common/guest_agent.h"
#include "common/guest_file.h"
#include "common/guest_hooks.h"
#include "common/limits.h"
#include "fake/fake_hypervisor.h"
#include "fuzz.h"
#include "netprep/bond.h"
#include "netprep/bonding_text.h"
#include "netprep/guest_files.h"
#include "netprep/guest_neighbours.h"
#include "netprep/guest_program.h"
#include "netprep/leg_probe.h"
#include "netprep/text_check.h"

#define UUID "7c8a1f9e-6f0e-4d5b-9c39-0d0a3c7b1a55"

static char *
wrap(char *text, const char *format)
{
    g_autofree char *content = g_strdelimit(g_strdup(text), "|", '\n');
    g_autofree char *data = g_base64_encode((const guchar *)content, strlen(content));

    g_free(text);
    return g_strconcat(format, data, "\"}}", NULL);
}

static char *
answer(const char *uuid, const char *command, void *data)
{
    char *line = fuzz_take_text(data, '\n');

    if (line && *line == '=') {
        char *text = g_strdup(line + 1);
        g_free(line);
        return wrap(text, "{\"return\":{\"exited\":true,\"exitcode\":0,\"out-data\":\"");
    }
    if (line && *line == '<') {
        char *text = g_strdup(line + 1);
        g_free(line);
        return wrap(text, "{\"return\":{\"count\":1,\"eof\":true,\"buf-b64\":\"");
    }
    return line;
}

static void
check_bond(const GuestBond *bond)
{
    FUZZ_ASSERT(text_is_link_name(bond->name));
    FUZZ_ASSERT(!bond->active || text_is_link_name(bond->active));
    FUZZ_ASSERT(!bond->primary || text_is_link_name(bond->primary));
    for (char **port = bond->ports; *port; port++)
        FUZZ_ASSERT(text_is_link_name(*port));
}

/* Whatever the guest says, what is left of it can be shown and made into paths. */
static void
check_report(GuestReport *report)
{
    for (guint i = 0; i < report->interfaces->len; i++) {
        const GuestInterface *interface = report->interfaces->pdata[i];

        FUZZ_ASSERT(text_is_link_name(interface->name));
        FUZZ_ASSERT(!interface->mac || text_is_mac(interface->mac));
        FUZZ_ASSERT(!interface->pci_path || text_is_pci_path(interface->pci_path));
        FUZZ_ASSERT(!interface->master || text_is_link_name(interface->master));
        FUZZ_ASSERT(!interface->driver || text_is_name(interface->driver));
    }
    for (guint i = 0; i < report->bonds->len; i++)
        check_bond(report->bonds->pdata[i]);
    json_auto_t *bonds = guest_report_bonds_to_json(report);
    json_auto_t *hooks = guest_report_hooks_to_json(report);
    FUZZ_ASSERT(bonds && hooks);
    guest_report_free(report);
}

static void
ask_report(const BondAccess *access, gboolean by_files)
{
    gboolean absent = FALSE;
    GuestReport *report =
        by_files ? guest_files_report(access, NULL) : guest_program_report(access, &absent, NULL);

    if (report)
        check_report(report);
}

static void
ask_neighbours(const BondAccess *access)
{
    g_autoptr(GuestNeighbourhood) around = guest_neighbourhood_read(access, NULL);
    g_autoptr(GuestNeighbours) found = around ? guest_neighbours_of(around, "bond0") : NULL;

    FUZZ_ASSERT(!found || (g_strv_length(found->own) <= LEG_PROBE_ADDRESSES &&
                           g_strv_length(found->neighbours) <= LEG_PROBE_ADDRESSES));
}

static void
ask_hooks(const BondAccess *access)
{
    const ConfigHooks config = { .seconds = 1 };
    const GuestHooks hooks = { access->hypervisor, access->guest_name, access->guest_uuid, &config,
                               access->cancellable };
    g_autoptr(GError) error = NULL;
    unsigned count = 0;

    const gboolean done = guest_hooks_run(&hooks, GUEST_HOOKS_BEFORE_MIGRATION, &count, &error);

    FUZZ_ASSERT(done == !error);
    FUZZ_ASSERT(count <= LIMIT_HOOKS);
    FUZZ_ASSERT(!error ||
                (g_utf8_validate(error->message, -1, NULL) && !strchr(error->message, '\n')));
}

static void
ask(const BondAccess *access, unsigned what)
{
    GuestAbilities abilities = 0;
    gboolean absent = FALSE;

    switch (what % 7) {
    case 0:
        guest_agent_abilities(access->hypervisor, UUID, 1, &abilities, NULL);
        break;
    case 1:
    case 2:
        ask_report(access, what % 7 == 2);
        break;
    case 3:
        ask_neighbours(access);
        break;
    case 4:
        ask_hooks(access);
        break;
    case 5:
        bond_use(access, "bond0", "eth0", NULL);
        guest_program_join(access, "bond0", "04.0", 0, &absent, NULL);
        break;
    case 6:
        guest_file_write(access->hypervisor, UUID, "/sys/x", "1", 1, NULL);
        guest_files_use(access, "bond0", "eth0", NULL);
        break;
    }
}

static void
read_texts(const char *text)
{
    g_auto(GStrv) up = NULL;
    GuestBond *bond = bonding_text_parse("bond0", text, &up);
    GuestReport *report = guest_report_parse("web1", text, NULL);
    g_auto(GStrv) neighbours = guest_neighbours_parse(text, "bond0");

    FUZZ_ASSERT(g_strv_length(neighbours) <= LEG_PROBE_ADDRESSES);
    if (bond)
        check_bond(bond);
    guest_bond_free(bond);
    if (report)
        check_report(report);
    bond = guest_bond_parse("web1", text, NULL);
    if (bond)
        check_bond(bond);
    guest_bond_free(bond);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = { data, size };
    g_autofree char *first = fuzz_take_text(&input, '\n');
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GCancellable) cancelled = g_cancellable_new();
    FakeHypervisor *fake = fake_hypervisor_new();
    /* Cancelled, so that a command that does not end is not waited for. */
    const BondAccess access = { fake_hypervisor_get(fake), "web1", UUID, 1, cancelled };

    g_cancellable_cancel(cancelled);
    fake_hypervisor_add_guest(fake,
                              "<domain type='kvm'><name>web1</name><uuid>" UUID "</uuid></domain>",
                              GUEST_STATE_RUNNING, FALSE);
    fake_hypervisor_set_agent(fake, answer, &input);
    if (first && g_ascii_isdigit(*first))
        ask(&access, (unsigned)(*first - '0'));
    hypervisor_free(fake_hypervisor_get(fake));
    read_texts(text);
    return 0;
}
