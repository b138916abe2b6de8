# SPDX-License-Identifier: LGPL-2.1-or-later
"""What shells offer to complete: verbs, options, and what the hosts know."""

import os
import pathlib
import pty
import select
import shutil
import signal
import subprocess
import time
import unittest

import tap
from world import DEADLINE, MIGPREP, World

SHELLS = pathlib.Path(__file__).resolve().parents[2] / "common/cli/completion"
PROMPT = "ready> "
# Completes as the command does, and notes what it is run with instead of doing it.
STAND_IN = """#!/bin/sh
[ "$1" = complete ] && exec {migprep} "$@"
printf '%s\\n' "$@" >{words}/words
"""


class Terminal:
    """A shell that believes somebody types."""

    def __init__(self, shell, environment):
        self.shown = b""
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.execvpe(shell[0], shell, environment)
        self.await_prompt()

    def await_prompt(self):
        deadline = time.monotonic() + DEADLINE
        while PROMPT.encode() not in self.shown:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.terminal], [], [], left)[0]:
                raise AssertionError(f"no prompt: {self.shown!r}")
            self.shown += os.read(self.terminal, 65536)
        self.shown = self.shown.split(PROMPT.encode(), 1)[1]

    def type(self, line):
        os.write(self.terminal, line.encode() + b"\n")
        self.await_prompt()

    def close(self):
        os.close(self.terminal)
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)


class Completion(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.world.guests = [("web1", "running"), ("web2", "shutoff"), ("db", "running")]
        self.world.leases["network"] = [{"lease": "5f7a-lease", "kind": "reservation",
                                         "state": "reserved", "guest": {"name": "web1", "uuid": "u"}}]
        self.config = os.path.join(self.world.directory, "migprep.conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write("[drain]\nto=host2 host3\n")

    def sockets(self):
        return [f"--{service}-socket={self.world.socket('host1', service)}"
                for service in ("network", "storage")]

    def complete(self, verb, *words):
        """The candidates, without what they are."""
        done = subprocess.run([MIGPREP, "complete", "--", verb, *self.sockets(), *words], text=True,
                              capture_output=True, check=True, timeout=20)
        self.assertEqual(done.stderr, "")
        return [line.split("\t")[0] for line in done.stdout.splitlines()]

    def test_verbs(self):
        done = subprocess.run([MIGPREP, "complete", "--", "ma"], text=True, capture_output=True, check=True)
        self.assertEqual(done.stdout, "maintenance\twhether this host takes guests\n")

    def test_options(self):
        self.assertEqual(self.complete("status", "--w"), ["--watch"])
        self.assertIn("--migrate-disks", self.complete("migrate", "--"))

    def test_guests_where_a_guest_is_meant(self):
        for verb in ("migrate", "check", "policy", "setup-bond"):
            self.assertEqual(self.complete(verb, "we"), ["web1", "web2"], verb)

    def test_hosts_where_a_host_is_meant(self):
        for words in (("migrate", "web1", "--to", "h"), ("migrate", "web1", "--to=h"),
                      ("migrate", "web1", "--to", "=", "h"), ("migrate", "web1", "--to", "=")):
            self.assertEqual(self.complete(words[0], "--config", self.config, *words[1:]),
                             ["host2", "host3"], words)
        self.assertEqual(self.complete("cpu-baseline", "--config", self.config, ""), ["host2", "host3"])

    def test_leases(self):
        self.assertEqual(self.complete("release", ""), ["5f7a-lease"])

    def test_guests_and_jobs_for_cancel(self):
        self.world.running_jobs = [("storage", {"job": "5f7b-job", "kind": "Migrate",
                                                "state": "running", "subject": "u",
                                                "startedSecondsAgo": 1})]
        self.assertEqual(self.complete("cancel", ""), ["web1", "web2", "db", "5f7b-job"])

    def test_fixed_words(self):
        self.assertEqual(self.complete("maintenance", "b"), ["begin"])
        self.assertEqual(self.complete("proxy", ""), ["network", "storage"])
        self.assertEqual(self.complete("release", "--all", "n"), ["network"])
        self.assertEqual(self.complete("drain", "--fallback", "h"), ["hibernate"])

    def test_nothing_where_nothing_is_known(self):
        self.assertEqual(self.complete("migrate", "web1", "--xml", ""), [])
        self.assertEqual(self.complete("nonesuch", ""), [])

    def test_nothing_without_daemons(self):
        for service in ("network", "storage"):
            self.world.stop("host1", service)
        self.assertEqual(self.complete("release", ""), [])

    # The shells themselves.

    def shell(self, name, *words):
        if not shutil.which(name):
            self.skipTest(f"{name} is not installed")
        path = f"{os.path.dirname(MIGPREP)}:{os.environ['PATH']}"
        return subprocess.run([name, *words], text=True, capture_output=True, check=True,
                              env={**os.environ, "PATH": path}, timeout=20).stdout.split("\n")

    def line(self):
        return ["migprep", "policy", *self.sockets(), "we"]

    def after_a_tab(self, setup, *shell):
        """The words of a command that was typed with a tab in it, as an interactive shell ran it."""
        if not shutil.which(shell[0]):
            self.skipTest(f"{shell[0]} is not installed")
        stand_in = pathlib.Path(self.world.directory, "bin/migprep")
        stand_in.parent.mkdir()
        stand_in.write_text(STAND_IN.format(migprep=MIGPREP, words=self.world.directory), encoding="utf-8")
        stand_in.chmod(0o755)
        path = f"{stand_in.parent}:{os.environ['PATH']}"
        terminal = Terminal(shell, {**os.environ, "PATH": path, "HOME": self.world.directory, "PS1": PROMPT})
        self.addCleanup(terminal.close)
        for line in (setup, "migprep policy " + " ".join(self.sockets()) + " d\t"):
            terminal.type(line)
        return pathlib.Path(self.world.directory, "words").read_text(encoding="utf-8").splitlines()

    def test_bash(self):
        found = self.after_a_tab(f"source {SHELLS / 'migprep.bash'}", "bash", "--norc", "--noprofile", "-i")
        self.assertEqual(found, ["policy", *self.sockets(), "db"])

    def test_zsh(self):
        setup = f"fpath=({SHELLS} $fpath); autoload -Uz compinit; compinit -u -D"
        found = self.after_a_tab(setup, "zsh", "-f", "-i")
        self.assertEqual(found, ["policy", *self.sockets(), "db"])

    def test_bash_finds_hosts_behind_an_equals_sign(self):
        """There bash takes one word for three."""
        script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _migprep; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        words = ["migprep", "migrate", "web1", "--config", self.config, "--to", "=", "h"]
        found = self.shell("bash", "-c", script, "bash", SHELLS / "migprep.bash", *words)
        self.assertEqual(found, ["host2", "host3", ""])

    def test_fish(self):
        script = f"source {SHELLS / 'migprep.fish'}; complete -C '{' '.join(self.line())}'"
        found = self.shell("fish", "--no-config", "-c", script)
        self.assertEqual([line.split("\t")[0] for line in found], ["web1", "web2", ""])


if __name__ == "__main__":
    tap.main()
