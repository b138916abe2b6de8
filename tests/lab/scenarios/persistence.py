# SPDX-License-Identifier: LGPL-2.1-or-later
"""A bond that netprep-guest made comes back at boot: with networkd, NetworkManager and ifupdown.

Host 1 plays the guest: it has udev, a function with its own driver, and gets a VirtIO NIC. A boot
is played by taking all links apart and starting the system that configures the network."""

import json
import signal
import subprocess

from emulation import network, network_system
from emulation.deadline import wait_for
from emulation.process import call
from emulation.spare_nic import SpareNic

MAC = "52:54:00:97:00:01"
OWN_MAC = "52:54:00:97:00:02"
ADDRESS, FAR = "10.97.0.77/24", "10.97.0.254"
FUNCTION = "0000:01:10.0"
DRIVER = "/sys/bus/pci/drivers/igbvf"
GUEST = "/usr/sbin/netprep-guest"


def run(lab):
    host = lab.host(1)
    call(network.inside(["ip", "address", "add", f"{FAR}/24", "dev", "dbr"]))
    # Or the bridge would answer for an address of the bond.
    host.run("sysctl -q net.ipv4.conf.all.arp_ignore=1")
    try:
        with SpareNic(lab, 1, MAC) as nic:
            for make in network_system.SYSTEMS:
                for form in ("none", "active"):
                    with lab.case(f"{make.__name__}, fail_over_mac {form}"):
                        one_system(lab, host, nic, make, form)
    finally:
        host.run("sysctl -q net.ipv4.conf.all.arp_ignore=0")
        call(network.inside(["ip", "address", "delete", f"{FAR}/24", "dev", "dbr"]))


def one_system(lab, host, nic, make, form):
    """The bond is made, a boot with and without the function, and the way back."""
    set_mac(host, MAC if form == "none" else OWN_MAC)
    bind(host)
    try:
        with make(host, nic.name, ADDRESS) as system:
            network_system.wait_address(host, nic.name, ADDRESS)
            before = system.content()
            with Pings() as pings:
                create(host, system, form)
                made = wait_for("traffic on the function", lambda: settled(host), 30)
            lab.result[f"longestGapMilliseconds {system.name} {form}"] = pings.longest_gap_ms
            check(host, made, with_function=True)
            boot(host, nic, system, with_function=True)
            check(host, made, with_function=True)
            boot(host, nic, system, with_function=False)
            check(host, made, with_function=False)
            bind(host)
            guest(host, "join", "--bond", "bond0", "--path", path_of(host))  # as netprepd does it
            check(host, made, with_function=True)
            guest(host, "unpersist", "--bond", "bond0")
            assert system.content() == before, system.content()
            boot(host, nic, system, with_function=True)
            network_system.wait_address(host, nic.name, ADDRESS)
            assert not bonds(host), bonds(host)
    finally:
        host.run([GUEST, "unpersist", "--bond", "bond0"], check=False)
        take_apart(host, nic)
        set_mac(host, "00:00:00:00:00:00")
        bind(host)


class Pings:
    """The NIC's address, pinged every 20 ms; use as a context manager."""

    def __enter__(self):
        self._child = subprocess.Popen(network.inside(["ping", "-D", "-i", "0.02",
                                                       ADDRESS.split("/", maxsplit=1)[0]]),
                                       stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self._child.send_signal(signal.SIGINT)
        times = [float(line[1:].split("]")[0]) for line in self._child.communicate()[0].splitlines()
                 if "icmp_seq" in line and "time=" in line]
        self.longest_gap_ms = round(max(after - before for before, after
                                        in zip(times, times[1:])) * 1000)


def guest(host, *words):
    """What netprep-guest answers."""
    return json.loads(host.output([GUEST, *words]))


def create(host, system, form):
    """Bonds both devices."""
    made = guest(host, "create-bond", "--bond", "bond0", "--primary-path", path_of(host),
                 "--backup-mac", MAC, "--fail-over-mac", form)
    persistence = made.pop("persistence")
    assert persistence["system"] == system.name and persistence["atBoot"], persistence
    assert not persistence["instructions"], persistence


def settled(host):
    """The bond as it is when it uses the function, or None before."""
    bond = bonds(host)["bond0"]
    return bond if bond["active"] and bond["active"] == bond["primary"] else None


def path_of(host):
    """The function's PCI path, as netprep-guest calls it."""
    name = device_of(host)
    return next(link["pciPath"] for link in guest(host, "report")["interfaces"]
                if link["name"] == name)


def bonds(host):
    """All bonds, by name."""
    found = {bond["name"]: bond for bond in guest(host, "report")["bonds"]}
    for bond in found.values():
        del bond["persistence"]
        bond["ports"].sort()
    return found


def check(host, made, with_function):
    """The bond is what it was when it was made, and carries traffic."""
    wanted = dict(made)
    if not with_function:
        wanted["ports"] = [port for port in wanted["ports"] if port != made["primary"]]
        wanted["active"] = wanted["ports"][0]
        wanted["macAddress"] = MAC  # that of the port left, or of both
        wanted["primary"] = None
    try:
        wait_for("bond0 to be as it was made", lambda: bonds(host).get("bond0") == wanted, 60, 0.5)
    except Exception:
        raise AssertionError(f"wanted {wanted}, is {bonds(host)}") from None
    network_system.wait_address(host, "bond0", ADDRESS)
    wait_for("an answer through bond0", lambda: host.run(
        ["ping", "-q", "-c", "1", "-W", "1", "-I", "bond0", FAR], check=False).returncode == 0, 30)


def boot(host, nic, system, with_function):
    """All links are taken apart, then come as at boot."""
    system.stop()
    take_apart(host, nic)
    system.start()
    if with_function:
        bind(host)


def take_apart(host, nic):
    """No bond, no function, and a NIC that nobody has configured."""
    host.run("ip link delete bond0", check=False)
    host.run(f"[ ! -e {DRIVER}/{FUNCTION} ] || echo {FUNCTION} > {DRIVER}/unbind")
    host.run(f"ip address flush dev {nic.name}; ip link set {nic.name} down address {MAC}")


def device_of(host):
    """The function's network device."""
    return host.output(f"ls /sys/bus/pci/devices/{FUNCTION}/net")


def bind(host):
    """Gives the function its driver, and with that a network device."""
    host.run(f"[ -e {DRIVER}/{FUNCTION} ] || echo {FUNCTION} > {DRIVER}/bind")
    wait_for("the function's device", lambda: device_of(host), 20)


def set_mac(host, mac):
    """Sets the MAC address that the function has from when it next gets its driver."""
    host.run(f"[ ! -e {DRIVER}/{FUNCTION} ] || echo {FUNCTION} > {DRIVER}/unbind")
    host.run(f"ip link set pf0 vf 0 mac {mac}")
