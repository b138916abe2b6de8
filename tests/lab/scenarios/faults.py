# SPDX-License-Identifier: LGPL-2.1-or-later
"""Moves during which something goes wrong: the guest ends on one host, complete, nothing leaks.

A cell is a fault at a stage. FAULTS=all in the environment tries every one, and
FAULTS="link down@attaching;..." those named."""

import os
import time

from emulation.error import LabError
from emulation.fault import FAULTS
from emulation.invariant import degraded, expect_settled
from emulation.passage import STAGES, Passage

# Only whether the guest answers matters here.
PROBE_MS = 100
TELLING = ("late removal@detaching", "netprepd killed@detaching", "function stolen@reserved",
           "sriov_numvfs changed@reserved", "libvirtd restarted@detached",
           "function stolen@detached", "destination gone@migrating",
           "coordinator gone@migrating", "netprepd killed@attaching", "link down@attaching")


def cells():
    """(fault, stage) of each cell to try."""
    wanted = os.environ.get("FAULTS", "")
    if wanted == "all":
        return [(fault, stage) for stage in STAGES for fault in FAULTS.values()
                if stage in fault.stages]
    names = [name.strip() for name in wanted.split(";") if name.strip()] or TELLING
    return [(FAULTS[name.partition("@")[0]], name.partition("@")[2]) for name in names]


def run(lab):
    """A guest outlives its cells: what one leaves behind, the next one meets."""
    lab.result["cells"] = []
    for slow in (True, False):
        mine = [cell for cell in cells() if (cell[1] == "detaching") == slow]
        guest = create(lab, slow) if mine else lab.guest("guest1")
        for fault, stage in mine:
            with lab.case(f"{fault.name} while {stage}"):
                one_cell(lab, guest, fault, stage)
            if lab.cases.results[-1]["result"] == "failed":
                # What it left says nothing of the next one.
                lab.reset()
                guest = create(lab, slow)
        guest.destroy()


def create(lab, slow):
    guest = lab.guest("guest1")
    guest.create(lab.host(1), slow_unplug=slow)
    guest.create_bond(lab.host(1))
    return guest


def one_cell(lab, guest, fault, stage):
    """Up to the stage, the fault, its end, and what must hold then."""
    begin = time.monotonic()
    passage = Passage(lab, guest, 40 if fault.coordinator_lives else 15)
    passage.held = guest.functions(passage.source)
    outcome = "nothing was tried"
    with lab.probe(guest, PROBE_MS) as probe:
        try:
            fault.prepare(passage)
            if stage == "attaching":
                passage.hold()
            passage.to(stage)
            fault.strike(passage, stage)
            outcome = passage.finish() if fault.coordinator_lives and stage != "attaching" else ""
        finally:
            fault.heal(passage, stage)
            passage.hurry()
            if stage == "attaching":
                passage.let_go(guest.host())
            passage.hang_up()
        expect_settled(guest, lab.hosts, probe)
        lost = probe.window(begin, time.monotonic())["lostMilliseconds"]
    guest.remove_old_disk()
    seconds = round(time.monotonic() - begin, 1)
    lab.result["cells"].append({"fault": fault.name, "stage": stage, "outcome": outcome,
                                "home": guest.host().name, "seconds": seconds,
                                "lostMilliseconds": lost})
    print(f"#   {seconds} s, {guest.name} on {guest.host().name}, {lost} ms lost, "
          f"{' '.join(outcome.split())[:110]}", flush=True)
