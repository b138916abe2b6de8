/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "netprep/backup_proof.h"

/* A neighbour may be asleep. The guest itself is not, and waits without its network. */
#define UPLINK_MSEC 2000
#define GUEST_MSEC  1000

void
backup_proof_free(BackupProof *proof)
{
    if (!proof)
        return;
    g_free(proof->bridge);
    g_free(proof->tap);
    g_free(proof->mac);
    guest_neighbours_free(proof->neighbours);
    g_free(proof);
}

static gboolean
filters_vlans(const char *bridge_directory)
{
    g_autofree char *path = g_build_filename(bridge_directory, "vlan_filtering", NULL);
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) && *text == '1';
}

/* A bridge that can speak for the guest. */
static char *
usable_bridge(const NetworkHost *host, const char *bridge)
{
    g_autofree char *directory =
        g_build_filename(host->sysfs, "class", "net", bridge ? bridge : "", "bridge", NULL);

    return bridge && g_file_test(directory, G_FILE_TEST_IS_DIR) && !filters_vlans(directory)
               ? g_strdup(bridge)
               : NULL;
}

BackupProof *
backup_proof_new(const NetworkHost *host, const GuestNeighbourhood *neighbourhood,
                 const GuestReport *report, const DomainXml *domain, const Vnic *vnic)
{
    const DomainVirtioNic *nic = bond_backup_nic(report, domain, vnic);
    const GuestInterface *bond = guest_report_find_link(report, vnic->bond);
    BackupProof *proof = g_new0(BackupProof, 1);

    proof->bridge = usable_bridge(host, nic ? nic->bridge : NULL);
    proof->tap = g_strdup(nic ? nic->target : NULL);
    proof->mac = g_strdup(bond ? bond->mac : NULL);
    proof->neighbours = guest_neighbours_of(neighbourhood, vnic->bond);
    return proof;
}

static gboolean
unfit(const Vnic *vnic, GError **error, const char *remedy, char *cause)
{
    g_autofree char *label = vnic_label(vnic);
    g_autofree char *owned = cause;

    fault_set(error, FAULT_BOND_UNFIT, label, remedy, "%s", owned);
    return FALSE;
}

gboolean
backup_proof_check_uplink(const BackupProof *proof, const NetworkHost *host, const Vnic *vnic,
                          GCancellable *cancellable, GError **error)
{
    const char *const *asked = (const char *const *)proof->neighbours->neighbours;
    gboolean answered = FALSE;

    if (!proof->bridge || !asked[0])
        return TRUE;
    if (!leg_probe_ask(host->probe, proof->bridge, asked, UPLINK_MSEC, cancellable, &answered,
                       error))
        return FALSE;
    if (answered)
        return TRUE;
    g_autofree char *names = g_strjoinv(", ", proof->neighbours->neighbours);
    return unfit(vnic, error,
                 "connect the bridge to the network that the passthrough vNIC is on, or choose "
                 "another network for the VirtIO vNIC",
                 g_strdup_printf("its VirtIO vNIC leads elsewhere: behind bridge %s nobody answers "
                                 "for %s, with whom the guest speaks",
                                 proof->bridge, names));
}

gboolean
backup_proof_check_guest(const BackupProof *proof, const NetworkHost *host, const Vnic *vnic,
                         GCancellable *cancellable, GError **error)
{
    const char *const *asked = (const char *const *)proof->neighbours->own;
    gboolean answered = FALSE;

    if (!proof->tap)
        return TRUE;
    if (!asked[0]) {
        /* Whether it speaks is up to the guest; that the device can be listened on is not. */
        return !proof->mac || leg_probe_hear(host->probe, proof->tap, proof->mac, GUEST_MSEC,
                                             cancellable, &answered, error);
    }
    if (!leg_probe_ask(host->probe, proof->tap, asked, GUEST_MSEC, cancellable, &answered, error))
        return FALSE;
    if (answered)
        return TRUE;
    return unfit(vnic, error,
                 "look for filters on the VirtIO vNIC, and at its link and the bond in the guest",
                 g_strdup_printf("its VirtIO vNIC has carrier, but the guest does not answer for "
                                 "%s through %s",
                                 asked[0], proof->tap));
}
