# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ten moves of one guest, back and forth, with its network measured throughout."""

from emulation.move import Move

MOVES = 10


def run(lab):
    lab.result.update(attempted=0, moved=0, moves=[])
    guest = lab.guest("guest1")
    guest.create(lab.host(1))
    guest.create_bond(lab.host(1))
    before = guest.disk_sha256(lab.host(1))
    with lab.probe(guest) as probe:
        lab.result["probeIntervalMilliseconds"] = probe.interval_ms
        for number in range(1, MOVES + 1):
            with lab.case(f"move {number} of {MOVES}"):
                lab.result["attempted"] += 1
                figures = Move(lab, guest, probe).run()
                lab.result["moves"].append(figures)
                outage = figures["outageMilliseconds"]
                print(f"#   {figures['from']} to {figures['to']}: {figures['durationSeconds']} s, "
                      + ", ".join(f"{name} {lost} ms" for name, lost in outage.items()),
                      flush=True)
                assert figures["result"] == "moved", figures["error"]
                assert figures["runsOnTarget"], f"not running on {figures['to']}"
                assert figures["reachableAfter"], "the guest does not answer any more"
                lab.result["moved"] += 1
                guest.remove_old_disk()
    with lab.case("the disk is intact"):
        intact = guest.disk_sha256() == before
        lab.result["diskVerified"] = intact
        assert intact
