/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A netprepd on a fake host, which may die at any point of its work. */
#pragma once

#include "fake/fake_bridge_fdb.h"
#include "fake/fake_function_control.h"
#include "fake/fake_hypervisor.h"
#include "fake/hypervisor_gate.h"
#include "fake/injector.h"
#include "netprep/network_host.h"

/*
 * Theory of operation. The fakes are the world; a process acts on it through handles of its own.
 * Each call of a handle and each commit to the lease database is a point. At a chosen point the
 * world can be changed, libvirt can go away, or the process can be killed: then nothing that it
 * still does has an effect, neither on the world nor on the database, which is what SIGKILL means
 * to everybody else. Its threads run out against closed doors and are joined, so that nothing
 * leaks. A next process finds the database as it was.
 */
typedef struct DaemonProcess DaemonProcess;

/* What outlives a process. All borrowed. */
typedef struct {
    FakeHypervisor *hypervisor;
    FakeFunctionControl *control;
    FakeBridgeFdb *fdb;
    const Config *config;
    const char *sysfs;
    const char *database; /* path */
    const char *guest;    /* UUID: pauses that end at an event about it end at once */
    DeviceCheck check;    /* what libvirt says of devices to be plugged; NULL: all are fine */
    void *check_data;
    Injector *injector; /* what else may go wrong with it */
} DaemonWorld;

/* NULL if it was struck when it opened its database; the next one is not. */
DaemonProcess *daemon_process_start(const DaemonWorld *world);
/* Waits for the end of its jobs. May be NULL. */
void daemon_process_stop(DaemonProcess *process);

const NetworkHost *daemon_process_host(const DaemonProcess *process);

/* Has it look at the leases once and waits for what that starts. */
void daemon_process_reconcile(DaemonProcess *process);

/* At the @point-th point from now on (1: the next) calls @strike, in the thread that got there. */
typedef void (*DaemonStrike)(void *data);
void daemon_process_strike_at(DaemonProcess *process, unsigned point, DaemonStrike strike,
                              void *data);

void daemon_process_kill(DaemonProcess *process);
gboolean daemon_process_is_dead(DaemonProcess *process);

/* The next @calls to libvirt fail and events are lost; then it is back. With @answer_lost the first
 * of them (then at least two) still does what it was asked. */
void daemon_process_lose_libvirt(DaemonProcess *process, unsigned calls, gboolean answer_lost);
/* It is back now. */
void daemon_process_regain_libvirt(DaemonProcess *process);
