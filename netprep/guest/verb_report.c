/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* report: what there is. */
#include "netprep/guest/report.h"
#include "netprep/guest/verbs.h"

json_t *
verb_report(Failure *failure)
{
    Links links = { 0 };

    if (!links_read(&links, failure))
        return NULL;
    json_t *report = report_all(&links);
    links_clear(&links);
    return report;
}
