/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libvirt tells without being asked: events in any order, of any guest, about any device,
 * while somebody waits for devices to leave a guest. */
#include <string.h>

#include "common/hypervisor_libvirt.h"
#include "fake/fake_hypervisor.h"
#include "fuzz.h"
#include "netprep/removal_wait.h"

#define UUID  "7c8a1f9e-6f0e-4d5b-9c39-0d0a3c7b1a55"
#define OTHER "00000000-0000-0000-0000-000000000001"
#define HOSTDEV(alias, slot)                                                                       \
    "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='1' slot='16' "          \
    "function='" slot "'/></source><alias name='" alias "'/></hostdev>"

/* The devices that are waited for; what has left is known by the events alone. */
static const char *const aliases[] = { "hostdev0", "hostdev1", "", "ua-\xff" };
static const char *const functions[] = { "0000:01:10.0", "0000:01:10.2" };

typedef struct {
    Hypervisor *hypervisor;
    gboolean ended;       /* the guest was said to have stopped */
    gboolean answered[2]; /* whether each device's end was told */
} Story;

static void
note(Story *story, const HypervisorEvent *event)
{
    const gboolean mine = strcmp(event->uuid, UUID) == 0;

    for (size_t i = 0; mine && i < G_N_ELEMENTS(functions); i++) {
        if ((event->type == HYPERVISOR_EVENT_DEVICE_REMOVED ||
             event->type == HYPERVISOR_EVENT_DEVICE_REFUSED) &&
            strcmp(event->alias, aliases[i]) == 0)
            story->answered[i] = TRUE;
    }
    story->ended |= mine && (event->type == HYPERVISOR_EVENT_STOPPED ||
                             event->type == HYPERVISOR_EVENT_UNDEFINED);
}

/* A lifecycle event as libvirt numbers it, or one of ours. */
static void
emit(Story *story, FuzzInput *input)
{
    const uint8_t kind = fuzz_take_byte(input);
    const uint8_t what = fuzz_take_byte(input);
    HypervisorEvent event = { .type = kind % (HYPERVISOR_EVENT_RECONNECTED + 1),
                              .uuid = (char *)(what & 64 ? OTHER : UUID),
                              .alias = (char *)aliases[what % G_N_ELEMENTS(aliases)] };

    if (kind & 128 && !libvirt_event_of_lifecycle((int8_t)what, kind & 15, &event.type))
        return;
    note(story, &event);
    hypervisor_emit(story->hypervisor, &event);
}

/* A device that the guest still has, and whose end nobody told, is never taken for gone. */
static void
check_end(const Story *story, gboolean done, const GError *error)
{
    FUZZ_ASSERT(done == !error);
    if (done)
        FUZZ_ASSERT(story->answered[0] && story->answered[1]);
    if (g_error_matches(error, FAULT, FAULT_GUEST_NOT_RUNNING))
        FUZZ_ASSERT(story->ended);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    FuzzInput input = { data, size };
    FakeHypervisor *fake = fake_hypervisor_new();
    Story story = { .hypervisor = fake_hypervisor_get(fake) };
    g_autoptr(GError) error = NULL;

    fake_hypervisor_add_guest(fake,
                              "<domain type='kvm'><name>web1</name><uuid>" UUID
                              "</uuid><devices>" HOSTDEV("hostdev0", "0")
                                  HOSTDEV("hostdev1", "2") "</devices></domain>",
                              GUEST_STATE_RUNNING, FALSE);
    g_autoptr(Guest) guest = hypervisor_get_guest(story.hypervisor, UUID, NULL);
    g_autoptr(RemovalWait) wait = removal_wait_new(story.hypervisor, guest);
    for (size_t i = 0; i < G_N_ELEMENTS(functions); i++)
        removal_wait_add(wait, aliases[i], functions[i]);
    while (input.left > 0)
        emit(&story, &input);
    const gboolean done = removal_wait_finish(wait, 0, NULL, &error);
    check_end(&story, done, error);
    g_clear_pointer(&wait, removal_wait_free);
    hypervisor_free(story.hypervisor);
    return 0;
}
