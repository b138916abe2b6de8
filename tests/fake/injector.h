/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Chooses what goes wrong with a process, and at which of its deeds. */
#pragma once

#include <glib.h>

/*
 * Theory of operation. Whatever a daemon does to the world outside of it is a point: a write to its
 * database, a call of the kernel, a call of somebody else. Shims at those places ask the injector
 * how the deed fares. It counts those points at which the chosen injection can happen, and strikes
 * once. A process that was killed stays dead: nothing that it still does has an effect.
 */
typedef enum {
    INJECT_NOTHING,
    INJECT_KILL,        /* the process is dead before the deed */
    INJECT_KILL_AFTER,  /* the deed is done, and the process dead before it knows */
    INJECT_POWER_CUT,   /* as INJECT_KILL, and what its disk has not synced is lost in part */
    INJECT_LOST_ANSWER, /* the deed is done, and said to have failed */
    INJECT_EIO,
    INJECT_ENOSPC,
    INJECT_ENOMEM,
    INJECT_EINTR,
    INJECT_SHORT_WRITE, /* half of it, then the disk is full */
    INJECTIONS,
} Injection;

typedef enum {
    POINT_WRITE,  /* bytes of the database */
    POINT_SYNC,   /* anything else that is done to its files */
    POINT_KERNEL, /* a system call or a netlink request, which fails with an errno */
    POINT_REMOTE, /* libvirt, a guest, a program: it fails, however that is called */
} InjectorPoint;

/* How a deed fares. */
typedef enum {
    DEED_DONE,
    DEED_FAILS, /* and is not done */
    DEED_LOST,  /* it is done, and fails */
    DEED_HALF,  /* half of it is done, and it fails */
} Deed;

typedef struct Injector Injector; /* thread-safe */

Injector *injector_new(void); /* injects nothing */
void injector_free(Injector *injector);

/* A new process begins, of which the @point-th point (1: the first) at which @what can happen is
 * struck. */
void injector_arm(Injector *injector, Injection what, unsigned point);
/* Kills the process now. */
void injector_kill(Injector *injector);
gboolean injector_is_dead(Injector *injector);
/* Whether the process died because its host lost power. */
gboolean injector_has_cut_power(Injector *injector);
/* How often it has struck, over all processes. */
unsigned injector_strikes(Injector *injector);

/* To be asked before each deed, by whoever does it; *ret_errno is what it fails with. */
Deed injector_pass(Injector *injector, InjectorPoint point, int *ret_errno);

/* "kill-after". Static. */
const char *injection_name(Injection what);
