# SPDX-License-Identifier: LGPL-2.1-or-later
"""QEMU's control socket."""

import json
import socket

from .deadline import scaled, wait_for
from .error import LabError


class Qmp:
    """One connection; use as a context manager."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(scaled(60))
        self._socket.connect(str(path))
        self._stream = self._socket.makefile("rw", encoding="utf-8")
        self._stream.readline()
        self.call("qmp_capabilities")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stream.close()
        self._socket.close()

    def call(self, command, **arguments):
        """Runs one command and returns its value. Events in between are passed over."""
        self._stream.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self._stream.flush()
        for line in self._stream:
            reply = json.loads(line)
            if "error" in reply:
                raise LabError(f"QEMU {command}: {reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]
        raise LabError(f"QEMU closed the connection during {command}")

    def wait_status(self, status, seconds):
        """Waits until the machine has this run state."""
        wait_for(f"machine status {status}",
                 lambda: self.call("query-status")["status"] == status, seconds)

    def has_device(self, name):
        """Whether a PCI device of this id is plugged in."""
        return any(device["qdev_id"] == name
                   for bus in self.call("query-pci") for device in _devices(bus))

    def save(self, path):
        """Writes a stopped machine's state into a file."""
        self.call("migrate-set-parameters", **{"max-bandwidth": 10 ** 10})
        self.call("migrate", uri=f"file:{path}")
        wait_for("the machine's state on disk", self._saved, 60)

    def _saved(self):
        status = self.call("query-migrate").get("status")
        if status == "failed":
            raise LabError("QEMU could not write its state")
        return status == "completed"


def _devices(bus):
    """All PCI devices on a bus and on those behind it."""
    for device in bus["devices"]:
        yield device
        yield from _devices({"devices": device.get("pci_bridge", {}).get("devices", [])})
