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
    InterruptStage stages[INTERRUPT_STAGES_MAX];
    unsigned count;
    char *farewell;
} Interrupt;

static void *
wait_for_signals(void *data)
{
    Interrupt *interrupt = data;
    int number = 0;

    for (unsigned i = 0; i < interrupt->count; i++) {
        sigwait(&interrupt->signals, &number);
        /* First, so that what is told is so. */
        g_cancellable_cancel(interrupt->stages[i].cancellable);
        if (interrupt->stages[i].notice)
            fprintf(stderr, "migprep: %s\n", interrupt->stages[i].notice);
    }
    sigwait(&interrupt->signals, &number);
    fprintf(stderr, "migprep: %s\n", interrupt->farewell);
    fflush(stderr);
    _exit(EXIT_STATUS_CANCELLED);
}

void
interrupt_watch(GCancellable *cancellable, const char *notice, const char *farewell)
{
    interrupt_watch_stages(&(InterruptStage) { cancellable, notice }, 1, farewell);
}

void
interrupt_watch_stages(const InterruptStage *stages, unsigned count, const char *farewell)
{
    Interrupt *interrupt = g_new0(Interrupt, 1);

    g_return_if_fail(count <= INTERRUPT_STAGES_MAX);
    interrupt->count = count;
    for (unsigned i = 0; i < count; i++)
        interrupt->stages[i] =
            (InterruptStage) { g_object_ref(stages[i].cancellable), stages[i].notice };
    interrupt->farewell = g_strdup(farewell);
    sigemptyset(&interrupt->signals);
    sigaddset(&interrupt->signals, SIGINT);
    sigaddset(&interrupt->signals, SIGTERM);
    sigaddset(&interrupt->signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &interrupt->signals, NULL);
    g_thread_unref(g_thread_new("signals", wait_for_signals, interrupt));
}
