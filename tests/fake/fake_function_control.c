/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* VF settings in memory. */
#include "fake/fake_function_control.h"

#define FUNCTIONS 64
#define OPTIONS   (FUNCTION_OPTION_RATES + 1)

struct FakeFunctionControl {
    GMutex lock;
    FunctionControl *control;
    FunctionSettings settings[FUNCTIONS];
    int refused[OPTIONS];
    unsigned counts[OPTIONS];
};

static gboolean
fake_read(void *self, const char *physical_function, unsigned index, FunctionSettings *ret_settings,
          GError **error)
{
    FakeFunctionControl *fake = self;

    g_mutex_lock(&fake->lock);
    *ret_settings = fake->settings[index];
    g_mutex_unlock(&fake->lock);
    return TRUE;
}

static void
change(FunctionSettings *now, FunctionOption option, const FunctionSettings *wanted)
{
    switch (option) {
    case FUNCTION_OPTION_MAC:
        break;
    case FUNCTION_OPTION_VLAN:
        now->vlan = wanted->vlan;
        now->qos = wanted->qos;
        now->vlan_dot1ad = wanted->vlan_dot1ad;
        break;
    case FUNCTION_OPTION_SPOOF_CHECK:
        now->spoof_check = wanted->spoof_check;
        break;
    case FUNCTION_OPTION_TRUST:
        now->trust = wanted->trust;
        break;
    case FUNCTION_OPTION_LINK_STATE:
        now->link_state = wanted->link_state;
        break;
    case FUNCTION_OPTION_RATES:
        now->minimum_rate = wanted->minimum_rate;
        now->maximum_rate = wanted->maximum_rate;
        break;
    }
}

static int
fake_set(void *self, const char *physical_function, unsigned index, FunctionOption option,
         const FunctionSettings *wanted)
{
    FakeFunctionControl *fake = self;

    g_mutex_lock(&fake->lock);
    int status = fake->refused[option];
    if (status == 0)
        change(&fake->settings[index], option, wanted);
    fake->counts[option]++;
    g_mutex_unlock(&fake->lock);
    return status;
}

static void
fake_free(void *self)
{
    FakeFunctionControl *fake = self;

    g_mutex_clear(&fake->lock);
    g_free(fake);
}

FakeFunctionControl *
fake_function_control_new(void)
{
    static const FunctionControlOps ops = { fake_read, fake_set, fake_free };
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
fake_function_control_refuse(FakeFunctionControl *fake, FunctionOption option, int status)
{
    g_mutex_lock(&fake->lock);
    fake->refused[option] = status;
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
