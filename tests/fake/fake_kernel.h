/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A kernel in memory that knows network devices, bonds, addresses and routes as far as
 * netprep-guest does, and refuses what the real one refuses. Each call can be made to fail. */
#pragma once

#include <glib.h>

#include "netprep/guest/kernel.h"

typedef struct FakeKernel FakeKernel;

FakeKernel *fake_kernel_new(void);
void fake_kernel_free(FakeKernel *fake);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeKernel, fake_kernel_free)

const Kernel *fake_kernel_get(FakeKernel *fake);

/* An Ethernet device, up, with a driver and a place on PCI: "0000:00:02.3/0000:03:00.0". */
void fake_kernel_add_nic(FakeKernel *fake, const char *name, const char *mac, const char *driver,
                         const char *pci);
/* A bond, down, without ports, and with options of all zeros. */
void fake_kernel_add_bond(FakeKernel *fake, const char *name, const char *mac);
void fake_kernel_set_mtu(FakeKernel *fake, const char *name, unsigned mtu);
/* Gives it an XDP program. */
void fake_kernel_add_xdp(FakeKernel *fake, const char *name);
/* Makes @name stand on @lower, as a VLAN does. */
void fake_kernel_set_lower(FakeKernel *fake, const char *name, const char *lower);

/* "192.0.2.5/24" or "2001:db8::5/64"; @label NULL: none; @flags IFA_F_...; lifetime 0: forever. */
void fake_kernel_add_address(FakeKernel *fake, const char *name, const char *address,
                             const char *label, unsigned flags, unsigned lifetime_seconds);

typedef struct {
    const char *to;    /* "192.0.2.0/24"; NULL: everywhere, in the family of @via */
    const char *via;   /* NULL: directly */
    const char *name;  /* device */
    const char *name2; /* device of a second hop, by way of @via2; NULL: one hop */
    const char *via2;
    const char *source; /* NULL: none */
    unsigned table;     /* 0: main */
    unsigned metric;
    unsigned protocol;
    unsigned flags;   /* RTNH_F_... */
    unsigned seconds; /* it still lives; 0: forever */
} FakeRoute;

void fake_kernel_add_route(FakeKernel *fake, const FakeRoute *route);

/* Lets call number @call from now on, counted from 1, fail with @error (negative errno). With
 * @done the kernel does what it was asked, only the answer is lost. */
void fake_kernel_fail(FakeKernel *fake, unsigned call, int error, gboolean done);
/* The number of calls so far. */
unsigned fake_kernel_calls(const FakeKernel *fake);

/* How often a bond was told to use a port whose link it had not seen yet: the kernel logs each. */
unsigned fake_kernel_refusals(const FakeKernel *fake);

/* All of it as text, one line for each device, address and route. Whether an IPv6 address was
 * looked for before it was taken into use is left out. */
char *fake_kernel_print(const FakeKernel *fake);
