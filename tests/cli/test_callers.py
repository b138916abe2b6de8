# SPDX-License-Identifier: LGPL-2.1-or-later
"""The caller in Python of the orchestrator's guide, between two hosts."""

import pathlib
import subprocess
import sys
import unittest

import tap
from fake_daemon import Refusal
from world import DEADLINE, World

MOVE = pathlib.Path(__file__).resolve().parents[2] / "docs/callers/move.py"


class Move(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def move(self):
        return subprocess.run([sys.executable, "-B", MOVE, "web1", "host1", "host2", "--ssh",
                               self.world.ssh], text=True, capture_output=True, check=False,
                              timeout=DEADLINE)

    def test_moves_in_the_order_that_is_safe(self):
        done = self.move()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.world.calls, [
            "host2 Reserve", "host2 CreateTargets", "host1 Detach", "host1 Migrate", "host2 Attach",
            "host1 Release network", "host2 Release storage"])
        self.assertIn("guest 'web1' runs on host2 on 0000:01:10.4", done.stdout)
        self.assertEqual(self.world.targets, [
            {"path": "/images/web1.qcow2", "format": "qcow2", "virtualSizeBytes": 1 << 20}])
        self.assertEqual(self.world.migrate_parameters["copyDisks"], ["vda"])

    def test_gives_all_back_when_the_migration_fails(self):
        self.world.refuse["host1 Migrate"] = Refusal("MigrationFailed")
        done = self.move()
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "move.py: guest 'web1': refused on purpose; mend it\n")
        self.assertEqual(self.world.calls[-3:], ["host1 Release network", "host2 Release storage",
                                                 "host2 Release network"])

    def test_guest_that_arrived_keeps_its_reservation(self):
        self.world.refuse["host2 Attach"] = Refusal("AgentUnavailable")
        self.assertEqual(self.move().returncode, 1)
        self.assertNotIn("host2 Release network", self.world.calls)

    def test_nothing_is_left_where_nothing_could_be_reserved(self):
        self.world.refuse["host2 Reserve"] = Refusal("NoFreeFunction")
        self.assertEqual(self.move().returncode, 1)
        self.assertEqual(self.world.calls, ["host2 Reserve"])

    def test_degraded_guest_has_a_status_of_its_own(self):
        self.world.degraded = True
        self.assertEqual(self.move().returncode, 17)


if __name__ == "__main__":
    tap.main()
