# SPDX-License-Identifier: LGPL-2.1-or-later
"""`migprep migrate` as a test runs it, and what must hold for guest and hosts when it is over."""

import json

from .deadline import wait_quiet
from .error import LabError

TARGETS = "/var/lib/libvirt/images"


class Journey:
    """One run of `migprep migrate` on a host; its events are read as they come."""

    def __init__(self, guest, source, target_name, *options):
        self.guest, self.source = guest, source
        self.events = []
        self._stream = source.start(["migprep", "migrate", guest.name, "--to", target_name,
                                     "--json", *options])

    def until_started(self, step):
        """Reads until a step begins; False when the run ended without it."""
        for _, line in self._stream:
            event = json.loads(line)
            self.events.append(event)
            if event["event"] == "step" and event["name"] == step and event["state"] == "started":
                return True
        return False

    def end(self, seconds=120):
        """Reads to the end; the exit status."""
        self.until_started("no such step")
        return self._stream.status(seconds)

    def signal(self, name):
        """Sends a signal to the running command on its host."""
        self.source.run(["pkill", f"-{name}", "-f", f"^migprep migrate {self.guest.name} "])

    @property
    def result(self):
        """The last line: {result, guest, ..., error}."""
        if not self.events or self.events[-1]["event"] != "result":
            raise LabError(f"the run ended without a result; last event: {self.events[-1:]}")
        return self.events[-1]

    @property
    def errors(self):
        """What it wrote to its standard error, known after end()."""
        return self._stream.errors()


def leases(host):
    """The open leases of both daemons on a host that still hold something. One that only watches
    for the late answer to an unplug request, which cannot be taken back, is none of them."""
    found = []
    for service, name in (("netprep", "Network"), ("storprep", "Storage")):
        reply = host.output(["varlinkctl", "call", "-j", f"/run/{service}/io.migprep.{name}",
                             f"io.migprep.{name}.ListLeases", "{}"])
        found += [lease for lease in json.loads(reply)["leases"]
                  if lease.get("functions", lease.get("paths")) and lease["state"] != "watching"]
    return found


def expect_home(guest, host, other, *, target_kept=False):
    """The guest runs on `host` alone, its traffic on its VF; nothing is held or left anywhere."""
    def complaint():
        if guest.state(host) != "running":
            return f"{guest.name} is {guest.state(host)} on {host.name}"
        if guest.state(other) not in (None, "shut off"):
            return f"{guest.name} is {guest.state(other)} on {other.name}"
        if not guest.functions(host):
            return f"{guest.name} has no function on {host.name}"
        if (guest.bond(host) or {}).get("activeDriver") != "igbvf":
            return f"the bond of {guest.name} is not on its function: {guest.bond(host)}"
        for place in (host, other):
            if leases(place):
                return f"{place.name} still holds {leases(place)}"
        if not target_kept and other.run(["test", "-e", guest.disk], check=False).returncode == 0:
            return f"{guest.disk} was left on {other.name}"
        return None

    wait_quiet("everything to be as it was", complaint, 90)
    expect_one_mac(host, other)


def expect_one_mac(*hosts):
    """No administrative MAC stands twice on a physical function."""
    for host in hosts:
        macs = [mac for mac in host.output(
            "ip link show pf0 | sed -n 's,.*vf [0-9]* *link/ether \\([0-9a-f:]*\\) .*,\\1,p'")
            .split() if mac != "00:00:00:00:00:00"]
        assert len(macs) == len(set(macs)), f"{host.name}: one MAC on two functions: {macs}"
