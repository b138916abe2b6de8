# SPDX-License-Identifier: LGPL-2.1-or-later
"""netprep-guest runs real hooks: which ones, as whom, how long, and what it tells of them."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest

import tap

PROGRAM = os.environ["NETPREP_GUEST"]
SLOWNESS = int(os.environ.get("TEST_SLOWNESS", "1"))
PHASES = ("before_migration", "after_migration", "before_hibernation", "after_hibernation")


class Hooks(unittest.TestCase):
    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("changing to another user needs root")
        self.root = tempfile.mkdtemp(prefix="guest-hooks-")
        self.addCleanup(shutil.rmtree, self.root)
        os.chmod(self.root, 0o755)  # nobody has to get in

    def directory(self, phase):
        path = os.path.join(self.root, "etc/netprep-guest/hooks.d", phase)
        os.makedirs(path, mode=0o755, exist_ok=True)
        return path

    def add(self, name, script, mode=0o755, phase="before_migration"):
        path = os.path.join(self.directory(phase), name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{script}\n")
        os.chmod(path, mode)
        return path

    def answer(self, phase="before_migration", seconds=60):
        done = subprocess.run([PROGRAM, "hooks", "--phase", phase, "--timeout", str(seconds),
                               "--root", self.root], capture_output=True, text=True, check=False,
                              timeout=60 * SLOWNESS)
        return done.returncode, json.loads(done.stdout)

    def hooks(self, **options):
        status, answer = self.answer(**options)
        self.assertEqual(status, 0, answer)
        return answer["hooks"]

    def test_guest_without_hooks_says_so(self):
        for phase in PHASES:
            self.assertEqual(self.answer(phase), (0, {"phase": phase, "hooks": []}))

    def test_report_tells_which_phases_have_some(self):
        self.add("a", "", phase="after_migration")
        self.directory("before_migration")
        done = subprocess.run([PROGRAM, "report", "--root", self.root], capture_output=True,
                              text=True, check=True, timeout=60)
        self.assertEqual(json.loads(done.stdout)["hooks"], ["after_migration"])

    def test_names_order_them_and_saved_copies_are_passed_over(self):
        for name in ("20-b", "10-a", "30-c.root", "a.dpkg-old", "b~", ".hidden", ".root"):
            self.add(name, "echo $NETPREP_PHASE")
        self.add("40-off", "echo off", mode=0o644)
        found = self.hooks()
        self.assertEqual([hook["name"] for hook in found], ["10-a", "20-b", "30-c.root"])
        self.assertEqual({hook["output"] for hook in found}, {"before_migration\n"})

    def test_only_marked_hooks_of_root_are_root(self):
        self.add("a", "id -un; id -Gn; (echo x > /root/nonesuch/x) 2>/dev/null || echo no")
        self.add("b.root", "id -un")
        found = self.hooks()
        self.assertEqual([(hook["user"], hook["failure"]) for hook in found],
                         [("nobody", ""), ("root", "")])
        self.assertEqual(found[0]["output"], "nobody\nnogroup\nno\n")
        self.assertEqual(found[1]["output"], "root\n")

    def test_marked_hook_that_others_may_write_to_is_not_run(self):
        self.add("a.root", "touch \"$0.ran\"", mode=0o757)
        path = self.add("b.root", "touch \"$0.ran\"", phase="after_migration")
        os.chown(path, 65534, 65534)
        self.assertIn("others than root", self.hooks()[0]["failure"])
        self.assertIn("others than root", self.hooks(phase="after_migration")[0]["failure"])
        self.assertFalse(os.path.exists(path + ".ran"))

    def test_directory_that_others_may_write_to_is_not_read(self):
        self.add("a", "echo run")
        os.chmod(self.directory("before_migration"), 0o777)
        status, answer = self.answer()
        self.assertEqual(status, 1)
        self.assertIn("others than root", answer["error"])

    def test_failure_stops_the_rest_before_and_none_after(self):
        for phase in ("before_migration", "after_migration"):
            self.add("a", "echo no >&2; exit 3", phase=phase)
            self.add("b", "echo next", phase=phase)
        found = self.hooks()
        self.assertEqual([(hook["failure"], hook["output"]) for hook in found],
                         [("it failed with status 3", "no\n")])
        found = self.hooks(phase="after_migration")
        self.assertEqual([hook["failure"] for hook in found], ["it failed with status 3", ""])

    def test_deadline_ends_what_was_started(self):
        pids = os.path.join(self.root, "pids")
        os.mkdir(pids)
        os.chmod(pids, 0o777)
        self.add("a", f"sleep 1000 & echo $! > {pids}/a; wait")
        self.assertEqual(self.hooks(seconds=1)[0]["failure"], "it did not end in time")
        with open(f"{pids}/a", encoding="ascii") as file:
            pid = file.read().strip()
        deadline = time.monotonic() + 20 * SLOWNESS
        while self.lives(pid):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    @staticmethod
    def lives(pid):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                return ") Z " not in file.read()
        except OSError:
            return False

    def test_end_of_the_hook_counts_and_not_that_of_its_output(self):
        self.add("a", "sleep 1000 & exit 0")
        self.assertEqual(self.hooks()[0]["failure"], "")

    def test_output_is_cut_and_made_text(self):
        self.add("a", "head -c 100000 /dev/zero | tr '\\0' x; printf '\\377'")
        self.add("b", "printf 'a\\0\\377b'")
        found = self.hooks()
        self.assertEqual([hook["failure"] for hook in found], ["", ""])
        self.assertEqual(found[0]["output"], "x" * 8192)
        self.assertEqual(found[1]["output"], "a??b")

    def test_hook_that_is_no_program(self):
        path = self.add("a", "")
        with open(path, "wb") as file:
            file.write(b"\x7fELFno")
        self.assertEqual(self.hooks()[0]["failure"], "it cannot be run")

    def test_wrong_phase(self):
        done = subprocess.run([PROGRAM, "hooks", "--phase", "later"], capture_output=True,
                              text=True, check=False, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (2, ""))


if __name__ == "__main__":
    tap.main()
