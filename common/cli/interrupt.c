/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Owns the reaction to signals. */
#include "common/cli/interrupt.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "common/cli/exit_status.h"

typedef struct {
    sigset_t signals;
    GCancellable *cancellable;
    char *notice; /* NULL: none */
    char *farewell;
} Interrupt;

static void *
wait_for_signals(void *data)
{
    Interrupt *interrupt = data;
    int number = 0;

    sigwait(&interrupt->signals, &number);
    if (interrupt->notice)
        fprintf(stderr, "migprep: %s\n", interrupt->notice);
    g_cancellable_cancel(interrupt->cancellable);
    sigwait(&interrupt->signals, &number);
    fprintf(stderr, "migprep: %s\n", interrupt->farewell);
    fflush(stderr);
    _exit(EXIT_STATUS_CANCELLED);
}

void
interrupt_watch(GCancellable *cancellable, const char *notice, const char *farewell)
{
    Interrupt *interrupt = g_new0(Interrupt, 1);

    interrupt->cancellable = g_object_ref(cancellable);
    interrupt->notice = g_strdup(notice);
    interrupt->farewell = g_strdup(farewell);
    sigemptyset(&interrupt->signals);
    sigaddset(&interrupt->signals, SIGINT);
    sigaddset(&interrupt->signals, SIGTERM);
    sigaddset(&interrupt->signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &interrupt->signals, NULL);
    g_thread_unref(g_thread_new("signals", wait_for_signals, interrupt));
}
