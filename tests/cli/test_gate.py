# SPDX-License-Identifier: LGPL-2.1-or-later
"""migprep migrate: the checks come first; blockers stop it, warnings are told, some are overridden."""

import json
import unittest

import tap
from fake_daemon import Refusal
from world import World

USAGE, OTHER, NO_DAEMON, NO_FUNCTION, EXISTS = 2, 1, 6, 7, 8


def result(check, outcome="failed", severity="blocker"):
    return {"check": check, "title": "a title", "object": "thing 7", "severity": severity,
            "outcome": outcome, "evidence": "is broken", "remedy": "mend it", "source": "a book"}


class Gate(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def migrate(self, *words, **checks):
        """Checks by place: host2_network=[...]."""
        self.world.checks = {place.replace("_", " "): found for place, found in checks.items()}
        return self.world.migrate(*words)

    def test_blocker_stops_before_anything_is_done(self):
        done = self.migrate(host2_network=[result("network.functions-free")])
        self.assertEqual(done.returncode, NO_FUNCTION)
        self.assertEqual(done.errors.splitlines()[0],
                         "migprep: thing 7 on host2: is broken; mend it "
                         "(or --force network.functions-free)")
        self.assertIn("everything is as it was", done.errors)
        self.assertEqual(self.world.calls, [])

    def test_status_names_the_cause(self):
        for check, status in (("guest.exists", 3), ("guest.running", 4), ("guest.no-job", 13),
                              ("storage.space-enough", 9), ("network.bond-mode", 12),
                              ("host.memory-enough", OTHER), ("future.check", OTHER)):
            with self.subTest(check):
                done = self.migrate(host1_storage=[result(check)])
                self.assertEqual(done.returncode, status, done.errors)

    def test_other_blockers_are_told_too(self):
        done = self.migrate(host1_storage=[result("guest.no-snapshot")],
                            host2_storage=[result("host.memory-enough")])
        self.assertEqual(done.returncode, OTHER)
        self.assertIn("also: host.memory-enough, thing 7 on host2: is broken", done.errors)

    def test_json_ends_with_the_refusal(self):
        done = self.migrate("--json", host2_storage=[result("storage.target-absent")])
        last = json.loads(done.output.splitlines()[-1])
        self.assertEqual((last["event"], last["result"], last["error"]["code"]),
                         ("result", "failed", "TargetExists"))
        self.assertEqual(done.returncode, EXISTS)

    def test_warning_and_unknown_are_told_and_do_not_stop(self):
        done = self.migrate(host1_network=[result("network.bond-primary", severity="warning")],
                            host2_storage=[result("host.cpu-compatible", "unknown")])
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertIn("migprep: warning: network.bond-primary, thing 7 on ", done.errors)
        self.assertIn("migprep: not known: host.cpu-compatible", done.errors)

    def test_one_reason_for_many_unknown_checks_is_told_once(self):
        done = self.migrate(host1_network=[result("network.bond-primary", "unknown")],
                            host2_storage=[result(check, "unknown") for check in (
                                "host.cpu-compatible", "host.memory-enough", "host.vcpus-fit")])
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertIn("not known: host.cpu-compatible and 2 more checks, thing 7 on host2: "
                      "is broken", done.errors)
        self.assertIn("not known: network.bond-primary, thing 7 on ", done.errors)
        self.assertNotIn("host.memory-enough", done.errors)

    def test_information_says_nothing(self):
        done = self.migrate(host2_storage=[result("a.b", severity="information")])
        self.assertEqual((done.returncode, done.errors), (0, ""))

    def test_forced_check_is_told_and_does_not_stop(self):
        done = self.migrate("--force", "host.memory-enough", "--force", "guest.no-snapshot",
                            host2_storage=[result("host.memory-enough")])
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertIn("overridden: host.memory-enough", done.errors)

    def test_only_the_named_check_is_forced(self):
        done = self.migrate("--force", "guest.no-snapshot",
                            host2_storage=[result("host.memory-enough")])
        self.assertEqual(done.returncode, OTHER)

    def test_nobody_may_force_what_loses_data(self):
        for check, said in (("storage.target-absent", "nobody may override"),
                            ("guest.absent-there", "nobody may override"),
                            ("no.check", "names no check")):
            with self.subTest(check):
                done = self.migrate("--force", check)
                self.assertEqual(done.returncode, USAGE)
                self.assertIn(said, done.errors)
                self.assertEqual(self.world.checked, [])

    def test_bond_that_will_be_set_up_is_no_obstacle(self):
        self.world.bond = None
        done = self.migrate("--set-up-bond", host1_network=[result("network.backup-present")])
        self.assertEqual(done.returncode, 0, done.errors)

    def test_daemon_that_cannot_check_stops_it(self):
        self.world.refuse["host2 storage Check"] = Refusal("Internal")
        self.assertEqual(self.migrate().returncode, OTHER)
        self.assertEqual(self.world.calls, [])


if __name__ == "__main__":
    tap.main()
