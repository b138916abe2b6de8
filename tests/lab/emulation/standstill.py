# SPDX-License-Identifier: LGPL-2.1-or-later
"""What only the emulation can be to blame for: a host that is silent, a guest whose kernel is dead.

Hosts are emulated without KVM, and their guests run on an emulated SVM. Now and then a guest's
kernel waits for ever, with interrupts off, for a lock that nobody holds, or ends by a triple fault;
that also happens to guests that nothing of the project has touched. None of the tests has a guest
shut itself down, and no program on a host can take a guest's interrupts away."""

import re
import time

from .error import LabError

LOOKS, PAUSE_SECONDS = 4, 1
INTERRUPTS = 0x200  # in the flags register
REGISTERS = re.compile(r"RSP=(\S+).*?RIP=(\S+) RFL=(\S+).*?HLT=(\d)", re.DOTALL)


def find(hosts):
    """One sentence for each."""
    found = []
    for host in hosts:
        try:
            names = host.run(["virsh", "list", "--all", "--name"], seconds=60).stdout.split()
            found += filter(None, (_of_guest(host, name) for name in names))
        except LabError as error:
            found.append(f"{host.name} does not answer any more: {error}")
    return found


def _of_guest(host, name):
    state = host.run(["virsh", "domstate", "--reason", name], check=False).stdout.strip()
    if state in ("shut off (shutdown)", "shut off (crashed)"):
        return f"the kernel of {name} ended by itself on {host.name}"
    if not state.startswith("running"):
        return None
    places = {_where(host, name, number) for number in range(LOOKS)}
    place = places.pop()
    if places or not place:
        return None
    return f"the processor of {name} stands still at {place} on {host.name}, its interrupts off"


def _where(host, name, number):
    """Where the processor is; None while it is halted, takes interrupts, or cannot be asked."""
    time.sleep(PAUSE_SECONDS if number else 0)
    text = host.run(["virsh", "qemu-monitor-command", name, "--hmp", "info registers"],
                    check=False).stdout
    match = REGISTERS.search(text)
    if not match or match[4] == "1" or int(match[3], 16) & INTERRUPTS:
        return None
    return f"{match[2]} (stack {match[1]})"
