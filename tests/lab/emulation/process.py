# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes the lab started: recorded with their start time, so that no other one is ever ended."""

import json
import os
import signal
import subprocess

from . import place
from .deadline import wait_for
from .error import LabError


def start_time(pid):
    """When the process started, in clock ticks since boot; None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


def _record(name):
    return place.RUN / f"{name}.process"


def start(name, argv, **options):
    """Starts a program that outlives this one and records it under a name."""
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    record = {"pid": child.pid, "start": start_time(child.pid)}
    _record(name).write_text(json.dumps(record), encoding="ascii")
    return child


def running(name):
    """The pid of the recorded process if it still runs, else None."""
    try:
        record = json.loads(_record(name).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
    alive = record["start"] is not None and start_time(record["pid"]) == record["start"]
    return record["pid"] if alive else None


def stop(name, kind=signal.SIGTERM):
    """Ends the recorded process, waits until it is gone, forgets it. No process: nothing happens."""
    for step in (kind, signal.SIGKILL):
        pid = running(name)
        if pid is None:
            break
        os.kill(pid, step)
        try:
            wait_for(f"the end of {name}", lambda: _gone(name), 5, 0.02)
        except LabError:
            continue
    _record(name).unlink(missing_ok=True)


def _gone(name):
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        pass
    return running(name) is None


def call(argv, seconds=60, **options):
    """Runs a program on this machine and returns its output. Raises LabError when it fails."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT, timeout=seconds, check=False, **options)
    except FileNotFoundError:
        raise LabError(f"the program {argv[0]} is missing on this machine") from None
    except subprocess.TimeoutExpired:
        raise LabError(f"{' '.join(map(str, argv))}: no end after {seconds:.0f} s") from None
    if done.returncode:
        last = "\n".join(done.stdout.strip().splitlines()[-12:])
        raise LabError(f"{' '.join(map(str, argv))}: status {done.returncode}\n{last}")
    return done.stdout
