/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake/fake_hypervisor_life.h"

#include <string.h>

#include "fake/fake_hypervisor.h"

static void
look(Guest *guest, void *data)
{
    Guest *seen = data;

    *seen = (Guest) { .uuid = g_strdup(guest->uuid), .state = guest->state };
    seen->has_job = strstr(guest->xml, "stubborn") != NULL;
}

/* From @before to @after, as libvirt refuses what is not so. */
static gboolean
change(void *self, const char *operation, const char *uuid, GuestState before, GuestState after,
       GError **error)
{
    Guest seen = { 0 };

    if (!fake_hypervisor_enter(self, operation, NULL, error) ||
        !fake_hypervisor_with_guest(self, uuid, look, &seen, error))
        return FALSE;
    gboolean possible = seen.state == before;
    if (!possible)
        fault_set(error, FAULT_HYPERVISOR_FAILED, "guest", NULL,
                  "Requested operation is not valid: domain is %srunning",
                  seen.state == GUEST_STATE_RUNNING ? "already " : "not ");
    else if (after == GUEST_STATE_RUNNING || !seen.has_job || strcmp(operation, "save") == 0)
        fake_hypervisor_set_state(self, seen.uuid, after);
    g_free(seen.uuid);
    return possible;
}

gboolean
fake_life_save(void *self, const char *uuid, GError **error)
{
    return change(self, "save", uuid, GUEST_STATE_RUNNING, GUEST_STATE_SHUT_OFF, error);
}

gboolean
fake_life_shut_down(void *self, const char *uuid, GError **error)
{
    return change(self, "shut_down", uuid, GUEST_STATE_RUNNING, GUEST_STATE_SHUT_OFF, error);
}

gboolean
fake_life_start(void *self, const char *uuid, GError **error)
{
    return change(self, "start", uuid, GUEST_STATE_SHUT_OFF, GUEST_STATE_RUNNING, error);
}
