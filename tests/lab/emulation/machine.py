# SPDX-License-Identifier: LGPL-2.1-or-later
"""The emulated machine that a host is: a QEMU without KVM, out of the lab's own Debian tree."""

import hashlib

from . import network, place, process
from .deadline import wait_for
from .error import LabError
from .qmp import Qmp

MEMORY_MIB = 2048


class Machine:
    """Machine number 1 or 2, booted from the host image in directory `image`."""

    def __init__(self, number, tree, image):
        self.number = number
        self.name = f"host{number}"
        self._tree = tree / "root"
        self._image = image
        self.console = place.LOGS / f"{self.name}.console"
        self._socket = place.RUN / f"{self.name}.qmp"

    def _emulator(self):
        libraries = self._tree / "usr/lib/x86_64-linux-gnu"
        return [f"{libraries}/ld-linux-x86-64.so.2", "--library-path", f"{libraries}",
                f"{self._tree}/usr/bin/qemu-system-x86_64",
                "-L", f"{self._tree}/usr/share/seabios", "-L", f"{self._tree}/usr/share/qemu"]

    def _hardware(self):
        n = self.number
        kernel = ("console=ttyS0 quiet systemd.show_status=false intel_iommu=on iommu=pt "
                  "net.ifnames=0 mitigations=off audit=0 apparmor=0 tsc=reliable "
                  f"systemd.hostname=host{n} lab.number={n}")
        return ["-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "max", "-machine", "q35",
                "-smp", "1", "-m", f"{MEMORY_MIB}", "-display", "none", "-no-reboot",
                "-nodefaults", "-uuid", f"5e1f0c1a-6d1b-4c57-9b7e-00000000000{n}",
                "-device", "intel-iommu,intremap=on,caching-mode=on",
                "-device", "virtio-rng-pci",
                "-kernel", f"{self._image}/vmlinux", "-initrd", f"{self._image}/initrd",
                "-append", kernel,
                "-drive", f"file={self._image}/root.squashfs,if=virtio,format=raw,readonly=on",
                "-netdev", f"tap,id=m,ifname=m{n},script=no,downscript=no",
                "-device", f"virtio-net-pci,netdev=m,mac=52:54:00:98:00:0{n},romfile=",
                "-device", "pcie-root-port,id=rp1,slot=1",
                "-device", "pcie-root-port,id=spare,slot=2",
                "-netdev", f"tap,id=d,ifname=d{n},script=no,downscript=no",
                "-device", f"igb,bus=rp1,netdev=d,mac=52:54:00:99:00:0{n},romfile="]

    def fingerprint(self):
        """A hash over everything a saved state depends on, image included (by its path)."""
        text = "\0".join(self._emulator() + self._hardware())
        return hashlib.sha256(text.encode()).hexdigest()

    def start(self, saved=None):
        """Starts the machine: from power-on, or from the state in the file `saved` (then paused)."""
        self._socket.unlink(missing_ok=True)
        argv = network.inside([*self._emulator(), *self._hardware(),
                               "-serial", f"file:{self.console}",
                               "-qmp", f"unix:{self._socket},server,nowait"])
        if saved:
            argv += ["-incoming", f"file:{saved}"]
        modules = self._tree / "usr/lib/x86_64-linux-gnu/qemu"
        with open(place.LOGS / f"{self.name}.qemu", "w", encoding="utf-8") as log:
            process.start(self.name, argv, stdout=log, stderr=log,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                               "QEMU_MODULE_DIR": str(modules)})
        wait_for(f"the control socket of {self.name}", self._listening, 20)

    def _listening(self):
        self.check()
        return self._socket.exists()

    def check(self):
        """Raises LabError when the machine is gone."""
        if process.running(self.name) is None:
            log = (place.LOGS / f"{self.name}.qemu").read_text(encoding="utf-8", errors="replace")
            raise LabError(f"the machine {self.name} ended: {log.strip()[-500:] or 'no message'}")

    def running(self):
        """Whether the machine runs."""
        return process.running(self.name) is not None

    def control(self):
        """A connection to its QEMU."""
        return Qmp(self._socket)

    def stop(self):
        """Switches the machine off. There is nothing on it to lose."""
        process.stop(self.name)
        self._socket.unlink(missing_ok=True)

    def wait_ready(self):
        """Waits for the console line of a completely started host."""
        wait_for(f"{self.name} to start (console: {self.console})", self._ready, 120, 0.2)

    def _ready(self):
        self.check()
        text = self.console.read_text(encoding="utf-8", errors="replace")
        if "lab: libvirt does not" in text:
            raise LabError(f"{self.name}: libvirt shows no networks (console: {self.console})")
        return "lab: ready" in text
