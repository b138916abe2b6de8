/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VF settings in memory. */
#include "fake/fake_function_control.h"

#include <errno.h>
#include <string.h>

#include "netprep/function_option.h"

#define FUNCTIONS 256

struct FakeFunctionControl {
    GMutex lock;
    FunctionControl *control;
    FunctionSettings settings[FUNCTIONS];
    gboolean absent[FUNCTIONS];
    int refused[FUNCTION_OPTIONS];
    gboolean ignored[FUNCTION_OPTIONS];
    unsigned counts[FUNCTION_OPTIONS];
    unsigned calls, fail_from; /* 0: never */
    gboolean (*refuses)(FunctionOption option, const FunctionSettings *wanted);
    const guint8 *own_mac;
    FakeMacSource mac_source;
    void *mac_data;
};

/* A second handle. */
typedef struct {
    FakeFunctionControl *fake;
    FakeGate gate;
    void *data;
} Door;

static const guint8 no_mac[FUNCTION_MAC_BYTES] = { 0 };

static gboolean
has_mac(const FunctionSettings *settings)
{
    return memcmp(settings->mac, no_mac, sizeof(no_mac)) != 0;
}

/* The MAC in effect, which is the VF's own where there is no administrative one. */
static void
choose_mac(FakeFunctionControl *fake, FunctionEntry *entry)
{
    if (has_mac(&entry->settings))
        return;
    if (fake->own_mac)
        memcpy(entry->settings.mac, fake->own_mac, sizeof(no_mac));
    if (fake->mac_source)
        fake->mac_source(entry->index, entry->settings.mac, fake->mac_data);
}

static GArray *
fake_list(void *self, const char *physical_function, GError **error)
{
    FakeFunctionControl *fake = self;
    GArray *entries = g_array_new(FALSE, TRUE, sizeof(FunctionEntry));

    g_mutex_lock(&fake->lock);
    for (unsigned i = 0; i < FUNCTIONS; i++) {
        FunctionEntry entry = { i, fake->settings[i] };

        if (fake->absent[i])
            continue;
        choose_mac(fake, &entry);
        g_array_append_val(entries, entry);
    }
    g_mutex_unlock(&fake->lock);
    return entries;
}

static int
fake_set(void *self, const char *physical_function, unsigned index, FunctionOption option,
         const FunctionSettings *wanted)
{
    FakeFunctionControl *fake = self;

    g_mutex_lock(&fake->lock);
    int status = fake->refused[option];
    fake->calls++;
    if (fake->fail_from > 0 && fake->calls >= fake->fail_from)
        status = -EIO;
    FunctionSettings asked = { 0 };
    function_option_copy(option, wanted, &asked);
    if (fake->absent[index] || (fake->refuses && fake->refuses(option, &asked)))
        status = -EINVAL;
    if (status == 0 && !fake->ignored[option])
        function_option_copy(option, wanted, &fake->settings[index]);
    fake->counts[option]++;
    g_mutex_unlock(&fake->lock);
    return status;
}

static char *
fake_driver(void *self, const char *physical_function)
{
    return g_strdup(FAKE_FUNCTION_DRIVER);
}

static char *
fake_firmware(void *self, const char *physical_function)
{
    return g_strdup(FAKE_FUNCTION_FIRMWARE);
}

static void
fake_free(void *self)
{
    FakeFunctionControl *fake = self;

    g_mutex_clear(&fake->lock);
    g_free(fake);
}

static GArray *
door_list(void *self, const char *physical_function, GError **error)
{
    const Door *door = self;

    if (door->gate(door->data) == FAKE_GATE_OPEN)
        return fake_list(door->fake, physical_function, error);
    fault_set(error, FAULT_FUNCTION_FAILED, physical_function, NULL, "cannot be asked");
    return NULL;
}

static int
door_set(void *self, const char *physical_function, unsigned index, FunctionOption option,
         const FunctionSettings *wanted)
{
    const Door *door = self;
    FakeGateState state = door->gate(door->data);
    int number = errno;
    int status = state == FAKE_GATE_SHUT
                     ? 0
                     : fake_set(door->fake, physical_function, index, option, wanted);

    return state == FAKE_GATE_OPEN ? status : -number;
}

FunctionControl *
fake_function_control_open(FakeFunctionControl *fake, FakeGate gate, void *data)
{
    static const FunctionControlOps ops = { door_list, door_set, fake_driver, fake_firmware,
                                            g_free };
    Door *door = g_new0(Door, 1);

    *door = (Door) { fake, gate, data };
    return function_control_new(&ops, door);
}

void
fake_function_control_ask_mac(FakeFunctionControl *fake, FakeMacSource source, void *data)
{
    fake->mac_source = source;
    fake->mac_data = data;
}

FakeFunctionControl *
fake_function_control_new(void)
{
    static const FunctionControlOps ops = { fake_list, fake_set, fake_driver, fake_firmware,
                                            fake_free };
    FakeFunctionControl *fake = g_new0(FakeFunctionControl, 1);

    g_mutex_init(&fake->lock);
    for (unsigned i = 0; i < FUNCTIONS; i++)
        fake->settings[i].spoof_check = TRUE;
    fake->control = function_control_new(&ops, fake);
    return fake;
}

FunctionControl *
fake_function_control_get(FakeFunctionControl *fake)
{
    return fake->control;
}

FunctionSettings *
fake_function_control_settings(FakeFunctionControl *fake, unsigned index)
{
    return &fake->settings[index];
}

void
fake_function_control_set_present(FakeFunctionControl *fake, unsigned index, gboolean present)
{
    g_mutex_lock(&fake->lock);
    if (!present)
        fake->settings[index] = (FunctionSettings) { .spoof_check = TRUE };
    fake->absent[index] = !present;
    g_mutex_unlock(&fake->lock);
}

void
fake_function_control_refuse(FakeFunctionControl *fake, FunctionOption option, int status)
{
    g_mutex_lock(&fake->lock);
    fake->refused[option] = status;
    g_mutex_unlock(&fake->lock);
}

void
fake_function_control_refuse_if(FakeFunctionControl *fake,
                                gboolean (*refuses)(FunctionOption option,
                                                    const FunctionSettings *wanted))
{
    g_mutex_lock(&fake->lock);
    fake->refuses = refuses;
    g_mutex_unlock(&fake->lock);
}

void
fake_function_control_ignore(FakeFunctionControl *fake, FunctionOption option)
{
    g_mutex_lock(&fake->lock);
    fake->ignored[option] = TRUE;
    g_mutex_unlock(&fake->lock);
}

void
fake_function_control_fail_from(FakeFunctionControl *fake, unsigned call)
{
    g_mutex_lock(&fake->lock);
    fake->fail_from = fake->calls + call;
    g_mutex_unlock(&fake->lock);
}

void
fake_function_control_own_mac(FakeFunctionControl *fake, const guint8 *mac)
{
    g_mutex_lock(&fake->lock);
    fake->own_mac = mac;
    g_mutex_unlock(&fake->lock);
}

unsigned
fake_function_control_count(FakeFunctionControl *fake, FunctionOption option)
{
    g_mutex_lock(&fake->lock);
    unsigned count = fake->counts[option];
    g_mutex_unlock(&fake->lock);
    return count;
}
