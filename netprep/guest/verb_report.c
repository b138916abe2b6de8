/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report: what there is. */
#include "netprep/guest/hooks.h"
#include "netprep/guest/report.h"
#include "netprep/guest/verbs.h"

json_t *
verb_report(const Kernel *kernel, const char *root, Failure *failure)
{
    Links links = { 0 };

    if (!links_read(kernel, &links, failure))
        return NULL;
    json_t *report =
        links_count_addresses(kernel, &links, failure) ? report_all(&links, root) : NULL;
    links_clear(&links);
    if (report)
        json_object_set_new(report, "hooks", hooks_list(root));
    return report;
}
