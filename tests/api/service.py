# SPDX-License-Identifier: LGPL-2.1-or-later
"""Starts the real daemons on sockets, databases and image directories of their own."""

import os
import shutil
import subprocess
import tempfile
import time

from varlink import Closed, Connection

SLOWNESS = int(os.environ.get("TEST_SLOWNESS", "1"))
PATIENCE = 30 * SLOWNESS
WRAPPER = os.environ.get("DAEMON_WRAPPER", "").split()  # a program that watches the daemons

GUEST = "web1"
UUID = "4dea22b3-1d52-d8f3-2516-782e98ab3fa0"

# libvirt's test driver with one running guest that has a raw disk.
NODE = """<node><domain type='test'>
<name>{name}</name><uuid>{uuid}</uuid><memory>65536</memory><os><type>hvm</type></os>
<devices><disk type='file' device='disk'><driver type='raw'/><source file='{image}'/>
<target dev='vda' bus='virtio'/></disk>
<disk type='file' device='cdrom'><target dev='sda' bus='sata'/><readonly/></disk></devices>
</domain></node>
"""


def wait_for(condition, what):
    """Asks again and again until the condition holds; returns its value."""
    deadline = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {PATIENCE} s: {what}")
        time.sleep(0.01)


class Daemon:
    """A daemon in a directory of its own, which outlives its restarts."""

    def __init__(self, variable, uri="test:///default"):
        self.binary = os.environ[variable]
        self.directory = tempfile.mkdtemp(prefix="api-")
        self.socket = os.path.join(self.directory, "socket")
        self.images = os.path.join(self.directory, "images")
        self.log = os.path.join(self.directory, "log")
        self.config = os.path.join(self.directory, "migprep.conf")
        self.uri = uri
        self.process = None
        self.more_arguments = []
        os.mkdir(self.images)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"[storage]\nimage-directories={self.images}\n"
                       f"[libvirt]\nreturn-seconds={SLOWNESS}\n")

    def use_guest(self):
        """From the next start libvirt has the guest with a disk instead of its default one."""
        image = os.path.join(self.directory, "web1.raw")
        with open(image, "wb") as file:
            file.truncate(4096)
        node = os.path.join(self.directory, "node.xml")
        with open(node, "w", encoding="utf-8") as file:
            file.write(NODE.format(name=GUEST, uuid=UUID, image=image))
        self.uri = f"test://{node}"
        return image

    def arguments(self):
        state = os.path.join(self.directory, "state", "leases.db")
        return [*WRAPPER, self.binary, "--socket", self.socket, "--state", state, "--config",
                self.config, "--connect", self.uri, *self.more_arguments]

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.arguments(), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        wait_for(self._answers, f"{self.binary} answers; its log:\n{self.read_log()}")
        return self

    def _answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.binary} ended: {self.read_log()}")
        try:
            return self.call("org.varlink.service.GetInfo")
        except (OSError, Closed):
            return False

    def read_log(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def connect(self):
        return Connection(self.socket, PATIENCE)

    def call(self, method, parameters=None):
        """One call on a connection of its own."""
        connection = self.connect()
        try:
            return connection.call(method, parameters)
        finally:
            connection.close()

    def terminate(self):
        """Asks it to end; returns the exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE)

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)

    def close(self):
        """Ends it as systemd would: only so it tells leaks, and which lines were run."""
        status = self.terminate() if self.process and self.process.poll() is None else 0
        log = self.read_log() if status else ""
        shutil.rmtree(self.directory)
        if status:
            raise AssertionError(f"{self.binary} ended with status {status}: {log}")
