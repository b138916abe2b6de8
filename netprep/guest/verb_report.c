/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report: what there is. */
#include <stdlib.h>

#include "netprep/guest/hooks.h"
#include "netprep/guest/neighbours.h"
#include "netprep/guest/report.h"
#include "netprep/guest/verbs.h"

/* The host asks some of them whether the VirtIO NIC leads to them, too. */
static void
add_neighbours(json_t *report, const char *root, const Links *links)
{
    char *text = neighbours_read(root, links);

    if (text)
        json_object_set_new(report, "arp", json_string(text));
    free(text);
}

json_t *
verb_report(const Kernel *kernel, const char *root, Failure *failure)
{
    Links links = { 0 };

    if (!links_read(kernel, &links, failure))
        return NULL;
    json_t *report =
        links_count_addresses(kernel, &links, failure) ? report_all(&links, root) : NULL;
    if (report)
        add_neighbours(report, root, &links);
    links_clear(&links);
    if (report)
        json_object_set_new(report, "hooks", hooks_list(root));
    return report;
}
