# SPDX-License-Identifier: LGPL-2.1-or-later
"""Waiting for a condition, never for time to pass. TEST_SLOWNESS stretches every deadline."""

import os
import time

from .error import LabError


def slowness():
    """The factor by which this machine is slower than the one the deadlines were chosen on."""
    return float(os.environ.get("TEST_SLOWNESS", "1"))


def scaled(seconds):
    """A deadline in seconds for this machine."""
    return seconds * slowness()


def wait_for(what, condition, seconds, interval=0.1):
    """Calls condition() until it returns something true and returns that.

    Raises LabError naming `what` after `seconds` (scaled by TEST_SLOWNESS)."""
    end = time.monotonic() + scaled(seconds)
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise LabError(f"waited {scaled(seconds):.0f} s in vain for {what}")
        time.sleep(interval)


def wait_quiet(what, complaint, seconds):
    """Waits until complaint() returns None, which says what is wrong otherwise; raises LabError
    with what it said last. That something cannot be found out now is a complaint, too."""
    last = ["nothing was seen"]

    def quiet():
        try:
            last[0] = complaint()
        except LabError as error:
            last[0] = str(error)
        return last[0] is None
    try:
        wait_for(what, quiet, seconds, 0.5)
    except LabError as error:
        raise LabError(f"{error}: {last[0]}") from None
