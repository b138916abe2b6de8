# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest that has its bond but nothing of ours inside: moved there and back by its agent alone."""

from emulation.move import Move


def run(lab):
    guest = lab.guest("guest1")
    guest.create(lab.host(1), bond="self", helper=False)
    status, _, _ = guest.run(["/bin/sh", "-c", "[ -e /usr/sbin/netprep-guest ]"])
    assert status == 1, "the project's program is in the guest"
    lab.result["moves"] = []
    with lab.probe(guest) as probe:
        for number in (1, 2):
            with lab.case(f"move {number} of 2 without the project's program in the guest"):
                figures = Move(lab, guest, probe).run()
                lab.result["moves"].append(figures)
                assert figures["result"] == "moved", figures["error"]
                assert figures["reachableAfter"], "the guest does not answer any more"
                assert guest.bond()["activeDriver"] == "igbvf", guest.bond()
                print(f"#   {figures['outageMilliseconds']} ms lost", flush=True)
                guest.remove_old_disk()
