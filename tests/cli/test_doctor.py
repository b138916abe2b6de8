# SPDX-License-Identifier: LGPL-2.1-or-later
"""The archive for bug reports: complete, private, without secrets, also on a broken host."""

import json
import os
import stat
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


if __name__ == "__main__":
    tap.main()
