# SPDX-License-Identifier: LGPL-2.1-or-later
"""A move of a guest and its disks made call by call, that stops where a test wants it to."""

import time

from .daemon import Daemon
from .error import LabError

STAGES = ("preparing", "copying", "switching over")
OWNER = "crossing"
# Slow enough to be caught in the act, fast enough for a guest that goes on writing.
CRAWL_MEBIBYTES = 6
PHASES = {"copying": "disks", "switching over": "memory"}
SHAPE = ("path", "pool", "format", "virtualSizeBytes", "clusterSizeBytes", "compat", "extendedL2",
         "lazyRefcounts", "refcountBits")


class Crossing:
    """From the host where the guest runs to the other one. The lease of its targets ends by itself
    soon after nobody renews it, which here nobody does. `shared`: disks that both hosts have."""

    def __init__(self, guest, hosts, shared=(), lease_seconds=20):
        self.guest = guest
        self.source = guest.host()
        self.target = next(host for host in hosts if host is not self.source)
        self._shared = list(shared)
        self._seconds = lease_seconds
        self._daemons = {}
        self._lease = self._copied = self._migrate = None

    def _daemon(self, host):
        if host.name not in self._daemons:
            self._daemons[host.name] = Daemon(host, "storage")
        return self._daemons[host.name]

    def hang_up(self):
        """Closes all connections, as the end of the coordinator does."""
        while self._daemons:
            self._daemons.popitem()[1].close()

    def to(self, stage):
        """Goes on until the move is at this stage."""
        if stage == "preparing":
            return
        self._prepare()
        self._start()
        if not any(progress["phase"] == PHASES[stage] for _, progress in self._migrate):
            raise LabError(f"{self.guest.name}: the migration ended before it was {stage}")

    def _prepare(self):
        told = self._daemon(self.source).call("Describe", guest=self.guest.name)
        copied = [disk for disk in told["disks"]
                  if disk["migration"] == "copy" and disk["target"] not in self._shared]
        targets = [{name: disk[name] for name in SHAPE if disk.get(name) is not None}
                   for disk in copied]
        self._lease = self._daemon(self.target).call(
            "CreateTargets", owner=OWNER, token=f"{time.monotonic_ns()}", guest=told["guest"],
            targets=targets, timeoutSeconds=self._seconds)["lease"]
        self._copied = [disk["target"] for disk in copied]

    def _start(self):
        shared = {"sharedDisks": self._shared} if self._shared else {}
        self._migrate = self._daemon(self.source).start(
            "Migrate", guest=self.guest.name, copyDisks=self._copied, **shared,
            destinationUri=f"qemu+ssh://{self.target.name}/system",
            bandwidthMebibytes=CRAWL_MEBIBYTES)

    def hurry(self):
        """Lifts the brake from the memory of a migration that still runs."""
        self.source.run(["virsh", "migrate-setspeed", self.guest.name, "1000"], check=False)

    def cancel(self):
        """Cancels the migration, which must be under way."""
        with Daemon(self.source, "storage") as daemon:
            daemon.call("CancelJob", job=self._migrate.job)

    def finish(self):
        """What is left of the move, or its undo when that fails. The outcome in words."""
        try:
            if self._lease is None:
                self._prepare()
            if self._migrate is None:
                self._start()
            self._migrate.finish()
            return "moved"
        except LabError as error:
            self.hang_up()
            self._release()
            return f"gave up: {error}"

    def _release(self):
        """What cannot be released ends by its deadline."""
        if self._lease is None:
            return
        try:
            with Daemon(self.target, "storage") as daemon:
                daemon.call("Release", lease=self._lease["lease"],
                            generation=self._lease["generation"])
        except LabError:
            pass
