# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cases of a scenario, reported in the Test Anything Protocol."""

import contextlib
import os
import time
import traceback

from .error import LabError


class Skip(Exception):
    """Ends a case that cannot be tried here; the message says why."""


class Cases:
    """What was tried so far. The plan comes last, when the number is known.

    explain() is asked after a failure for sentences that are added to the reason."""

    def __init__(self, explain=lambda: ()):
        self.results = []
        self._explain = explain

    @contextlib.contextmanager
    def case(self, name):
        """One case: passes when the block ends, fails when it raises. Works as a decorator, too."""
        begin = time.monotonic()
        try:
            yield
        except Skip as skip:
            self._skipped(name, str(skip))
        except (LabError, AssertionError) as error:
            self._report(name, "failed", begin, str(error) or _where(error))
        except Exception:  # a mistake in the scenario itself: reported like a failure, with its place
            self._report(name, "failed", begin, traceback.format_exc())
        else:
            self._report(name, "passed", begin, "")

    def _skipped(self, name, reason):
        if os.environ.get("REQUIRE_REAL") == "1":
            self._report(name, "failed", time.monotonic(), f"skipped, but required: {reason}")
            return
        self.results.append({"name": name, "result": "skipped", "reason": reason})
        print(f"ok {len(self.results)} - {name} # SKIP {reason}", flush=True)

    def _report(self, name, result, begin, reason):
        seconds = round(time.monotonic() - begin, 2)
        self.results.append({"name": name, "result": result, "seconds": seconds})
        if reason:
            self.results[-1]["reason"] = reason
        word = "ok" if result == "passed" else "not ok"
        print(f"{word} {len(self.results)} - {name}", flush=True)
        for line in reason.splitlines():
            print(f"#   {line}", flush=True)
        for sentence in self._explain() if result == "failed" else ():
            print(f"#   emulation: {sentence}", flush=True)

    def plan(self):
        """Prints the plan; True when nothing failed."""
        print(f"1..{len(self.results)}", flush=True)
        return all(case["result"] != "failed" for case in self.results)


def _where(error):
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"line {frame.lineno}: {frame.line}"
