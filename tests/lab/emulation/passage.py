# SPDX-License-Identifier: LGPL-2.1-or-later
"""A move made call by call, the way migprep makes it, that stops where a test wants it to."""

import time

from .daemon import Daemon
from .deadline import wait_for
from .error import LabError

STAGES = ("reserved", "detaching", "detached", "migrating", "attaching")
OWNER = "passage"
# Slow enough to be caught in the act; see Passage.hurry().
CRAWL_MEBIBYTES = 2


class Passage:
    """From the host where the guest runs to the other one. Leases end by themselves soon after
    nobody renews them, which here nobody does."""

    def __init__(self, lab, guest, lease_seconds=40):
        self.guest = guest
        self.source = guest.host()
        self.target = next(host for host in lab.hosts if host is not self.source)
        self.functions = []  # those reserved on the target
        self._seconds = lease_seconds
        self._token = f"{time.monotonic_ns()}"
        self._daemons = {}
        self._detach = self._migrate = None
        self._leases = {}  # name -> lease, as last seen

    def daemon(self, host, room):
        """The connection to a daemon; a new one after it broke."""
        key = host.name, room
        if key not in self._daemons:
            self._daemons[key] = Daemon(host, room)
        return self._daemons[key]

    def hang_up(self):
        """Closes all connections, as the end of the coordinator does."""
        while self._daemons:
            self._daemons.popitem()[1].close()

    def to(self, stage):
        """Goes on until the move is at this stage."""
        for name in STAGES[:STAGES.index(stage) + 1]:
            getattr(self, f"_{name}")()

    def _reserved(self):
        network = self.daemon(self.source, "network").call("Describe", guest=self.guest.name)
        storage = self.daemon(self.source, "storage").call("Describe", guest=self.guest.name)
        common = {"owner": OWNER, "token": self._token, "guest": network["guest"],
                  "timeoutSeconds": self._seconds}
        lease = self.daemon(self.target, "network").call("Reserve", vnics=network["vnics"],
                                                         **common)["lease"]
        self._leases["reservation"] = lease
        self.functions = lease["functions"]
        copied = [disk for disk in storage["disks"] if disk["migration"] == "copy"]
        members = ("path", "format", "virtualSizeBytes", "clusterSizeBytes", "compat",
                   "extendedL2", "lazyRefcounts", "refcountBits")
        targets = [{name: disk[name] for name in members if disk.get(name) is not None}
                   for disk in copied]
        self._leases["targets"] = self.daemon(self.target, "storage").call(
            "CreateTargets", targets=targets, **common)["lease"]
        self._disks = [disk["target"] for disk in copied]

    def _detaching(self):
        self._detach = self.daemon(self.source, "network").start(
            "Detach", owner=OWNER, token=self._token, guest=self.guest.name,
            timeoutSeconds=self._seconds)
        if not self._detach.until("unplug"):
            raise LabError(f"{self.guest.name}: Detach ended without an unplug")

    def _detached(self):
        self._leases["detachment"] = self._detach.finish()["lease"]

    def _migrating(self):
        self._migrate = self.daemon(self.source, "storage").start(
            "Migrate", guest=self.guest.name, copyDisks=self._disks,
            destinationUri=f"qemu+ssh://{self.target.name}/system",
            bandwidthMebibytes=CRAWL_MEBIBYTES)
        copying = (progress for _, progress in self._migrate
                   if progress.get("memoryTotalBytes") or progress.get("diskTotalBytes"))
        if next(copying, None) is None:
            raise LabError(f"{self.guest.name}: the migration ended before it copied anything")

    def hurry(self):
        """Lifts the brake from a migration that still runs."""
        self.source.run(["virsh", "migrate-setspeed", self.guest.name, "1000"], check=False)

    def _attaching(self):
        """The function is in the guest on the target, whose driver does not take it: see hold()."""
        self.hurry()
        self._migrate.finish()
        wait_for(f"a function in {self.guest.name} on {self.target.name}",
                 lambda: self.guest.functions(self.target), 60)

    def hold(self):
        """Has the guest leave new devices alone, so that it never gets further than attaching."""
        self.guest.output("echo 0 > /sys/bus/pci/drivers_autoprobe", self.source)

    def let_go(self, host):
        """The guest looks at what it left alone."""
        self.guest.output("echo 1 > /sys/bus/pci/drivers_autoprobe; for d in /sys/bus/pci/devices/*; "
                          "do [ -e $d/driver ] || echo ${d##*/} > /sys/bus/pci/drivers_probe; done; "
                          "true", host)

    def finish(self):
        """What is left of the move, or its undo when that fails. The outcome in words."""
        try:
            if self._migrate is None:
                self._rest_of_detach()
                self._migrating()
            self.hurry()
            if self._migrate.result is None:
                self._migrate.finish()
            self._attach()
            return "moved"
        except LabError as error:
            self._undo()
            return f"gave up: {error}"

    def _rest_of_detach(self):
        if self._detach is None:
            self._detaching()
        if "detachment" not in self._leases:
            self._detached()

    def _attach(self):
        lease = self._leases["reservation"]
        self.daemon(self.target, "network").start(
            "Attach", lease=lease["lease"], generation=lease["generation"],
            waitSeconds=30).finish()

    def _undo(self):
        """As migprep does it: source first. What cannot be released ends by its deadline."""
        self.hang_up()
        for name, host, room in (("detachment", self.source, "network"),
                                 ("targets", self.target, "storage"),
                                 ("reservation", self.target, "network")):
            if name in self._leases:
                self._release(host, room, self._leases[name])

    def _release(self, host, room, lease):
        words = {"lease": lease["lease"], "generation": lease["generation"]}
        try:
            with Daemon(host, room) as daemon:
                if room == "storage":
                    daemon.call("Release", **words)
                else:
                    daemon.start("Release", **words).finish()
        except LabError:
            pass
