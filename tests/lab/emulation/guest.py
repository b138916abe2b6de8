# SPDX-License-Identifier: LGPL-2.1-or-later
"""A nested guest: made on one host, used wherever it runs."""

import re
import xml.etree.ElementTree as ET

from . import agent, domain
from .deadline import wait_for
from .error import LabError

IMAGES = "/var/lib/libvirt/images"
FUNCTIONS = tuple(f"0000:01:10.{n}" for n in (0, 2, 4, 6))
PIECE_MIB = 64  # of random data; an emulated host takes seconds for it
DISK_MIB = 64


class Guest:
    """Guest `guestN`; its address is 10.99.0.(10+N). It need not exist."""

    def __init__(self, lab, name):
        match = re.fullmatch(r"guest([1-9])", name)
        if not match:
            raise LabError(f"guest names are guest1 to guest9, not {name}")
        self._lab = lab
        self.name = name
        self.number = int(match.group(1))
        self.address = f"10.99.0.{10 + self.number}"
        self.mac = self.mac_of(0)
        self.disk = f"{IMAGES}/{name}.qcow2"
        self.disk_mib, self.data_mib = DISK_MIB, DISK_MIB * 5 // 8

    def mac_of(self, index):
        """The address that a function and the VirtIO NIC behind it share."""
        return f"52:54:00:aa:{index:02x}:0{self.number}"

    def create(self, host, form="hostdev", functions=None, start=True, **options):
        """Defines the guest on a host, persistent, and starts it until its agent answers.

        form: hostdev | interface | network (see domain.function_device) or None for no function.
        functions: PCI addresses, each with a VirtIO NIC of its own; by default one.
        bond: "self" bonds at boot, "none" (the default) leaves the address on the VirtIO NIC.
        Other options are those of domain.definition()."""
        self._lab.require_held()
        functions = functions or [FUNCTIONS[(self.number - 1) % len(FUNCTIONS)]]
        nics = [(self.mac_of(index), function) for index, function in enumerate(functions)]
        xml = domain.text(domain.definition(self.name, number=self.number, form=form, nics=nics,
                                            disk=self.disk, **{"bond": "none", **options}))
        self.create_disk(host)
        host.run(["virsh", "define", "/dev/stdin"], stdin=xml)
        if start:
            host.run(["virsh", "start", self.name], seconds=90)
            self.wait_ready(host)

    def create_disk(self, host):
        """A qcow2 file of disk_mib, of which data_mib are random (in pieces that are alike) and the
        rest was never written."""
        piece = min(self.data_mib, PIECE_MIB)
        writes = " ".join(f"-c 'write -q -s {self.disk}.raw {at}M {min(piece, self.data_mib - at)}M'"
                          for at in range(0, self.data_mib, piece))
        host.run(f"head -c {piece}M /dev/urandom > {self.disk}.raw && "
                 f"qemu-img create -q -f qcow2 {self.disk} {self.disk_mib}M && "
                 f"qemu-io {writes} {self.disk} && rm {self.disk}.raw", seconds=240)

    def wait_ready(self, host):
        """Waits until the guest's agent answers."""
        console = f"/var/log/libvirt/qemu/{self.name}.console"
        wait_for(f"{self.name} to boot", lambda: host.run(
            ["grep", "-q", "guest: ready", console], check=False).returncode == 0, 90, 0.3)
        wait_for(f"the agent of {self.name}", lambda: agent.answers(host, self.name), 30)

    def destroy(self):
        """Stops and undefines the guest on both hosts and removes its disks."""
        self._lab.require_held()
        for host in self._lab.hosts:
            host.run(f"virsh destroy {self.name}; virsh undefine {self.name}; "
                     f"rm -f {self.disk} {self.disk}.raw", check=False)

    def remove_old_disk(self):
        """What an administrator does after a move: removes the image left on the other host. The
        project never does, nor does it overwrite it, so without this there is no way back."""
        self._lab.require_held()
        here = self.host()
        for host in self._lab.hosts:
            if host is not here:
                host.run(["rm", "-f", self.disk])

    def state(self, host):
        """libvirt's word for the guest's state on a host; None when it is not defined there."""
        done = host.run(["virsh", "domstate", self.name], check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    def host(self):
        """The host on which the guest runs; LabError unless there is exactly one."""
        places = [host for host in self._lab.hosts if self.state(host) == "running"]
        if len(places) != 1:
            found = " and ".join(host.name for host in places) or "neither host"
            raise LabError(f"{self.name} runs on {found}")
        return places[0]

    def run(self, argv, host=None, seconds=60):
        """Runs a program inside the guest: (exit status, standard output, standard error)."""
        return agent.run(host or self.host(), self.name, argv, seconds)

    def output(self, argv, host=None, seconds=60):
        """The standard output of a program that must succeed inside; a string is for its shell."""
        argv = ["/bin/sh", "-c", argv] if isinstance(argv, str) else argv
        return agent.output(host or self.host(), self.name, argv, seconds)

    def disk_sha256(self, host=None):
        """SHA-256 over the whole disk as the guest reads it, nothing cached."""
        return self.output("echo 3 > /proc/sys/vm/drop_caches; sha256sum /dev/vda | cut -c1-64",
                           host, 120)

    def bond(self, host=None, name="bond0"):
        """{"active": NIC, "activeDriver": driver, "nics": {NIC: driver}}; None without a bond."""
        text = self.output(
            f"cd /sys/class/net; [ -d {name}/bonding ] || exit 0; "
            f"echo $(cat {name}/bonding/active_slave); for n in $(cat {name}/bonding/slaves); do "
            "echo $n $(basename $(readlink -f $n/device/driver)); done", host)
        if not text:
            return None
        active, *rest = text.splitlines()
        nics = dict(line.split() for line in rest)
        return {"active": active, "activeDriver": nics.get(active), "nics": nics}

    def function_paths(self, host=None):
        """Where the guest has its functions: device and function of each hop from the root bus.
        Bus numbers are the guest's choice, and left out."""
        devices = self.output(
            "for d in /sys/class/net/*/device; do case $(readlink -f $d/driver) in "
            "*/igbvf) readlink -f $d;; esac; done", host)
        return sorted("/".join(re.findall(r"/[0-9a-f]{4}:[0-9a-f]{2}:([0-9a-f]{2}\.[0-7])", line))
                      for line in devices.splitlines())

    def create_bond(self, host=None, index=0):
        """Has the project's guest program bond a function and its VirtIO NIC, as bond0 or next."""
        name = f"bond{index}"
        self.output(["/usr/sbin/netprep-guest", "create-bond", "--bond", name, "--primary-path",
                     self.function_paths(host)[index], "--backup-mac", self.mac_of(index)], host)
        wait_for(f"{name} of {self.name}",
                 lambda: (self.bond(host, name) or {}).get("activeDriver") == "igbvf", 20)

    def function_devices(self, host=None):
        """{PCI address: device element} of the functions the guest holds now, as libvirt has them."""
        host = host or self.host()
        tree = ET.fromstring(host.output(["virsh", "dumpxml", self.name]))
        found = {}
        for device in tree.find("devices"):
            address = device.find("source/address[@bus]")
            if address is not None:
                part = {key: int(address.get(key), 0)
                        for key in ("domain", "bus", "slot", "function")}
                found["{domain:04x}:{bus:02x}:{slot:02x}.{function}".format(**part)] = device
        return found

    def functions(self, host=None):
        """The PCI addresses of the functions the guest holds now."""
        return sorted(self.function_devices(host))
