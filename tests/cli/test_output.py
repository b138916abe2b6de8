# SPDX-License-Identifier: LGPL-2.1-or-later
"""What all verbs do alike: errors in JSON, output that gets lost, words of the libraries."""

import json
import os
import pty
import re
import subprocess
import unittest

import tap
from world import DEADLINE, MIGPREP, World

NOBODY = ["--network-socket", "/nonexistent/network", "--storage-socket", "/nonexistent/storage"]
# Where their results do not tell it.
FAILING = [["cpu-baseline", "host2"], ["policy", "web1"], ["release", "L"],
           ["release", "--all", "network"], ["cancel", "web1"], ["setup-bond", "web1"],
           ["status", "--watch"], ["drain", "--to", "host2", "--dry-run"]]


def run(*words, **more):
    return subprocess.run([MIGPREP, *words], text=True, stderr=subprocess.PIPE, check=False,
                          timeout=DEADLINE, **more)


class Errors(unittest.TestCase):
    def test_each_verb_tells_them_in_json(self):
        world = World()
        self.addCleanup(world.close)
        for service in ("network", "storage"):
            world.stop("host1", service)
        for words in FAILING:
            with self.subTest(words):
                done = world.run(*words, "--json", remote=words[0] not in ("cancel", "setup-bond"))
                self.assertEqual(done.returncode, 6, done.errors)
                error = json.loads(done.output.splitlines()[-1])["error"]
                self.assertEqual(error["code"], "DaemonUnavailable")
                self.assertIn(error["cause"], done.errors)

    def test_wrong_values_are_told_in_json(self):
        for words, status in ((["migrate", "web1", "--to=-x"], 2), (["check", "web1", "--to=-x"], 64),
                              (["check", "web1"], 64)):
            done = run(*words, "--json", stdout=subprocess.PIPE)
            self.assertEqual((done.returncode, json.loads(done.stdout)["error"]["code"]),
                             (status, "InvalidArgument"), words)

    def test_what_is_missing_is_named(self):
        self.assertEqual(run("cancel").stderr, "migprep: an argument is missing: GUEST | JOB; "
                                               "see 'migprep cancel --help'\n")
        self.assertIn("option --to: is missing;", run("check", "web1").stderr)
        hosts = [f"--to=h{number}" for number in range(33)]
        self.assertIn("option --to: names more than 32 hosts;", run("check", "web1", *hosts).stderr)


class Lost(unittest.TestCase):
    """A full disk is an error; a reader that has seen enough is none."""

    def test_full_disk(self):
        for words, status in ((["--help"], 1), (["check", "--catalogue"], 1),
                              (["metrics", *NOBODY], 6)):
            with self.subTest(words), open("/dev/full", "w", encoding="utf-8") as full:
                done = run(*words, stdout=full)
                self.assertEqual(done.returncode, status)
                self.assertIn("standard output: not all of it could be written\n", done.stderr)

    def test_reader_that_left(self):
        reading, writing = os.pipe()
        os.close(reading)
        done = run("check", "--catalogue", stdout=writing)
        os.close(writing)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_closed_output_is_nobodys_connection(self):
        world = World()
        self.addCleanup(world.close)
        words = world.arguments("status", remote=False)
        done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *words], text=True, check=False,
                              stderr=subprocess.PIPE, timeout=DEADLINE)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


class Words(unittest.TestCase):
    def test_those_of_libraries_look_like_ours(self):
        """Two hosts that fail: the second is told as a warning. GLib would colour it on a terminal."""
        controller, terminal = pty.openpty()
        subprocess.run([MIGPREP, "cpu-baseline", "host2", *NOBODY, "--ssh", "/bin/false"],
                       stdout=terminal, stderr=terminal, check=False, timeout=DEADLINE,
                       env={**os.environ, "NO_COLOR": "1"})
        os.close(terminal)
        told = os.read(controller, 65536).decode()
        os.close(controller)
        self.assertIn("host 'host2'", told)
        for line in told.splitlines():
            self.assertTrue(line.startswith("migprep: "), told)

    def test_numbers_are_as_exact_as_they_were_measured(self):
        world = World()
        self.addCleanup(world.close)
        done = world.migrate("--json")
        for number in re.findall(r'[sS]econds":([\d.]+)', done.output):
            self.assertLessEqual(len(number.partition(".")[2]), 6, number)


if __name__ == "__main__":
    tap.main()
