# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whole moves by migprep beside whole moves by hand, drawn packet by packet: build/lab/outage.svg.

By hand means vendors' manuals: virsh detach-device, virsh migrate, virsh attach-device, typed by
somebody who never has to think; and for a teamed guest virsh migrate, which leaves it to QEMU."""

import statistics
import time

from emulation import place, plot, procedure
from emulation.guest import FUNCTIONS
from emulation.move import AFTERMATH_SECONDS, Move
from scenarios import teaming

ROUNDS = 2  # there and back
NO_MAC = "00:00:00:00:00:00"
FILE = place.BUILD / "outage.svg"


def run(lab):
    strips = [strip for strip in (*bonded(lab), *teamed(lab)) if strip]
    publish(lab.result)
    with lab.case("the moves are drawn above each other"):
        assert len(strips) == 4, f"{len(strips)} moves can be drawn"
        FILE.write_text(plot.svg(strips), encoding="utf-8")
        lab.result["plot"] = str(FILE.relative_to(place.SOURCE))


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
    """Moves it there and back; the strip of the first move that succeeds, or None."""
    moves = lab.result[name] = []
    strips = []
    for number in range(1, ROUNDS + 1):
        with lab.case(f"{name}: move {number} of {ROUNDS}"):
            try:
                strips.append(one_move(lab, guest, probe, name, move, moves))
            finally:
                guest.remove_old_disk()
    return strips[0] if strips else None


def one_move(lab, guest, probe, name, move, moves):
    """Its strip; its figures are added to the moves."""
    begin = time.monotonic()
    phases = move(lab, guest, probe)
    end = time.monotonic()
    probe.wait_reply(end, 30)  # then nothing that was sent before is on its way any more
    figures = {"seconds": round(max(phase[1] for phase in phases.values()) - begin, 2),
               **probe.window(begin, end)}
    moves.append(figures)
    print(f"#   {figures['seconds']} s, {figures['lostMilliseconds']} ms lost, longest gap "
          f"{figures['longestGapMilliseconds']} ms", flush=True)
    return strip(name, probe, begin, end, phases, figures)


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
    target.run(f"ip link set pf0 vf 0 mac {NO_MAC} trust on")  # as it was before anybody moved
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
    # As with the others, over only when nothing has become of it for a while.
    end = time.monotonic() + AFTERMATH_SECONDS
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
