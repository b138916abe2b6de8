/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What names and addresses of others may look like. */
#include "netprep/text_check.h"

typedef struct {
    gboolean (*check)(const char *text);
    const char *text;
    gboolean valid;
} Case;

static const Case cases[] = {
    { text_is_pci_address, NULL, FALSE },
    { text_is_pci_address, "0000:01:10.2", TRUE },
    { text_is_pci_address, "0000:01:1f.7", TRUE },
    { text_is_pci_address, "0000:01:1F.7", FALSE },
    { text_is_pci_address, "0000:01:1g.7", FALSE },
    { text_is_pci_address, "0000:01:10.8", FALSE },
    { text_is_pci_address, "0000:01:10./", FALSE },
    { text_is_pci_address, "0000-01:10.2", FALSE },
    { text_is_pci_address, "0000:01:10.22", FALSE },
    { text_is_pci_path, NULL, FALSE },
    { text_is_pci_path, "", FALSE },
    { text_is_pci_path, "02.3", TRUE },
    { text_is_pci_path, "02.3/00.0", TRUE },
    { text_is_pci_path, "02.3/", FALSE },
    { text_is_pci_path, "02.3-00.0", FALSE },
    { text_is_pci_path, "0x.3", FALSE },
    { text_is_pci_path,
      "02.3/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0", TRUE },
    { text_is_pci_path,
      "02.3/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0",
      FALSE },
    { text_is_mac, "52:54:00:aa:00:01", TRUE },
    { text_is_mac, "52:54:00:AA:00:01", TRUE },
    { text_is_mac, "52:54:00:ag:00:01", FALSE },
    { text_is_link_name, NULL, FALSE },
    { text_is_link_name, "", FALSE },
    { text_is_link_name, "eth0", TRUE },
    { text_is_link_name, "fifteen-letters", TRUE },
    { text_is_link_name, "sixteen-letters-", FALSE },
    { text_is_link_name, ".", FALSE },
    { text_is_link_name, "..", FALSE },
    { text_is_link_name, "a b", FALSE },
    { text_is_link_name, "a/b", FALSE },
    { text_is_link_name, "eth0:1", FALSE },
    { text_is_link_name, "-eth0", FALSE },
    { text_is_name, NULL, FALSE },
    { text_is_name, "", FALSE },
    { text_is_name, "gr\303\274n 1", TRUE },
    { text_is_name, "\377", FALSE },
    { text_is_name, "two\nlines", FALSE },
};

static void
test_cases(void)
{
    g_autofree char *long_name = g_strnfill(256, 'x');

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %zu", i);
        g_assert_cmpint(cases[i].check(cases[i].text), ==, cases[i].valid);
    }
    g_assert_false(text_is_name(long_name));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/text-check/cases", test_cases);
    return g_test_run();
}
