# SPDX-License-Identifier: LGPL-2.1-or-later
"""Twenty hand-overs by netprepd and twenty by hand with virsh, of one guest, probed every 10 ms."""

import statistics
import time

from emulation import agent, handover, procedure
from emulation.deadline import wait_for
from emulation.error import LabError
from emulation.guest import FUNCTIONS

# The two techniques alternate in blocks, so that whatever drifts hits both.
BLOCKS, HANDOVERS = 5, 4
TENTH, BRIEF_MS = 0.1, 50
PAIR_ROUNDS = 5
EVENTS = ("unplug", "replug")


def run(lab):
    host = lab.host(1)
    guest = lab.guest("guest1")
    guest.create(host)
    guest.create_bond(host)
    with lab.probe(guest) as probe:
        lab.result["probeIntervalMilliseconds"] = probe.interval_ms
        tallies = {who: {event: handover.Tally(probe) for event in EVENTS}
                   for who in ("ours", "manual")}
        control = handover.Tally(probe)
        for block in range(1, BLOCKS + 1):
            with lab.case(f"block {block} of {BLOCKS}: ours, then by hand"):
                complete(guest, host)
                one_block(guest, host, tallies, control)
    publish(lab.result, tallies, control)
    judge(lab)
    guest.destroy()
    with lab.case("one function and two, ours and by libvirt alone"):
        pairs(lab, host)


def complete(guest, host):
    """Waits until the guest is as it was before anything failed."""
    wait_for(f"the agent of {guest.name}", lambda: agent.answers(host, guest.name), 60)
    wait_for(f"the function of {guest.name}",
             lambda: (guest.bond(host) or {}).get("activeDriver") == "igbvf", 90, 1)


def one_block(guest, host, tallies, control):
    """Some of ours, each with as long a time of rest, and as many by hand."""
    ours = handover.Ours(guest, host)
    try:
        for _ in range(HANDOVERS):
            cycle("ours", ours, tallies["ours"])
            rest = sum(tallies["ours"][event].seconds[-1] for event in EVENTS)
            show("control", control.measure(lambda: time.sleep(rest)))
    finally:
        ours.close()
    convert(guest, host, "interface")
    by_hand = handover.Manual(guest, host, "interface", FUNCTIONS[0])
    for _ in range(HANDOVERS):
        cycle("manual", by_hand, tallies["manual"])
    convert(guest, host, "hostdev")


def convert(guest, host, form):
    """Not measured: the form in which the other technique has the function."""
    procedure.unplug(guest, host)
    host.run("ip link set pf0 vf 0 mac 00:00:00:00:00:00 trust on")
    procedure.replug(guest, host, form, FUNCTIONS[0])
    guest.output("ping -c 2 -W 1 10.99.0.254 || true", host)


def cycle(who, technique, tallies):
    """Out and in again."""
    for event in EVENTS:
        show(f"{who} {event}", tallies[event].measure(getattr(technique, event)))


def show(what, window):
    print(f"#   {what:<14}{window['lostMilliseconds']:5d} ms lost, longest gap "
          f"{window['longestGapMilliseconds']} ms, {window['unsent']} not sent", flush=True)


def ratio(ours, manual):
    """Of the medians; None when there was nothing to compare with."""
    below = median(manual)
    return round(median(ours) / below, 3) if ours and below else None


def median(values):
    """None of none."""
    return statistics.median(values) if values else None


def publish(result, tallies, control):
    """All figures; `lost` lists are milliseconds per event."""
    for who, kinds in tallies.items():
        result[who] = {event: kinds[event].lost for event in EVENTS}
        result[who]["seconds"] = {event: kinds[event].seconds for event in EVENTS}
    result["control"] = control.lost
    result["ratio"] = {event: ratio(result["ours"][event], result["manual"][event])
                       for event in EVENTS}
    result["blackHoles"] = {who: sum(kinds[event].lasting for event in EVENTS)
                            for who, kinds in tallies.items()}
    result["within50ms"] = {who: sum(lost <= BRIEF_MS for event in EVENTS
                                     for lost in kinds[event].lost)
                            for who, kinds in tallies.items()}
    result["unsentProbes"] = control.unsent + sum(
        kinds[event].unsent for kinds in tallies.values() for event in EVENTS)


def judge(lab):
    """The goals, as cases."""
    result = lab.result
    for event in EVENTS:
        lost = result["ours"][event]
        with lab.case(f"{event}: ours loses at most a tenth of what is lost by hand"):
            print(f"#   medians: ours {median(lost)} ms, by hand "
                  f"{median(result['manual'][event])} ms")
            assert result["ratio"][event] is not None and result["ratio"][event] <= TENTH, \
                f"{result['ratio'][event]}"
        with lab.case(f"{event}: at most {BRIEF_MS} ms lost in 19 of 20 of ours"):
            brief = sum(value <= BRIEF_MS for value in lost)
            assert lost and brief >= len(lost) * 0.95, f"{brief} of {len(lost)}: {sorted(lost)}"
    with lab.case("ours never leaves a black hole"):
        assert result["blackHoles"]["ours"] == 0, result["blackHoles"]


def pairs(lab, host):
    """A guest with one function and one with two, in turns: figures without a verdict, since what
    libvirt and the guest do one after the other takes longer than the goal of 1.3 times, and varies."""
    guests = {1: lab.guest("guest1"), 2: lab.guest("guest2")}
    for count, guest in guests.items():
        guest.create(host, functions=FUNCTIONS[:1] if count == 1 else FUNCTIONS[1:3])
        for index in range(count):
            guest.create_bond(host, index)
    result = lab.result["twoNics"] = {
        "ours": in_turns(guests, lambda guest: out_and_in(guest, host)),
        "libvirt": in_turns(guests, lambda guest: procedure.out_and_in(guest, host))}
    for who, times in result.items():
        print(f"#   {who}: one {times['one']} s, two {times['two']} s, {times['ratio']} times",
              flush=True)


def in_turns(guests, measure):
    """Seconds of each, and the ratio of the medians."""
    seconds = {count: [] for count in guests}
    for _ in range(PAIR_ROUNDS):
        for count, guest in guests.items():
            seconds[count].append(measure(guest))
    one, two = (statistics.median(seconds[count]) for count in (1, 2))
    return {"one": seconds[1], "two": seconds[2], "ratio": round(two / one, 2)}


def out_and_in(guest, host):
    """The seconds of both together."""
    ours = handover.Ours(guest, host)
    begin = time.monotonic()
    try:
        ours.unplug()
        if guest.functions(host):
            raise LabError(f"{guest.name} still has {guest.functions(host)}")
        ours.replug()
    finally:
        ours.close()
    return round(time.monotonic() - begin, 2)
