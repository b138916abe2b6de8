/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hands a hypervisor's events to several observers, in the order in which they came. */
#pragma once

#include "common/hypervisor.h"

typedef struct FakeEventSource FakeEventSource;

/* Called in the thread that caused the event; must not add or remove observers. */
typedef void (*FakeObserver)(const HypervisorEvent *event, void *data);

FakeEventSource *fake_event_source_new(void);
void fake_event_source_free(FakeEventSource *source);

void fake_event_source_add(FakeEventSource *source, FakeObserver observer, void *data);
/* Returns when the observers with @data are not at work any more. */
void fake_event_source_remove(FakeEventSource *source, void *data);
void fake_event_source_emit(FakeEventSource *source, const HypervisorEvent *event);
