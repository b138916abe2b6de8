# SPDX-License-Identifier: LGPL-2.1-or-later
"""migprep migrate, interrupted or killed in each step: what it undoes, and in which order."""

import signal
import unittest

import tap
from world import HERE, World

NOTICE = "cancelling and undoing"
STEPS = ["host2 Reserve", "host2 CreateTargets", "host1 Detach", "host1 Migrate"]
# A cancelled job undoes its own work, so only what the steps before it hold is released.
UNDO = {
    "host2 Reserve": ["host2 Release network"],
    "host2 CreateTargets": ["host2 Release storage", "host2 Release network"],
    "host1 Detach": ["host1 CancelJob", "host2 Release storage", "host2 Release network"],
    "host1 Migrate": ["host1 CancelJob", "host1 Release network", "host2 Release storage",
                      "host2 Release network"],
}


class Interrupted(unittest.TestCase):
    def setUp(self):
        self.world = self.new_world()

    def new_world(self):
        world = World()
        self.addCleanup(world.close)
        return world

    def start_and_hold(self, world, step, *words):
        world.hold = step
        process = world.start("migrate", "web1", "--to", "host2", *words)
        world.wait_until_held()
        return process

    def wait_noticed(self, process):
        """Reads until it says what the interrupt does. A slow machine has it warn of checks first."""
        lines = []
        while not lines or NOTICE not in lines[-1]:
            lines.append(process.stderr.readline())
            self.assertTrue(lines[-1], lines)

    def end_held(self, world):
        for job in world.jobs.values():
            job.ended.set()

    def test_first_interrupt_cancels_the_step_and_undoes_those_before(self):
        for step in STEPS:
            for number in (signal.SIGINT, signal.SIGTERM):
                with self.subTest(step=step, signal=number.name):
                    world = self.new_world()
                    process = self.start_and_hold(world, step)
                    world.interrupt(process, number)
                    if "CancelJob" not in UNDO[step][0]:
                        self.wait_noticed(process)  # then the call may end
                        self.end_held(world)
                    done = world.finish(process)
                    self.assertEqual(done.returncode, 130, done.errors)
                    before = STEPS[: STEPS.index(step) + 1]
                    self.assertEqual(world.calls, before + UNDO[step])
                    self.assertIn("the move was cancelled", done.errors)
                    self.assertIn(f"everything is as it was on {HERE} and host2", done.errors)

    def test_interrupt_while_the_bond_is_set_up(self):
        self.world.bond = None
        process = self.start_and_hold(self.world, "host1 SetUpBond", "--set-up-bond")
        self.world.interrupt(process)
        done = self.world.finish(process)
        self.assertEqual(done.returncode, 130, done.errors)
        self.assertEqual(self.world.calls, ["host1 SetUpBond", "host1 CancelJob"])

    def test_second_interrupt_leaves_at_once_and_tells_that_leases_undo_themselves(self):
        self.world.CancelJob = lambda daemon, parameters: {}  # a job that does not stop
        process = self.start_and_hold(self.world, "host1 Detach")
        self.world.interrupt(process)
        self.world.wait_until(lambda: "host1 CancelJob" in self.world.calls)
        self.world.interrupt(process)
        done = self.world.finish(process)
        self.assertEqual(done.returncode, 130, done.errors)
        self.assertIn("within 60 s", done.errors)
        self.assertFalse([call for call in self.world.calls if "Release" in call])

    def test_interrupt_after_the_guest_left_is_too_late(self):
        process = self.start_and_hold(self.world, "host2 Attach")
        self.world.interrupt(process)
        self.wait_noticed(process)
        self.end_held(self.world)
        done = self.world.finish(process)
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(self.world.calls[-2:], ["host2 Attach", "host1 Release network"])

    def test_killed_in_any_step_does_nothing_more_and_leaves_no_connection(self):
        for step in [*STEPS, "host2 Attach", "host1 Release"]:
            with self.subTest(step):
                world = self.new_world()
                process = self.start_and_hold(world, step)
                calls = list(world.calls)
                process.kill()
                world.finish(process)
                self.end_held(world)
                world.wait_until(lambda world=world: world.open_connections() == 0)
                self.assertEqual(world.calls, calls)

    def test_leases_are_renewed_while_the_guest_migrates(self):
        process = self.start_and_hold(self.world, "host1 Migrate", "--lease", "3")
        wanted = ("reservation", "targets", "detachment")
        self.world.wait_until(
            lambda: all(self.world.renewals.get(lease, 0) >= 2 for lease in wanted))
        self.end_held(self.world)
        self.assertEqual(self.world.finish(process).returncode, 0)

    def test_vanished_reader_does_not_stop_the_move(self):
        process = self.start_and_hold(self.world, "host1 Migrate")
        process.stdout.close()
        process.stdout = None
        self.end_held(self.world)
        self.world.finish(process)
        self.assertEqual(process.returncode, 0, process.errors)
        self.assertEqual(self.world.calls[-1], "host1 Release network")


if __name__ == "__main__":
    tap.main()
