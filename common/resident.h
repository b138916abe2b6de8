/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps what a daemon has in memory small. */
#pragma once

/*
 * Gives back what only starting needed. Linking and initialising libvirt and the sixty libraries
 * behind it touches some 14 MiB of their code and symbol tables, most of them once; a daemon that
 * runs for months should not keep them mapped. Pages that are needed after all come back from the
 * page cache by themselves. Call it when everything is set up, and once more when libvirt had time
 * to connect. Thread-safe.
 */
void resident_give_back_start(void);

/* Gives back memory that was freed but is kept between what is still used: many large answers at
 * once leave megabytes behind. Some 0.1 ms where there is nothing to give. Thread-safe. */
void resident_trim(void);

/* Bounds what allocations of short-lived threads leave behind. Call it before the first thread. */
void resident_bound_heaps(void);
