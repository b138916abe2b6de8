# SPDX-License-Identifier: LGPL-2.1-or-later
"""What must hold of two hosts and a guest once all is quiet, whatever happened before."""

import json

from .deadline import wait_quiet
from .guest import FUNCTIONS
from .journey import expect_one_mac, leases

SETTLE_SECONDS = 100


def call(host, room, method):
    """A method without parameters, by systemd's client."""
    service = {"network": "netprep", "storage": "storprep"}[room]
    interface = f"io.migprep.{room.capitalize()}"
    return json.loads(host.output(["varlinkctl", "call", "-j", f"/run/{service}/{interface}",
                                   f"{interface}.{method}", "{}"]))


def degraded(host, guest):
    """The leases that say that this guest lacks something."""
    return [lease for lease in call(host, "network", "ListLeases")["leases"]
            if lease["guest"]["name"] == guest.name and lease["state"] == "degraded"]


def complaint(guest, hosts):
    """What is wrong now, in words; None when nothing is."""
    running = [host for host in hosts if guest.state(host) == "running"]
    if len(running) != 1:
        return f"{guest.name} runs on {[host.name for host in running]}"
    home = running[0]
    other = next(host for host in hosts if host is not home)
    if guest.state(other) not in (None, "shut off"):
        return f"{guest.name} is {guest.state(other)} on {other.name}, too"
    held = [f"{host.name}: {lease}" for host in hosts for lease in leases(host)]
    if held:
        return f"leases are left: {'; '.join(held)}"
    if not guest.functions(home):
        return f"{guest.name} has no function on {home.name}, and no lease says so"
    if (guest.bond(home) or {}).get("activeDriver") != "igbvf":
        return f"the bond of {guest.name} does not use its function: {guest.bond(home)}"
    return leak(hosts)


def leak(hosts):
    """A function that neither a guest has nor anybody could have."""
    for host in hosts:
        functions = {entry["address"]: entry
                     for entry in call(host, "network", "ListFunctions")["functions"]}
        if set(functions) != set(FUNCTIONS):
            return f"{host.name} has functions {sorted(functions)}"
        for entry in functions.values():
            if entry["state"] not in ("free", "guest"):
                return f"{host.name}: {entry['address']} is {entry['state']} ({entry['holder']})"
    return None


def expect_settled(guest, hosts, probe):
    """Waits until nothing is wrong any more; LabError with what still is."""
    wait_quiet("hosts and guest to settle", lambda: complaint(guest, hosts), SETTLE_SECONDS)
    expect_one_mac(*hosts)
    probe.wait_reply(probe.now(), 10)
