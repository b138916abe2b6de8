# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lab as a whole: taking it up and down, and the handle that scenarios get."""

import contextlib
import fcntl
import os
import shutil
import time

from . import cache, image, network, package, place, process, project, standstill
from .case import Cases, Skip
from .deadline import wait_for
from .error import LabError
from .guest import Guest
from .host import Host
from .machine import Machine
from .probe import Probe

HOSTS = (1, 2)
_held = False


@contextlib.contextmanager
def lock():
    """Holds the lab for one command that changes it; a second one is told who has it."""
    global _held
    place.prepare()
    with open(place.RUN / "lock", "a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise LabError(f"the lab is in use by process {file.read().strip()}") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        _held = True
        try:
            yield
        finally:
            _held = False


class Lab:
    """Two hosts. `note(text)` is told what slow thing happens next."""

    def __init__(self, note=lambda _: None):
        self.note = note
        self._hosts = {number: Host(number) for number in HOSTS}
        self.cases = Cases(lambda: standstill.find(self.hosts) if self.is_up() else ())
        self.result = {}
        self._tree = None
        self._machines = []
        self._saved = None  # where the state of the booted pair is

    def host(self, number):
        """Host 1 or 2."""
        return self._hosts[int(number)]

    @property
    def hosts(self):
        """Both hosts."""
        return list(self._hosts.values())

    def machine(self, number):
        """The emulated machine that host 1 or 2 is."""
        return self._machines[int(number) - 1]

    def guest(self, name):
        """The guest of this name (guest1 to guest9), existing or not."""
        return Guest(self, name)

    def probe(self, guest, *intervals_ms):
        """A probe of this guest, not yet started; use as a context manager. Every 10 ms, or 20 ms
        on a slow machine, unless told otherwise: probing costs a nested guest much of its time."""
        return Probe(guest, *[intervals_ms] if intervals_ms else [])

    def case(self, name):
        """A context manager or decorator: one reported case. See case.Cases."""
        return self.cases.case(name)

    def skip(self, reason):
        """Ends the current case as not applicable here."""
        raise Skip(reason)

    def is_up(self):
        """Whether both machines run."""
        return network.exists() and all(process.running(f"host{n}") for n in HOSTS)

    def require_held(self):
        """Raises LabError unless this process has the lock: a script that goes without it would
        wipe what somebody else's run is working with."""
        if not _held:
            raise LabError("this process does not hold the lab: work inside lab.session()")

    def require_up(self):
        """Raises LabError unless both machines run."""
        if not self.is_up():
            raise LabError("the lab is down: start it with tests/lab/up")

    def up(self):
        """Makes the images, starts both machines, waits until they are complete. Repeatable."""
        self.require_held()
        image.require_tools(self.note)
        self._tree, _, host_image = image.obtain(self.note)
        machines = [Machine(number, self._tree, host_image) for number in HOSTS]
        key = cache.key_of(*(machine.fingerprint() for machine in machines))
        self._machines, self._saved = machines, place.BUILD / f"pair-{key}"
        current = place.RUN / "pair"
        if self.is_up() and current.exists() and current.read_text(encoding="ascii") == key:
            return
        self.down()
        shutil.copy(host_image / "key", place.RUN / "key")
        try:
            network.create()
            cache.obtain("pair", key, lambda directory: self._boot(machines, directory), self.note)
            cache.sweep((*image.NAMES, "pair"))
            if not machines[0].running():
                self._load(machines, self._saved)
            for host in self.hosts:
                self._greet(host)
        except BaseException:
            self.down()
            raise
        current.write_text(key, encoding="ascii")

    def deploy(self):
        """Builds the project and installs it on both hosts. Raises LabError when it does not build
        or start; the hosts stay up."""
        self.require_held()
        project.deploy(self, self._tree, self.note)

    def redeploy(self):
        """The same, whatever became of what was installed."""
        (place.RUN / "deployed").unlink(missing_ok=True)
        self.deploy()

    def packages(self):
        """Two directories of Debian packages for the hosts, see package.build()."""
        self.require_held()
        return package.build(self._tree, self.note)

    def reset(self):
        """Brings both hosts back to a clean state without a reboot: no guests, no leases, no
        images, functions unset, the project's units started afresh."""
        self.require_held()
        for host in self.hosts:
            host.run(["/usr/lib/lab/host-reset", *project.UNITS], seconds=120)
        if (place.RUN / "deployed").exists():
            for host in self.hosts:
                host.run(project.START)

    def _boot(self, machines, directory):
        """Starts both from power-on, then keeps their complete state for the next time."""
        for machine in machines:
            machine.start()
        for machine in machines:
            machine.wait_ready()
        directory.mkdir()
        for machine in machines:
            with machine.control() as control:
                control.call("stop")
                control.save(directory / machine.name)
        for machine in machines:
            with machine.control() as control:
                control.call("cont")

    def _greet(self, host):
        host.connect()
        host.run(["date", "-s", f"@{time.time():.3f}"])

    def wait_off(self, number, seconds=600):
        """Waits until a host that shuts down or restarts has switched itself off: no host starts
        again by itself."""
        machine = self._machines[number - 1]
        wait_for(f"{machine.name} to switch itself off", lambda: not machine.running(), seconds, 0.5)
        self.host(number).disconnect()

    def power_on(self, number):
        """Starts a host that is off, as it was when the lab came up: nothing is left of what it
        had. The project is installed anew on both."""
        self.require_held()
        self._load([self._machines[number - 1]], self._saved)
        self._greet(self.host(number))
        self.redeploy()

    def _load(self, machines, directory):
        self.note("loading the hosts")
        for machine in machines:
            machine.start(saved=directory / machine.name)
        for machine in machines:
            with machine.control() as control:
                control.wait_status("paused", 60)
                # The state was saved stopped: without this the hosts look dead.
                control.call("cont")

    def down(self):
        """Ends everything the lab started and nothing else. Repeatable."""
        self.require_held()
        for host in self.hosts:
            host.disconnect()
        for record in place.RUN.glob("*.process"):
            process.stop(record.name.removesuffix(".process"))
        network.delete()
        for leftover in ("pair", "deployed", "key"):
            (place.RUN / leftover).unlink(missing_ok=True)


@contextlib.contextmanager
def session(note, keep=False):
    """The lab for the length of one command: up afterwards only when it was before, or on keep."""
    with lock():
        lab = Lab(note)
        was_up = lab.is_up()
        try:
            lab.up()
            yield lab
        finally:
            if not was_up and not keep:
                lab.down()
