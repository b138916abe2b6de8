# SPDX-License-Identifier: LGPL-2.1-or-later
"""One host, reached by ssh through the lab's namespace."""

import shlex
import subprocess
import time

from . import network, place, process
from .deadline import scaled, wait_for
from .error import CommandFailed, LabError


class Host:
    """Host number 1 or 2."""

    def __init__(self, number):
        self.number = number
        self.name = f"host{number}"
        self._socket = place.RUN / f"{self.name}.ssh"

    def _ssh(self, *options):
        return network.inside([
            "ssh", "-F", "none", "-i", str(place.RUN / "key"), "-l", "root",
            "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR",
            "-o", "UserKnownHostsFile=/dev/null", "-o", f"ControlPath={self._socket}",
            "-o", "ConnectTimeout=10", "-o", "ServerAliveInterval=15", *options,
            f"{network.MANAGEMENT}.{self.number}"])

    def connect(self):
        """Opens the connection that all commands share."""
        self.disconnect()
        process.start(f"{self.name}.ssh", self._ssh("-M", "-N"), stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL)
        wait_for(f"ssh to {self.name}", self._connected, 30, 0.05)

    def _connected(self):
        if process.running(f"{self.name}.ssh") is None:
            self.connect()
        return self._socket.exists()

    def disconnect(self):
        """Closes the shared connection."""
        process.stop(f"{self.name}.ssh")
        self._socket.unlink(missing_ok=True)

    def argv(self, command, terminal=False):
        """The local command line that runs `command` (a list, or a string for the shell) there."""
        text = command if isinstance(command, str) else shlex.join(map(str, command))
        return [*self._ssh(*(["-t"] if terminal else [])), "--", text]

    def run(self, command, check=True, seconds=60, stdin=None):
        """Runs a command to its end; the result has returncode, stdout and stderr (text).

        A list is passed on unchanged, a string goes through the host's shell. `stdin` is text or
        an open file. With check a status other than 0 raises CommandFailed."""
        where = {"input": stdin} if isinstance(stdin, str) else {
            "stdin": stdin if stdin is not None else subprocess.DEVNULL}
        try:
            done = subprocess.run(self.argv(command), capture_output=True, text=True, check=False,
                                  errors="replace", timeout=scaled(seconds), **where)
        except subprocess.TimeoutExpired:
            raise LabError(f"{self.name}: no end of {command} after {scaled(seconds):.0f} s") \
                from None
        if check and done.returncode:
            argv = [command] if isinstance(command, str) else list(map(str, command))
            raise CommandFailed(self.name, argv, done.returncode, done.stdout + done.stderr)
        return done

    def output(self, command, seconds=60):
        """The stripped standard output of a command that must succeed."""
        return self.run(command, seconds=seconds).stdout.strip()

    def start(self, command):
        """Starts a command and returns a Stream over its output."""
        return Stream(self, command)


class Stream:
    """A running command on a host: iterate over (time.monotonic(), line), then read status()."""

    def __init__(self, host, command):
        self.host = host
        self._errors = None
        self._child = subprocess.Popen(host.argv(command), stdin=subprocess.DEVNULL, text=True,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       errors="replace")

    def __iter__(self):
        for line in self._child.stdout:
            yield time.monotonic(), line.rstrip("\n")

    def status(self, seconds=60):
        """Waits for the end; the exit status."""
        if self._errors is None:
            try:
                self._errors = self._child.communicate(timeout=scaled(seconds))[1]
            except subprocess.TimeoutExpired:
                self.stop()
                raise LabError(f"{self.host.name}: the command did not end") from None
        return self._child.returncode

    def errors(self):
        """What the command wrote to its standard error, known after status()."""
        return (self._errors or "").strip()

    def running(self):
        """Whether the local end still runs."""
        return self._child.poll() is None

    def stop(self):
        """Drops the connection of this command (the program there gets no signal by itself)."""
        self._child.kill()
        self._child.wait()
