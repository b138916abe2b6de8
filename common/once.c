/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/once.h"

void
once_init(Once *once)
{
    *once = (Once) { 0 };
    g_mutex_init(&once->lock);
}

void
once_clear(Once *once)
{
    g_mutex_clear(&once->lock);
    g_clear_error(&once->failure);
}

gboolean
once_ask(Once *once, gboolean (*ask)(void *data, GError **error), void *data, GError **error)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&once->lock);

    if (!once->asked)
        (void)ask(data, &once->failure);
    once->asked = TRUE;
    if (once->failure && error)
        *error = g_error_copy(once->failure);
    return !once->failure;
}
