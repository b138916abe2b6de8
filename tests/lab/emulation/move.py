# SPDX-License-Identifier: LGPL-2.1-or-later
"""One move by `migprep migrate --json`: what it says while it works, and what the probe saw."""

import json
import time

from .error import LabError

PHASES = ("unplug", "switchover", "replug")
# The attachment is over for the guest only when its driver has taken over for good.
AFTERMATH_SECONDS = 1.0


class Move:
    """A move from the host where the guest runs to the other one. Run it once."""

    def __init__(self, lab, guest, probe, options=()):
        self._lab = lab
        self._guest = guest
        self._probe = probe
        self._options = list(options)
        self._times = {}
        self.result = None

    def run(self, seen=lambda _: None):
        """Starts migprep and passes each of its events on to seen(event), as it happens.

        Returns the figures of the move; LabError when the command breaks its own contract. A move
        that failed is a figure like others: look at ["result"]."""
        source = self._guest.host()
        target = next(host for host in self._lab.hosts if host is not source)
        begin = time.monotonic()
        stream = source.start(["migprep", "migrate", self._guest.name, "--to", target.name,
                               "--json", *self._options])
        try:
            for moment, line in stream:
                seen(self._note(moment, line))
            status = stream.status()
        finally:
            if stream.running():
                stream.stop()
        if self.result is None:
            raise LabError(f"migprep migrate ended with status {status} and without a result: "
                           f"{stream.errors() or 'no message'}")
        return self._figures(begin, target)

    def _note(self, moment, line):
        try:
            event = json.loads(line)
        except ValueError:
            raise LabError(f"migprep migrate --json printed no JSON: {line[:200]}") from None
        if event["event"] == "result":
            self.result = event
        elif event["event"] == "step":
            self._times[event["name"], event["state"]] = moment
        return event

    def _figures(self, begin, target):
        result = self.result
        reachable = self._reachable()
        windows = self.windows()
        whole = self._probe.window(begin, time.monotonic())
        outage = {name: self._probe.window(*windows[name])["lostMilliseconds"] if name in windows
                  else None for name in PHASES}
        outage["total"] = whole["lostMilliseconds"]
        return {"result": result["result"], "from": result.get("from"), "to": result.get("to"),
                "vf": (result.get("functions") or [None])[0],
                "durationSeconds": result.get("durationSeconds"),
                "steps": result.get("steps", []), "error": result.get("error"),
                "lostPackets": whole["lost"], "unsentProbes": whole["unsent"],
                "longestGapMilliseconds": whole["longestGapMilliseconds"],
                "probeIntervalMilliseconds": self._probe.interval_ms,
                "outageMilliseconds": outage,
                "bondActiveBefore": result.get("bondActiveBefore"),
                "bondActiveAfter": result.get("bondActiveAfter"),
                "reachableAfter": reachable,
                "runsOnTarget": self._guest.state(target) == "running"}

    def _reachable(self):
        """Whether the guest answers once the dust has settled, moved or not."""
        try:
            self._probe.wait_reply(time.monotonic() + AFTERMATH_SECONDS, 20)
        except LabError:
            return False
        return True

    def windows(self):
        """(begin, end) of each phase that took place, by the time the events arrived here."""
        detach = self._times.get(("detach", "started"))
        migrate = self._times.get(("migrate", "started"))
        migrated = self._times.get(("migrate", "finished"))
        attached = self._times.get(("attach", "finished"))
        windows = {}
        if detach and migrate:
            windows["unplug"] = (detach, migrate)
        if migrate and migrated:
            windows["switchover"] = (migrate, migrated)
        if migrated and attached:
            windows["replug"] = (migrated, attached + AFTERMATH_SECONDS)
        return windows
