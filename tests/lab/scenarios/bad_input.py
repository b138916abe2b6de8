# SPDX-License-Identifier: LGPL-2.1-or-later
"""Moves that cannot be: each gives one clear error and its own status, and changes nothing."""

import json

from emulation.deadline import wait_for
from emulation.journey import Journey, expect_home

NETWORK = "/run/netprep/io.migprep.Network"
STATUS = {"GuestNotFound": 3, "GuestNotRunning": 4, "PeerUnreachable": 5, "DaemonUnavailable": 6,
          "NoFreeFunction": 7, "TargetExists": 8, "NoSpace": 9, "AgentUnavailable": 10,
          "UnplugTimedOut": 11}


def refused(guest, source, to, code, *named, options=()):
    """Runs a move that must fail with `code`, naming these objects and a remedy."""
    journey = Journey(guest, source, to, *options)
    status = journey.end()
    error = journey.result["error"]
    assert error and error["code"] == code, f"expected {code}, got {error}"
    assert status == STATUS[code], f"status {status} instead of {STATUS[code]}"
    for name in named:
        assert name in error["object"] + error["cause"], f"{name} is not named in {error}"
    assert error["remedy"], f"no remedy in {error}"
    return journey


def run(lab):
    source, target = lab.host(1), lab.host(2)
    guest = lab.guest("guest1")

    with lab.case("unknown guest"):
        refused(guest, source, "host2", "GuestNotFound", "guest1")

    with lab.case("guest that is shut off"):
        guest.create(source, bond="self", start=False)
        refused(guest, source, "host2", "GuestNotRunning", "guest1")
        assert guest.state(source) == "shut off"

    source.run(["virsh", "start", guest.name], seconds=90)
    guest.wait_ready(source)
    with lab.case("destination that cannot be reached"):
        refused(guest, source, "10.98.0.77", "PeerUnreachable", "10.98.0.77")
        expect_home(guest, source, target)

    with lab.case("destination without the daemons"):
        target.run("systemctl stop netprepd.socket netprepd.service")
        try:
            refused(guest, source, "host2", "DaemonUnavailable", "host2")
        finally:
            target.run("systemctl start netprepd.socket")
        expect_home(guest, source, target)

    with lab.case("no free function on the destination"):
        release = reserve_all(target)
        try:
            refused(guest, source, "host2", "NoFreeFunction", "passthrough")
        finally:
            release()
        expect_home(guest, source, target)

    with lab.case("target file already there: never overwritten"):
        target.run(f"echo precious > {guest.disk}")
        refused(guest, source, "host2", "TargetExists", guest.disk)
        assert target.output(["cat", guest.disk]) == "precious"
        expect_home(guest, source, target, target_kept=True)
        target.run(["rm", guest.disk])

    with lab.case("full target file system"):
        target.run("mount -t tmpfs -o size=8m full /var/lib/libvirt/images")
        try:
            refused(guest, source, "host2", "NoSpace", "/var/lib/libvirt/images")
        finally:
            target.run("umount /var/lib/libvirt/images")
        expect_home(guest, source, target)

    with lab.case("guest that does not let the function go"):
        stubborn(lab, source, target)

    with lab.case("guest whose agent is silent"):
        guest.create(source, bond="self") if guest.state(source) is None else None
        guest.output("(sleep 1; kill -STOP $(pidof qemu-ga)) > /dev/null 2>&1 &")
        wait_for("the agent to fall silent", lambda: source.run(
            ["virsh", "qemu-agent-command", "--timeout", "2", guest.name,
             '{"execute":"guest-ping"}'], check=False).returncode != 0, 60, 0.5)
        refused(guest, source, "host2", "AgentUnavailable", "guest1")
        assert guest.state(source) == "running" and guest.functions(source)
        guest.destroy()


def stubborn(lab, source, target):
    """A guest booted without hot-unplug: the request is neither obeyed nor refused."""
    guest = lab.guest("guest2")
    source.run("mkdir -p /etc/migprep; printf '[network]\\nunplug-seconds=6\\n' "
               "> /etc/migprep/migprep.conf; systemctl restart netprepd")
    try:
        guest.create(source, bond="self", arguments="acpiphp.disable=1")
        before = guest.functions(source)
        refused(guest, source, "host2", "UnplugTimedOut", "guest2")
        assert guest.functions(source) == before
        expect_home(guest, source, target)
    finally:
        guest.destroy()
        source.run("rm /etc/migprep/migprep.conf; systemctl restart netprepd")


def reservation(count, **more):
    """The request that holds so many functions for a guest that is nowhere."""
    settings = {"vlan": 0, "qos": 0, "vlanProtocol": "dot1q", "spoofCheck": True, "trust": False,
                "linkState": "auto", "minimumRate": 0, "maximumRate": 0}
    vnic = {"function": "0000:01:10.0", "form": "hostdev", "physicalNetwork": "passthrough",
            "settings": settings, "path": "bond",
            "pathReason": ""}
    return {"owner": "test", "token": "all", "timeoutSeconds": 600,
            "guest": {"name": "other", "uuid": "11111111-2222-3333-4444-555555555555"},
            "vnics": [{"alias": f"hostdev{n}", **vnic} for n in range(count)], **more}


def reserve_all(host):
    """Holds every function of a host for somebody else; returns what gives them back."""
    reply = host.output(["varlinkctl", "call", "-j", NETWORK, "io.migprep.Network.Reserve",
                         json.dumps(reservation(4))])
    lease = json.loads(reply)["lease"]
    assert len(set(lease["functions"])) == 4, lease

    def release():
        host.run(["varlinkctl", "call", "-j", NETWORK, "io.migprep.Network.Release", json.dumps(
            {"lease": lease["lease"], "generation": lease["generation"]})])
    return release
