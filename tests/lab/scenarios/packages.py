# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Debian packages on both hosts: installed by apt, upgraded while leases are open, removed.

OLD=COMMIT has the older version built from that commit; otherwise both are of these sources."""

from emulation import package
from emulation.daemon import Daemon
from emulation.deadline import wait_for
from emulation.guest import IMAGES
from emulation.handover import Ours
from emulation.journey import leases
from emulation.move import Move
from scenarios.bad_input import reservation

MESSAGE = "a1d1f6c0b5b94d6f9a6d3f0f6b1c7a01"
WAITING = f"{IMAGES}/waiting.qcow2"
# Asks all the time, until it is stopped; what it was refused is all that it says.
ASK = """
while [ -e /run/asking ]; do
    varlinkctl call -j /run/netprep/io.migprep.Network io.migprep.Network.ListLeases {} \
        > /dev/null 2> /run/refused || cat /run/refused
done
"""


def run(lab):
    built = None
    with lab.case("the packages of two versions are built"):
        built = lab.packages()
    if not built:
        return
    try:
        for host in lab.hosts:
            package.clear(host)
        installed(lab, built[0])
        moved(lab)
        upgraded(lab, built[1])
        removed(lab)
    finally:
        lab.guest("guest1").destroy()
        for host in lab.hosts:
            package.give_back(host)
        lab.redeploy()


def installed(lab, older):
    with lab.case("apt installs them from their files"):
        for host in lab.hosts:
            package.install(host, older)
            found = package.versions(host)
            assert set(found) == set(package.NAMES) and len(set(found.values())) == 1, found
    for host in lab.hosts:
        with lab.case(f"{host.name}: daemons run, sockets listen, and are their groups'"):
            listens(host)
        with lab.case(f"{host.name}: nothing that empties a host is enabled"):
            for unit in ("migprep-shutdown.service", "migprep-metrics.timer"):
                state = host.run(["systemctl", "is-enabled", unit], check=False).stdout.strip()
                assert state == "disabled", f"{unit} is {state}"
        with lab.case(f"{host.name}: the journal knows what its messages mean"):
            assert "Virtual functions are reserved" in host.output(
                ["journalctl", "--dump-catalog", MESSAGE])
        with lab.case(f"{host.name}: the check of a host says that it is ready"):
            assert_ready(host)


def assert_ready(host):
    """What libvirt does not say within a check's own deadline is unknown (3): it is being started."""
    def checked():
        done = host.run(["migprep", "check", "--host", "--quiet"], check=False, seconds=60)
        return done if done.returncode != 3 else None

    done = wait_for(f"libvirt of {host.name} to answer its check", checked, 120)
    assert done.returncode in (0, 1), done.stdout + done.stderr


def listens(host):
    units = [*package.SOCKETS, "netprepd.service", "storprepd.service"]
    assert host.output(["systemctl", "is-active", *units]).split() == ["active"] * len(units)
    assert host.output(["systemctl", "is-enabled", *units]).split() == ["enabled"] * len(units)
    for room, name in (("netprep", "Network"), ("storprep", "Storage")):
        path = f"/run/{room}/io.migprep.{name}"
        assert host.output(["stat", "-c", "%A %U %G", path]) == "srw-rw---- root migprep"
        assert host.output(["stat", "-c", "%G", f"{path}.monitor"]) == "migprep-monitor"
    for path in ("/run/migprep", "/var/lib/migprep", "/etc/migprep/pre-drain.d"):
        host.run(["test", "-d", path])


def moved(lab):
    guest = lab.guest("guest1")
    with lab.case("a guest moves between hosts that have the packages"):
        guest.create(lab.host(1), bond="self")
        with lab.probe(guest) as probe:
            figures = Move(lab, guest, probe).run()
        assert figures["result"] == "moved", figures["error"]
        assert figures["reachableAfter"], "the guest does not answer any more"
        guest.remove_old_disk()


def held(hosts):
    """What both hosts hold, without what time changes."""
    return {host.name: sorted(
        ({key: lease[key] for key in lease if key not in ("remainingSeconds", "generation")}
         for lease in leases(host)), key=lambda lease: lease["lease"]) for host in hosts}


def reserve(host):
    with Daemon(host, "network") as daemon:
        return daemon.call("Reserve", **reservation(1))["lease"]


def create_target(host):
    request = reservation(0)
    del request["vnics"]
    target = {"path": WAITING, "format": "qcow2", "virtualSizeBytes": 1 << 20}
    with Daemon(host, "storage") as daemon:
        return daemon.call("CreateTargets", targets=[target], **request)["lease"]


def upgraded(lab, newer):
    """A guest has given up its function here; another one is waited for there."""
    guest = lab.guest("guest1")
    here = guest.host()
    there = next(host for host in lab.hosts if host is not here)
    with lab.case("leases of each kind are open"):
        wait_for("the leases of the move to end", lambda: not any(map(leases, lab.hosts)), 60, 0.5)
        ours = Ours(guest, here)
        ours.unplug()
        ours.close()
        made = (reserve(there), create_target(there))
        kinds = sorted(lease["kind"] for host in lab.hosts for lease in leases(host))
        assert kinds == ["detachment", "reservation", "targets"], kinds
    before = held(lab.hosts)
    for host in lab.hosts:
        with lab.case(f"{host.name}: an upgrade keeps its leases, and refuses nobody"):
            was = package.versions(host)
            refused = asked_during(host, lambda host=host: package.install(host, newer))
            now = package.versions(host)
            assert all(now[name] != was[name] for name in package.NAMES), now
            listens(host)
            assert held([host])[host.name] == before[host.name], held([host])
            assert len(refused) <= 1, refused
    with lab.case("who asks again, as after a lost answer, gets the leases that there are"):
        again = (reserve(there), create_target(there))
        assert [lease["lease"] for lease in again] == [lease["lease"] for lease in made]
    with lab.case("the guest is still without its function, and reachable"):
        assert not guest.functions(here)
        guest.output("ping -c 2 -W 2 10.99.0.254", here)


def asked_during(host, work):
    """What somebody was refused who asked all the time while the work was done."""
    host.run(["touch", "/run/asking"])
    stream = host.start(ASK)
    try:
        work()
    finally:
        host.run(["rm", "/run/asking"])
    return [line for _, line in stream]


def removed(lab):
    guest = lab.guest("guest1")
    here = guest.host()
    there = next(host for host in lab.hosts if host is not here)
    with lab.case("who is removed gives back first: the guest has its function again"):
        package.remove(here, "netprepd")
        wait_for("the function in the guest's bond",
                 lambda: (guest.bond(here) or {}).get("activeDriver") == "igbvf", 60)
        assert guest.functions(here)
        assert set(package.versions(here)) == {"migprep", "storprepd"}
    with lab.case("what is installed again goes on"):
        package.install_again(here, "netprepd")
        listens(here)
        assert not leases(here), leases(here)
    with lab.case("a purge gives back what is held, and leaves nothing of ours"):
        package.remove(there, *package.NAMES, purge=True)
        assert there.run(["test", "-e", WAITING], check=False).returncode != 0, "the target is there"
        assert not package.versions(there)
        assert not package.left_over(there), package.left_over(there)
    with lab.case("the guest runs on when all is removed"):
        package.remove(here, *package.NAMES, purge=True)
        assert guest.state(here) == "running" and guest.functions(here)
        assert not package.left_over(here), package.left_over(here)
