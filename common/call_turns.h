/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many calls to libvirt are under way at once: its daemon takes few of one connection, and
 * reads nothing more of it, keepalive included, until one of them ends. */
#pragma once

#include <glib.h>

typedef enum {
    CALL_SHORT,  /* a question, or a change that does not wait for a guest */
    CALL_SLOW,   /* may wait for a guest, for seconds */
    CALL_URGENT, /* never waits for a turn: takes as long as a migration, or ends one */
} CallKind;

typedef struct {
    GMutex lock; /* guards all below */
    GCond changed;
    unsigned running[CALL_URGENT + 1];
} CallTurns;

/* All places are free. For call_turns_clear(). */
void call_turns_init(CallTurns *turns);
/* Nobody may have a turn. */
void call_turns_clear(CallTurns *turns);

/* A call's turn, given back by call_turn_end(). */
typedef struct {
    CallTurns *turns;
    CallKind kind;
} CallTurn;

/*
 * Waits until fewer than LIMIT_HYPERVISOR_CALLS calls are under way, urgent ones included; one that
 * is slow leaves one place to short ones. However many are urgent, one other call goes on. Blocks.
 */
CallTurn call_turn_begin(CallTurns *turns, CallKind kind);
/* Lets the next one go on. */
void call_turn_end(CallTurn *turn);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(CallTurn, call_turn_end)
