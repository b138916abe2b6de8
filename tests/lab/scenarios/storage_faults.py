# SPDX-License-Identifier: LGPL-2.1-or-later
"""Moves of disks during which something goes wrong: one host runs the guest, with all its data.

The guest writes checksummed blocks throughout. A cell is a fault at a stage. FAULTS=all in the
environment tries every one, and FAULTS="target full@copying;..." those named."""

import os
import time

from emulation.crossing import STAGES, Crossing
from emulation.deadline import wait_quiet
from emulation.guest import IMAGES
from emulation.storage import Storage
from emulation.storage_fault import AWAY, COPY_FAULTS, HOME, SHARE_FAULTS
from emulation.writer import Writer
from scenarios.storage import SECOND, SHARED, add_second_disk, new_guest, on_third_host

SETTLE_SECONDS = 120
BLOCKS_AFTER = 20  # that the guest must write where it ended up
FOREIGN = f"{IMAGES}/foreign.img"
TELLING = ("stale target@preparing", "symlink@preparing", "target full@preparing",
           "no access@preparing", "storprepd killed here@copying",
           "storprepd killed there@copying", "libvirtd killed here@copying",
           "libvirtd killed there@copying", "destination cut off@copying",
           "target full@copying", "coordinator gone@copying", "cancelled@copying",
           "cancelled@switching over", "storprepd killed here@switching over",
           "NFS server stopped@copying")


def cells(faults):
    """(fault, stage) of each cell to try with these faults."""
    wanted = os.environ.get("FAULTS", "")
    if wanted == "all":
        return [(fault, stage) for stage in STAGES for fault in faults.values()
                if stage in fault.stages]
    names = [name.strip() for name in wanted.split(";") if name.strip()] or TELLING
    pairs = [name.partition("@") for name in names]
    return [(faults[fault], stage) for fault, _, stage in pairs if fault in faults]


def run(lab):
    """A guest outlives its cells: what one leaves behind, the next one meets."""
    lab.result["cells"] = []
    stores = [Storage(host) for host in lab.hosts]
    if cells(COPY_FAULTS):
        each_cell(lab, stores, copied_guest, COPY_FAULTS)
    if cells(SHARE_FAULTS):
        with on_third_host(stores):
            each_cell(lab, stores, shared_guest, SHARE_FAULTS, ("vda",), ("/dev/vda", "/dev/vdb"))


def copied_guest(lab):
    return new_guest(lab, f"{IMAGES}/guest1.qcow2")


def shared_guest(lab):
    """Its second disk alone is copied, which takes a while."""
    guest = new_guest(lab, f"{SHARED}/guest1.qcow2")
    add_second_disk(guest)
    guest.output("dd if=/dev/urandom of=/dev/vdb bs=1M count=40 conv=fsync 2> /dev/null",
                 seconds=120)
    return guest


def each_cell(lab, stores, make, faults, shared=(), devices=("/dev/vda",)):
    """One guest lives through all cells, unless one fails."""
    guest = None
    for fault, stage in cells(faults):
        with lab.case(f"{fault.name} while {stage}"):
            mine, guest = guest or make(lab), None
            one_cell(lab, stores, fault, stage, Crossing(mine, lab.hosts, shared), devices)
            guest = mine
        if guest is None:
            clear_all(lab)
    clear_all(lab)


def clear_all(lab):
    """What a cell that failed may have left, too."""
    guest = lab.guest("guest1")
    guest.destroy()
    for host in lab.hosts:
        host.run(f"findmnt -rn -t tmpfs {IMAGES} && umount {IMAGES}; "
                 f"rm -f {FOREIGN} {SECOND} {guest.disk} {SHARED}/guest1.qcow2", check=False)


def one_cell(lab, stores, fault, stage, crossing, devices):
    """Up to the stage, the fault, its end, and what must hold then."""
    begin, guest = time.monotonic(), crossing.guest
    fault.prepare(crossing)
    writers = [Writer(guest, device) for device in devices]
    for writer in writers:
        writer.start()
    before = {storage.host.name: belongings(storage.host) for storage in stores}
    held = {lease["lease"] for storage in stores for lease in storage.leases()}  # the test's own
    outcome = "nothing was tried"
    try:
        crossing.to(stage)
        fault.strike(crossing)
        if fault.ends == AWAY:
            crossing.hurry()
        outcome = crossing.finish() if fault.coordinator_lives else "left alone"
    finally:
        fault.heal(crossing)
        crossing.hang_up()
    expect_settled(guest, stores, before, held)
    expect_place(fault, crossing, outcome)
    for writer in writers:
        writer.wait_blocks(BLOCKS_AFTER)
        writer.stop_and_check()
    fault.clear(crossing)
    tidy(guest, lab.hosts)
    report(lab, fault, stage, outcome, guest, begin)


def report(lab, fault, stage, outcome, guest, begin):
    seconds = round(time.monotonic() - begin, 1)
    lab.result["cells"].append({"fault": fault.name, "stage": stage, "outcome": outcome,
                                "home": guest.host().name, "seconds": seconds})
    print(f"#   {seconds} s, {guest.name} on {guest.host().name}, "
          f"{' '.join(outcome.split())[:110]}", flush=True)


def expect_place(fault, crossing, outcome):
    """A fault that can end in one way only ended in that way."""
    home = crossing.guest.host() is crossing.source
    assert fault.ends != HOME or home, f"the guest has left: {outcome}"
    assert fault.ends != AWAY or not home, f"the guest has stayed: {outcome}"
    assert fault.says in outcome, outcome


def belongings(host):
    """All that a move could leave on a host, or take from it: images with the digest of those that
    nobody writes to, mounts, exports."""
    host.run(f"[ -e {FOREIGN} ] || head -c 64k /dev/urandom > {FOREIGN}")
    text = host.output(f"find {IMAGES} -maxdepth 1 ! -type d; sha256sum {FOREIGN}; "
                       "findmnt -rn -t nfs,nfs4 -o TARGET,SOURCE; exportfs -s; "
                       "find /run/storprep -name '*.nbd'")
    return set(text.splitlines())


def machines(host, guest):
    """How many QEMU processes of the guest there are, libvirt knowing of them or not."""
    return int(host.run(["pgrep", "-c", "-f", f"guest={guest.name}[,]"],
                        check=False).stdout.strip() or 0)


def complaint(guest, stores, before, held):
    """What is wrong now, in words; None when nothing is."""
    home = guest.host()
    for storage in stores:
        host = storage.host
        state = guest.state(host)
        if host is not home and state not in (None, "shut off"):
            return f"{guest.name} is {state} on {host.name}, too"
        if machines(host, guest) != (1 if host is home else 0):
            return f"{machines(host, guest)} machines of {guest.name} run on {host.name}"
        left = [lease for lease in storage.leases() if lease["lease"] not in held]
        if left:
            return f"leases are left on {host.name}: {left}"
        now, images = belongings(host), {guest.disk, SECOND} if host is home else set()
        if before[host.name] - now:
            return f"{host.name} has lost {sorted(before[host.name] - now)}"
        if now - before[host.name] - images:
            return f"{host.name} was left with {sorted(now - before[host.name] - images)}"
    return None


def expect_settled(guest, stores, before, held):
    """Waits until nothing is wrong any more; LabError with what still is."""
    wait_quiet("hosts and guest to settle", lambda: complaint(guest, stores, before, held),
               SETTLE_SECONDS)


def tidy(guest, hosts):
    """The way back is cleared as an administrator would."""
    here = guest.host()
    local = [SECOND] if guest.disk.startswith(SHARED) else [guest.disk]
    for host in hosts:
        if host is not here:
            host.run(["rm", "-f", *local])
