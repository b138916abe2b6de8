# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whole moves by migprep beside whole moves by hand, drawn packet by packet: build/lab/outage.svg.

By hand means vendors' manuals: virsh detach-device, virsh migrate, virsh attach-device, typed by
somebody who never has to think; and for a teamed guest virsh migrate, which leaves it to QEMU."""

import statistics
import time

from emulation import place, plot, procedure
from emulation.guest import FUNCTIONS
from emulation.move import Move
from scenarios import teaming

ROUNDS = 2  # there and back
FILE = place.BUILD / "outage.svg"


def run(lab):
    strips = [*bonded(lab), *teamed(lab)]
    FILE.write_text(plot.svg(strips), encoding="utf-8")
    lab.result["plot"] = str(FILE.relative_to(place.SOURCE))
    publish(lab.result)


def bonded(lab):
    """A guest with a bond, moved by us and by hand; a strip of each."""
    guest = lab.guest("guest1")
    guest.create(lab.host(1), bond="self")
    with lab.probe(guest) as probe:
        mine = in_rounds(lab, guest, probe, "ours", by_us)
        hands = in_rounds(lab, guest, probe, "manual", by_hand)
    guest.destroy()
    return mine, hands


def teamed(lab):
    guest = lab.guest("guest1")
    teaming.create(guest, lab.host(1))
    with lab.probe(guest) as probe:
        mine = in_rounds(lab, guest, probe, "oursTeamed", by_us)
        hands = in_rounds(lab, guest, probe, "teaming", by_qemu)
    guest.destroy()
    return mine, hands


def in_rounds(lab, guest, probe, name, move):
    """Moves it there and back; the strip of the first one."""
    moves = lab.result[name] = []
    first = None
    for number in range(1, ROUNDS + 1):
        with lab.case(f"{name}: move {number} of {ROUNDS}"):
            begin = time.monotonic()
            phases = move(lab, guest, probe)
            end = time.monotonic()
            window = probe.window(begin, end)
            moves.append({"seconds": round(max(phase[1] for phase in phases.values()) - begin, 2),
                          **window})
            print(f"#   {moves[-1]['seconds']} s, {window['lostMilliseconds']} ms lost, longest "
                  f"gap {window['longestGapMilliseconds']} ms", flush=True)
            first = first or strip(name, probe, begin, end, phases, moves[-1])
        guest.remove_old_disk()
    return first


def strip(name, probe, begin, end, phases, figures):
    titles = {"ours": "migprep migrate, bonded guest", "manual": "by hand, bonded guest",
              "oursTeamed": "migprep migrate, teamed guest",
              "teaming": "virsh migrate, teamed guest"}
    return plot.Strip(
        f"{titles[name]}: {figures['seconds']} s, {figures['lostMilliseconds']} ms lost",
        [(sent - begin, trip) for sent, trip in probe.trips(begin, end)],
        {phase: (since - begin, until - begin) for phase, (since, until) in phases.items()})


def by_us(lab, guest, probe):
    move = Move(lab, guest, probe)
    figures = move.run()
    assert figures["result"] == "moved", figures["error"]
    assert figures["reachableAfter"], "the guest does not answer any more"
    return move.windows()


def by_hand(lab, guest, probe):
    source = guest.host()
    target = next(host for host in lab.hosts if host is not source)
    begin = time.monotonic()
    phases = procedure.move(guest, source, target, "hostdev", FUNCTIONS[0], probe)
    windows = {}
    for name, phase in phases.items():
        windows[name] = (begin, begin + phase["seconds"])
        begin += phase["seconds"]
    return windows


def by_qemu(lab, guest, probe):
    source = guest.host()
    target = next(host for host in lab.hosts if host is not source)
    begin = time.monotonic()
    procedure.migrate(guest, source, target)
    teaming.wait_teamed(guest, target)
    end = time.monotonic()
    probe.wait_reply(end, 30)
    return {"virsh migrate": (begin, end)}


def publish(result):
    """Ratios of the medians, ours to the other."""
    for mine, other, name in (("ours", "manual", "bonded"), ("oursTeamed", "teaming", "teamed")):
        if not result[mine] or not result[other]:
            continue
        lost, seconds = ([statistics.median(move[figure] for move in result[who])
                          for who in (mine, other)] for figure in ("lostMilliseconds", "seconds"))
        result.setdefault("ratio", {})[name] = {
            "lost": round(lost[0] / lost[1], 3) if lost[1] else None,
            "seconds": round(seconds[0] / seconds[1], 3)}
    print(f"#   ratios, ours to the other: {result.get('ratio')}", flush=True)
