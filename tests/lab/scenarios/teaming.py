# SPDX-License-Identifier: LGPL-2.1-or-later
"""A guest whose two NICs are teamed by libvirt and its kernel: moved there and back, form kept.

Nothing of ours is in the guest, and no bond: QEMU tells its kernel of the pair, net_failover uses it.
"""

import json
import time
import xml.etree.ElementTree as ET

from emulation import procedure
from emulation.deadline import wait_for
from emulation.move import Move

PERSISTENT = "ua-standby"
# The team is eth0, its VirtIO half eth1; the guest's first program knows of no teams.
ADDRESS = """
ip address flush dev eth1
ip link set eth0 up
ip address add {address}/24 dev eth0
ip route replace 10.99.0.0/24 dev eth0
"""


def team(tree):
    """Makes a team of the only VirtIO vNIC and the only function."""
    standby, primary = tree.findall("devices/interface")
    ET.SubElement(standby, "teaming", type="persistent")
    ET.SubElement(standby, "alias", name=PERSISTENT)
    ET.SubElement(primary, "teaming", type="transient", persistent=PERSISTENT)


def halves(guest, host):
    """{driver: network device} of what eth0 is made of in the guest."""
    text = guest.output("cd /sys/class/net; for n in *; do [ -e $n/master ] && "
                        "[ $(basename $(readlink $n/master)) = eth0 ] && "
                        "echo $(basename $(readlink -f $n/device/driver)) $n; done; true", host)
    return dict(line.split() for line in text.splitlines())


def wait_teamed(guest, host):
    return wait_for(f"both halves of the team in {guest.name}",
                    lambda: (found := halves(guest, host)) and len(found) == 2 and found, 60, 1)


def teaming(guest, host):
    """The <teaming> elements of the persistent configuration, the VirtIO vNIC's first."""
    tree = ET.fromstring(host.output(["virsh", "dumpxml", "--inactive", guest.name]))
    return [element.attrib for element in tree.findall("devices/interface/teaming")]


def create(guest, host):
    guest.create(host, form="interface", change=team)
    guest.output(ADDRESS.format(address=guest.address), host)
    wait_teamed(guest, host)


def by_hand(lab, guest, probe, figures):
    """QEMU's own: it takes the function away and gives it back by itself during `virsh migrate`."""
    source = guest.host()
    target = next(host for host in lab.hosts if host is not source)
    with lab.case("by hand: virsh migrate, in which QEMU unplugs by itself"):
        begin = time.monotonic()
        procedure.migrate(guest, source, target)
        wait_teamed(guest, target)
        since = time.monotonic()
        probe.wait_reply(since + 1, 30)
        window = probe.window(begin, since + 1)
        figures.append({"seconds": round(since - begin, 2), **window})
        print(f"#   {window['lostMilliseconds']} ms lost, longest gap "
              f"{window['longestGapMilliseconds']} ms", flush=True)


def ours(lab, guest, probe, moves):
    with lab.case(f"move {len(moves) + 1} of a teamed guest"):
        figures = Move(lab, guest, probe).run()
        moves.append(figures)
        assert figures["result"] == "moved", figures["error"]
        assert figures["reachableAfter"], "the guest does not answer any more"
        assert len(wait_teamed(guest, guest.host())) == 2
        print(f"#   {figures['outageMilliseconds']} ms lost", flush=True)
    guest.remove_old_disk()
    with lab.case("the pair is kept as the administrator wrote it"):
        assert teaming(guest, guest.host()) == [
            {"type": "persistent"}, {"type": "transient", "persistent": PERSISTENT}], \
            teaming(guest, guest.host())


def run(lab):
    guest = lab.guest("guest1")
    create(guest, lab.host(1))
    with lab.case("the check says that the vNIC is teamed"):
        answer = json.loads(lab.host(1).run(
            ["migprep", "check", guest.name, "--to", lab.host(2).name, "--json"],
            check=False, seconds=60).stdout)
        assert "is teamed with VirtIO NIC" in json.dumps(answer), answer
    lab.result["moves"], lab.result["byHand"] = [], []
    with lab.probe(guest) as probe:
        for _ in range(2):
            ours(lab, guest, probe, lab.result["moves"])
        by_hand(lab, guest, probe, lab.result["byHand"])
    with lab.case("the guest starts cold where it is now, teamed"):
        home = guest.host()
        home.run(["virsh", "destroy", guest.name])
        home.run(["virsh", "start", guest.name], seconds=90)
        guest.wait_ready(home)
        wait_teamed(guest, home)
