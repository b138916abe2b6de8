# SPDX-License-Identifier: LGPL-2.1-or-later
"""A VirtIO disk that is plugged into a host itself and mounted there: room that its memory lacks."""

from . import place
from .deadline import wait_for
from .process import call

DEVICE = "/dev/disk/by-id/virtio-spare"


class SpareDisk:
    """Use as a context manager; meanwhile `directory` of the host has room for `mebibytes`."""

    def __init__(self, lab, number, directory, mebibytes):
        self._host = lab.host(number)
        self._machine = lab.machine(number)
        self._directory = directory
        self._mebibytes = mebibytes
        self._file = place.BUILD / f"{self._host.name}.disk"

    def __enter__(self):
        self._file.unlink(missing_ok=True)
        call(["mkfs.ext4", "-q", "-m", "0", str(self._file), f"{self._mebibytes}M"])
        with self._machine.control() as control:
            control.call("blockdev-add", **{
                "driver": "raw", "node-name": "spare",
                "file": {"driver": "file", "filename": str(self._file)}})
            control.call("device_add", driver="virtio-blk-pci", id="spare0", bus="spare",
                         drive="spare", serial="spare")
        wait_for(f"the disk on {self._host.name}", self._appeared, 30)
        self._host.run(["mount", DEVICE, self._directory])
        self._host.run(["chmod", "711", self._directory])
        return self

    def _appeared(self):
        return self._host.run(["test", "-b", DEVICE], check=False).returncode == 0

    def __exit__(self, *_):
        self._host.run(["umount", self._directory])
        with self._machine.control() as control:
            control.call("device_del", id="spare0")
            wait_for("the disk to be unplugged", lambda: not control.has_device("spare0"), 30)
            control.call("blockdev-del", **{"node-name": "spare"})
        self._file.unlink()
