# SPDX-License-Identifier: LGPL-2.1-or-later
"""How the demonstration tells what happens: one line a step, a bar while data moves, a summary."""

import contextlib
import time

from .terminal import BOLD, DIM, GREEN, RED, YELLOW, Screen

WIDTH = 44


class Story:
    """Prints to one stream."""

    def __init__(self, stream):
        self._screen = Screen(stream)
        self._doing = None
        self._progress = None

    def heading(self, text):
        """Starts a paragraph."""
        self._finish()
        self._screen.line()
        self._screen.line(self._screen.paint(text, BOLD))

    def doing(self, text):
        """The lab does something slow; its line appears when the next thing begins."""
        self._finish()
        self._doing = (text, time.monotonic())
        self._screen.moving(f"  … {text}")

    def _finish(self):
        if self._doing:
            text, begin = self._doing
            self._doing = None
            self._step("✓", GREEN, text, "", time.monotonic() - begin)

    @contextlib.contextmanager
    def act(self, text, where):
        """One step of ours."""
        self._finish()
        self._screen.moving(f"  … {text}")
        begin = time.monotonic()
        try:
            yield
        except BaseException:
            self._step("✗", RED, text, where, time.monotonic() - begin)
            raise
        self._step("✓", GREEN, text, where, time.monotonic() - begin)

    def _step(self, sign, colour, text, where, seconds):
        self._screen.line(f"  {self._screen.paint(sign, colour)} {text:<{WIDTH}}"
                          f"{self._screen.paint(f'{where:<8}', DIM)}{seconds:7.1f} s")

    def event(self, event):
        """One event of migprep."""
        if event["event"] == "progress":
            if "memory" in event:
                self._bars(event)
        elif event["event"] == "step":
            self._migprep_step(event)

    def _migprep_step(self, event):
        name = event["name"].replace("-", " ")
        if event["state"] == "started":
            self._screen.moving(f"  … {name}")
            return
        if event["name"] == "migrate" and self._progress:
            self._totals(self._progress)
        good = event["state"] == "finished"
        self._step("✓" if good else "✗", GREEN if good else RED, name, event.get("host") or "",
                   event.get("seconds") or 0)

    def _bars(self, event):
        self._progress = event
        parts = []
        for kind in ("memory", "disk"):
            total = event[kind]["totalBytes"]
            if total:
                parts.append(f"{kind} {self._screen.bar(total - event[kind]['remainingBytes'], total)}")
        rate = event.get("rateBytesPerSecond") or 0
        self._screen.moving("    " + "   ".join(parts) + f"   {rate / 1e6:.1f} MB/s")

    def _totals(self, event):
        """Where the moving bars stood, as a line that stays."""
        amounts = ", ".join(f"{kind} {event[kind]['totalBytes'] / 2**20:.0f} MiB"
                            for kind in ("memory", "disk") if event[kind]["totalBytes"])
        self._screen.line(self._screen.paint(f"    {amounts}", DIM))

    def summary(self, figures):
        """What came out of it."""
        self._finish()
        paint = self._screen.paint
        self._screen.line()
        if figures["result"] != "moved":
            error = figures.get("error") or {}
            self._row("result", paint(figures["result"], RED, BOLD))
            self._row("reason", "; ".join(error[key] for key in ("object", "cause", "remedy")
                                          if error.get(key)))
        else:
            self._row("result", paint(f"moved from {figures['from']} to {figures['to']}", BOLD)
                      + f" in {figures['durationSeconds']:.1f} s")
            self._row("function", f"{figures['vf']} on {figures['to']}, bond on "
                      f"{figures['bondActiveAfter']} (before: {figures['bondActiveBefore']})")
        outage = figures["outageMilliseconds"]
        words = [f"{name} {outage[name]} ms" for name in ("unplug", "switchover", "replug")
                 if outage[name] is not None]
        self._row("network lost", f"{paint(str(outage['total']) + ' ms', BOLD)} in all"
                  + (": " if words else "") + ", ".join(words))
        self._row("probe", f"every {figures['probeIntervalMilliseconds']} ms, "
                  f"{figures['lostPackets']} lost, {figures['unsentProbes']} not sent, "
                  f"longest gap {figures['longestGapMilliseconds']} ms")
        if not figures["reachableAfter"]:
            self._row("", paint("the guest does not answer any more", RED, BOLD))
        if figures["result"] == "moved":
            self._row("disk", paint("intact (SHA-256 equal, read past the cache)", GREEN)
                      if figures["diskVerified"] else paint("DIFFERENT", RED, BOLD))
        self._row("all of this", f"{figures['totalSeconds']:.0f} s, emulated hosts without KVM: "
                  + paint("durations are not those of hardware", YELLOW))

    def _row(self, name, text):
        self._screen.line(f"  {name:<14}{text}")
