# SPDX-License-Identifier: LGPL-2.1-or-later
"""Taking a guest's functions away and giving them back on one host, by two techniques, measured."""

import time

from . import procedure
from .daemon import Daemon
from .error import LabError

# A hand-over is over for the guest only when its driver has taken over for good.
AFTERMATH_SECONDS = 1.0
# What is silent this long after it all is over stays so until the guest happens to send.
LASTING_SECONDS = 3
LEASE_SECONDS = 600


class Ours:
    """Detach and Release of the network daemon."""

    def __init__(self, guest, host):
        self._guest, self._host = guest, host
        self._daemon = Daemon(host, "network")
        self._lease = None

    def close(self):
        """Hangs up."""
        self._daemon.close()

    def unplug(self):
        """Until the lease says so."""
        work = self._daemon.start("Detach", owner="handover", token=f"{time.monotonic_ns()}",
                                  guest=self._guest.name, timeoutSeconds=LEASE_SECONDS)
        self._lease = work.finish()["lease"]

    def replug(self):
        """Until the guest's bonds use the functions again."""
        result = self._daemon.start("Release", lease=self._lease["lease"],
                                    generation=self._lease["generation"]).finish()
        if result["outcome"] != "returned":
            raise LabError(f"{self._guest.name} did not get its function back: {result}")


class Manual:
    """virsh detach-device and attach-device of a function, as vendors' manuals have it."""

    def __init__(self, guest, host, form, function):
        self._guest, self._host = guest, host
        self._form, self._function = form, function

    def unplug(self):
        """Until libvirt has let it go."""
        procedure.unplug(self._guest, self._host)

    def replug(self):
        """Until the guest's bond uses it."""
        procedure.replug(self._guest, self._host, self._form, self._function)


class Tally:
    """What several events of one kind cost."""

    def __init__(self, probe):
        self._probe = probe
        self.lost = []  # milliseconds of each event
        self.seconds = []
        self.unsent = 0
        self.lasting = 0

    def measure(self, event):
        """Carries an event out and notes what the probe saw of it, aftermath included."""
        begin = time.monotonic()
        event()
        self.seconds.append(round(time.monotonic() - begin, 2))
        end = time.monotonic() + AFTERMATH_SECONDS
        self._await_reply(end)
        window = self._probe.window(begin, end)
        self.lost.append(window["lostMilliseconds"])
        self.unsent += window["unsent"]
        return window

    def _await_reply(self, end):
        """Beyond `end`; notes a guest that does not answer then."""
        try:
            self._probe.wait_reply(end, LASTING_SECONDS)
        except LabError:
            self.lasting += 1

    def figures(self):
        """For the result."""
        return {"lostMilliseconds": self.lost, "seconds": self.seconds, "unsentProbes": self.unsent}
