# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest whose function comes from a libvirt network's pool: moved there and back, form kept."""

import xml.etree.ElementTree as ET

from emulation.move import Move


def configured(guest, host):
    """The vNICs of the persistent configuration that are no VirtIO ones: (tag, type, network)."""
    tree = ET.fromstring(host.output(["virsh", "dumpxml", "--inactive", guest.name]))
    found = [device for device in tree.find("devices")
             if device.tag in ("interface", "hostdev") and device.find("model") is None]
    return [(device.tag, device.get("type"), getattr(device.find("source"), "attrib", {}).get(
        "network")) for device in found]


def run(lab):
    guest = lab.guest("guest1")
    guest.create(lab.host(1), form="network")
    guest.create_bond(lab.host(1))
    before = configured(guest, lab.host(1))
    assert before == [("interface", "network", "passthrough")], before
    lab.result["moves"] = []
    with lab.probe(guest) as probe:
        for number in (1, 2):
            with lab.case(f"move {number} of 2 of a guest with a function from a pool"):
                figures = Move(lab, guest, probe).run()
                lab.result["moves"].append(figures)
                assert figures["result"] == "moved", figures["error"]
                assert figures["reachableAfter"], "the guest does not answer any more"
                assert guest.bond()["activeDriver"] == "igbvf", guest.bond()
                print(f"#   {figures['outageMilliseconds']} ms lost", flush=True)
                guest.remove_old_disk()
            with lab.case(f"move {number} of 2 keeps the administrator's form"):
                assert configured(guest, guest.host()) == before, configured(guest, guest.host())
    with lab.case("the guest starts cold where it is now"):
        home = guest.host()
        home.run(["virsh", "destroy", guest.name])
        home.run(["virsh", "start", guest.name], seconds=90)
        guest.wait_ready(home)
        assert len(guest.functions(home)) == 1, guest.functions(home)
