/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What storprepd does to its host, struck as an injector says: file names, programs, exports,
 * mounts, firewall and libvirt. */
#pragma once

#include "fake/injector.h"

/*
 * The calls are put in front of the real ones by the linker (--wrap), in programs that link
 * faulty_calls only. From now on they pass @injector (borrowed); NULL: they all get through.
 */
void faulty_calls_use(Injector *injector);
