# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lab's network namespace: one bridge for management, one for the guests' traffic.

    mbr 10.98.0.254/24 - m1, m2   management: ssh, migration, NFS
    dbr 10.99.0.254/24 - d1, d2   the hosts' SR-IOV NICs, on which the probe sits, too
"""

import json
import os

from . import place
from .error import LabError
from .process import call

MANAGEMENT = "10.98.0"
DATA = "10.99.0"


def inside(argv):
    """The command line that runs argv in the lab's namespace (the pid stays the same)."""
    return ["nsenter", f"--net=/run/netns/{place.NAME}", "--", *argv]


def _identity():
    status = os.stat(f"/run/netns/{place.NAME}")
    return [status.st_dev, status.st_ino]


def _record():
    return place.RUN / "namespace"


def exists():
    """Whether the recorded namespace exists. A foreign one of that name is an error."""
    try:
        found = _identity()
    except FileNotFoundError:
        return False
    try:
        ours = json.loads(_record().read_text(encoding="ascii"))
    except (OSError, ValueError):
        ours = None
    if found != ours:
        raise LabError(f"network namespace {place.NAME} exists and is not recorded as this lab's: "
                       f"look at it, then remove it with: ip netns delete {place.NAME}")
    return True


def create():
    """Makes the namespace with both bridges and the hosts' four taps."""
    if exists():
        return
    call(["ip", "netns", "add", place.NAME])
    _record().write_text(json.dumps(_identity()), encoding="ascii")
    lines = ["link set lo up"]
    for bridge, prefix, tap in (("mbr", MANAGEMENT, "m"), ("dbr", DATA, "d")):
        lines += [f"link add {bridge} type bridge forward_delay 0",
                  f"address add {prefix}.254/24 dev {bridge}",
                  f"link set {bridge} up"]
        for number in (1, 2):
            lines += [f"tuntap add {tap}{number} mode tap",
                      f"link set {tap}{number} master {bridge} up"]
    for line in lines:
        call(inside(["ip", *line.split()]))


def delete():
    """Removes the namespace, and with it the bridges and taps. Only ever our own one."""
    if exists():
        call(["ip", "netns", "delete", place.NAME])
    _record().unlink(missing_ok=True)
