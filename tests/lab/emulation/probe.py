# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures how long a guest cannot be reached: a ping every 10 ms, and what became of each."""

import mmap
import sys
import time

from . import network, place, process
from .deadline import wait_for
from .error import LabError
from .pinger import PROBES, SIZE, SLOT

INTERVALS_MS = (10, 20)
TRIAL_SECONDS = 1.5
# A probe without reply for this long is lost; a reply after this would no longer change much.
PATIENCE_SECONDS = 2.0


class Probe:
    """Pings one guest from start() to stop(). All times are those of time.monotonic()."""

    def __init__(self, guest, intervals_ms=INTERVALS_MS):
        self._guest = guest
        self._intervals_ms = intervals_ms
        self._name = f"probe-{guest.name}"
        self._path = place.LOGS / f"{self._name}.times"
        self._memory = None
        self._last = None
        self.interval_ms = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Waits for the first reply, then settles for the first interval at which the still lab
        loses no probes and this machine can send them in time, or for the last."""
        for interval in self._intervals_ms:
            self._launch(interval)
            begin = time.monotonic()
            end = begin + TRIAL_SECONDS
            wait_for("the probe's trial", lambda: self._settled(begin, end),
                     TRIAL_SECONDS + PATIENCE_SECONDS + 5)
            trial = self.window(begin, end)
            if trial["lost"] == 0 and trial["unsent"] * 20 <= trial["turns"]:
                return

    def _launch(self, interval):
        process.stop(self._name)
        with open(self._path, "wb") as file:
            file.truncate(SIZE)
        with open(self._path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), SIZE)
        self._last = None
        self.interval_ms = interval
        process.start(self._name, network.inside([
            sys.executable, "-m", "emulation.pinger", self._guest.address, str(interval),
            str(self._path)]), cwd=place.LAB)
        self.wait_reply(0, 30)

    def stop(self):
        """Waits for late replies, then ends the process. The figures stay readable."""
        if process.running(self._name) is None:
            return
        self._last = time.monotonic()
        try:
            wait_for("late replies", lambda: self._settled(0, self._last), PATIENCE_SECONDS + 5)
        finally:
            process.stop(self._name)

    def _turns(self, begin, end):
        """(turn, sent, replied) in seconds of each probe with begin <= turn < end; 0 = never."""
        start = SLOT.unpack_from(self._memory, 0)[0] / 1e9
        if not start:
            return
        step = self.interval_ms / 1000
        limit = min(end, self._last or time.monotonic())
        first = max(0, int((begin - start) / step))
        for number in range(first, min(PROBES, int((limit - start) / step))):
            sent, replied = SLOT.unpack_from(self._memory, (number + 1) * SLOT.size)
            turn = start + number * step
            if turn >= begin:
                yield turn, sent / 1e9, replied / 1e9

    def _settled(self, begin, end):
        """Whether the window is over and nothing will change its figures any more."""
        now = time.monotonic()
        young = max(begin, now - PATIENCE_SECONDS)
        return now > end and all(replied for _, sent, replied in self._turns(young, end) if sent)

    def window(self, begin, end):
        """What happened to the probes whose turn was between two times. `lostMilliseconds` is the
        number of lost probes times the interval; `unsent` ones are counted as neither."""
        turns = unsent = lost = gap = longest = 0
        round_trips = []
        for _, sent, replied in self._turns(begin, end):
            turns += 1
            if replied:
                round_trips.append(replied - sent)
                gap = 0
            elif sent:
                lost += 1
                gap += 1
                longest = max(longest, gap)
            else:
                unsent += 1
        round_trips.sort()
        middle = round_trips[len(round_trips) // 2] * 1000 if round_trips else 0
        return {"turns": turns, "unsent": unsent, "lost": lost,
                "lostMilliseconds": lost * self.interval_ms,
                "longestGapMilliseconds": longest * self.interval_ms,
                "medianRoundTripMilliseconds": round(middle, 1)}

    def trips(self, begin, end):
        """(when it was sent, round trip in milliseconds or None) of each probe that was sent."""
        return [(sent, (replied - sent) * 1000 if replied else None)
                for _, sent, replied in self._turns(begin, end) if sent]

    @staticmethod
    def now():
        """The time that the probe's times are compared with."""
        return time.monotonic()

    def wait_reply(self, since, seconds):
        """Waits until a probe sent at or after `since` was answered; returns when it was sent."""
        def answered():
            if process.running(self._name) is None:
                raise LabError("the probe's process ended")
            return next((sent for _, sent, replied in self._turns(since, time.monotonic())
                         if replied), None)
        return wait_for(f"a reply of {self._guest.name} at {self._guest.address}", answered,
                        seconds, 0.02)
