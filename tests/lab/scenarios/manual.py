# SPDX-License-Identifier: LGPL-2.1-or-later
"""The move by hand with virsh, as vendors' manuals have it, there and back, in both VF forms.

It needs nothing of the project: it proves the lab, and it is what to compare with."""

from emulation import procedure
from emulation.guest import FUNCTIONS

NEEDS_PROJECT = False


def run(lab):
    lab.result["moves"] = []
    for form in ("hostdev", "interface"):
        guest = lab.guest("guest1")
        guest.destroy()
        guest.create(lab.host(1), form=form, bond="self")
        before = guest.disk_sha256()
        with lab.probe(guest) as probe:
            lab.result["probeIntervalMilliseconds"] = probe.interval_ms
            for source, target in ((1, 2), (2, 1)):
                with lab.case(f"{form}: host{source} to host{target}"):
                    phases = procedure.move(guest, lab.host(source), lab.host(target), form,
                                            FUNCTIONS[0], probe)
                    lab.result["moves"].append({"form": form, "from": f"host{source}",
                                                "to": f"host{target}", "phases": phases})
                    for name, phase in phases.items():
                        print(f"#   {name:<11}{phase['seconds']:6.2f} s"
                              f"{phase['lostMilliseconds']:7d} ms lost", flush=True)
        with lab.case(f"{form}: the disk is intact"):
            assert guest.disk_sha256() == before
        guest.destroy()
