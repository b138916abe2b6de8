# SPDX-License-Identifier: LGPL-2.1-or-later
"""The archive for bug reports: complete, private, without secrets, also on a broken host."""

import json
import os
import stat
import subprocess
import tarfile
import unittest

import tap
from world import World

SECRET = "hunter2"
CONFIG = f"[migration]\ncluster=north\n[cluster north]\n# console password: {SECRET}\nmax-downtime=300\n"


class Doctor(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.archive = os.path.join(self.world.directory, "report.tar.gz")
        self.config = os.path.join(self.world.directory, "migprep.conf")
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG)
        self.world.leases["network"] = [{
            "lease": "L1", "generation": 1, "kind": "reservation", "owner": "tester", "token": SECRET,
            "guest": {"name": "web1", "uuid": "u"}, "state": "reserved", "reason": "",
            "remainingSeconds": 1, "functions": []}]

    def examine(self):
        done = self.world.run("doctor", "--output", self.archive, "--config", self.config, "--json",
                              remote=False)
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(json.loads(done.output), {"archive": self.archive})
        with tarfile.open(self.archive) as archive:
            return {os.path.basename(member.name): archive.extractfile(member).read().decode()
                    for member in archive if member.isfile()}

    def test_has_what_daemons_say_and_the_configuration(self):
        files = self.examine()
        self.assertEqual(json.loads(files["netprepd-ListLeases.json"])["leases"][0]["lease"], "L1")
        self.assertIn("max-downtime=300", files["migprep.conf"])
        for name in ("kernel.txt", "journal.txt", "units.txt", "storprepd-ListGuests.json", "os-release"):
            self.assertIn(name, files)

    def test_has_no_secrets(self):
        for name, text in self.examine().items():
            self.assertNotIn(SECRET, text, name)

    def test_is_for_its_owner_alone(self):
        self.examine()
        self.assertEqual(stat.S_IMODE(os.stat(self.archive).st_mode), 0o600)

    def test_says_why_something_is_missing(self):
        self.world.stop("host1", "storage")
        self.assertIn("storprepd", self.examine()["storprepd-ListGuests.json"])

    def test_place_that_takes_no_file(self):
        done = self.world.run("doctor", "--output", "/nonexistent/report.tar.gz", remote=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("--output", done.errors)

    def test_device_is_no_place_and_stays_as_it_is(self):
        device = os.path.join(self.world.directory, "fifo")
        os.mkfifo(device, 0o644)
        reader = os.open(device, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        done = self.world.run("doctor", "--output", device, remote=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no plain file", done.errors)
        self.assertEqual(stat.filemode(os.stat(device).st_mode), "prw-r--r--")

    def test_full_disk_leaves_no_half_archive_and_no_notes(self):
        room = os.path.join(self.world.directory, "room")
        os.mkdir(room)
        script = ('mount -t tmpfs -o size=16k tmpfs "$1" && head -c 64k /dev/zero >"$1/full" 2>/dev/null; '
                  'path=$1; shift; TMPDIR=${TMPDIR:-$path} "$@"; status=$?; ls "$path"; exit $status')
        if subprocess.run(["unshare", "-m", "true"], check=False, stderr=subprocess.DEVNULL).returncode:
            self.skipTest("no mount namespace to be had: needs root")
        for temporary, output, status in ((None, "/dev/null", 9), ("/tmp", f"{room}/report.tar.gz", 1)):
            words = self.world.arguments("doctor", "--output", output, remote=False)
            done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", room, *words], text=True,
                                  capture_output=True, check=False,
                                  env={**os.environ, "TMPDIR": temporary or room})
            self.assertEqual((done.returncode, done.stdout), (status, "full\n"), done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertIn("No space left on device", done.stderr)


if __name__ == "__main__":
    tap.main()
