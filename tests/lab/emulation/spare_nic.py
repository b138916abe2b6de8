# SPDX-License-Identifier: LGPL-2.1-or-later
"""A VirtIO NIC that is plugged into a host itself, on the bridge of the guests' traffic."""

from . import network
from .deadline import wait_for
from .process import call


class SpareNic:
    """Use as a context manager; `name` is the device's name on the host meanwhile."""

    def __init__(self, lab, number, mac):
        self.mac = mac
        self.name = None
        self._host = lab.host(number)
        self._machine = lab.machine(number)
        self._tap = f"s{number}"

    def __enter__(self):
        call(network.inside(["ip", "tuntap", "add", self._tap, "mode", "tap"]))
        call(network.inside(["ip", "link", "set", self._tap, "master", "dbr", "up"]))
        with self._machine.control() as control:
            control.call("netdev_add", type="tap", id="spare", ifname=self._tap, script="no",
                         downscript="no")
            control.call("device_add", driver="virtio-net-pci", id="spare0", bus="spare",
                         netdev="spare", mac=self.mac, romfile="")
        self.name = wait_for(f"the NIC {self.mac} on {self._host.name}", self._find, 30)
        return self

    def _find(self):
        links = self._host.output("grep -l virtio /sys/class/net/*/device/uevent || true").split()
        names = [link.split("/")[4] for link in links]
        return next((name for name in names if name != "mgmt" and self.mac ==
                     self._host.output(["cat", f"/sys/class/net/{name}/address"])), None)

    def __exit__(self, *_):
        with self._machine.control() as control:
            control.call("device_del", id="spare0")
            wait_for("the NIC to be unplugged",
                     lambda: not control.has_device("spare0"), 30)
            control.call("netdev_del", id="spare")
        call(network.inside(["ip", "link", "delete", self._tap]))
