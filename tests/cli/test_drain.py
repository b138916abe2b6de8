# SPDX-License-Identifier: LGPL-2.1-or-later
"""migprep drain and return: plans, options, signals, and what is left on disk."""

import json
import os
import subprocess
import tempfile
import unittest

import tap
from fake_daemon import Refusal
from test_gate import result
from world import DEADLINE, HERE, MIGPREP, World

FAILED, USAGE, BUSY, DEGRADED, CANCELLED = 1, 2, 13, 17, 130


class TwoWayWorld(World):
    """Guests go back, too."""

    def end_Migrate(self, daemon):
        reply = super().end_Migrate(daemon)
        self.guest_on = "host1" if daemon.host == "host2" else "host2"
        return reply

    def IdentifyImages(self, daemon, parameters):
        return {"images": [{"path": path, "found": False} for path in parameters["paths"]]}


class Drain(unittest.TestCase):
    def setUp(self):
        self.world = TwoWayWorld()
        self.addCleanup(self.world.close)
        root = tempfile.TemporaryDirectory(prefix="migprep-root-")
        self.addCleanup(root.cleanup)
        self.root = root.name

    def words(self, verb, *words):
        return [verb, "--root", self.root, "--config", os.path.join(self.root, "conf"), *words]

    def run_verb(self, verb, *words):
        return self.world.run(*self.words(verb, *words))

    def drain(self, *words):
        return self.run_verb("drain", "--to", "host2", *words)

    def configure(self, text):
        with open(os.path.join(self.root, "conf"), "w", encoding="utf-8") as file:
            file.write(text)

    def recorded(self):
        try:
            with open(os.path.join(self.root, "var/lib/migprep/drained.json"), encoding="utf-8") as file:
                return [(guest["name"], guest["host"]) for guest in json.load(file)["guests"]]
        except FileNotFoundError:
            return []

    def in_maintenance(self):
        return os.path.exists(os.path.join(self.root, "run/migprep/maintenance"))

    def end_maintenance(self):
        subprocess.run([MIGPREP, "maintenance", "end", "--root", self.root], check=True,
                       stdout=subprocess.DEVNULL, timeout=DEADLINE)

    @staticmethod
    def lines(done):
        return [json.loads(line) for line in done.output.splitlines()]


class Options(Drain):
    def test_help_names_the_options_and_the_statuses(self):
        for verb in ("drain", "return"):
            done = self.world.run(verb, "--help")
            self.assertEqual(done.returncode, 0)
            for word in ("--dry-run", "--at-once", "Exit status"):
                self.assertIn(word, done.output)

    def test_without_destinations_it_says_where_they_come_from(self):
        done = self.run_verb("drain")
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("[drain]", done.errors)
        self.assertFalse(self.in_maintenance())

    def test_wrong_options_touch_nothing(self):
        for words in (["--to", "-x"], ["--to", HERE], ["--at-once", "65"], ["--bandwidth", "0"],
                      ["--fallback", "explode"], ["word"]):
            done = self.drain(*words)
            self.assertEqual(done.returncode, USAGE, words)
        self.configure("[drain]\nat-once=many\n")
        self.assertEqual(self.drain().returncode, USAGE)
        self.assertEqual(self.world.calls, [])
        self.assertFalse(self.in_maintenance())

    def test_host_that_stays_in_maintenance_is_told_of(self):
        self.world.stop("host1", "storage")
        done = self.drain()
        self.assertEqual(done.returncode, 6)
        self.assertTrue(self.in_maintenance())
        self.assertIn("this host takes no guests until 'migprep maintenance end'\n", done.errors)

    def test_destinations_come_from_the_configuration(self):
        self.configure("[drain]\nto=host2\n")
        done = self.run_verb("drain", "--dry-run", "--json")
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(self.lines(done)[0]["hosts"][0]["name"], "host2")


class Plan(Drain):
    def test_dry_run_shows_the_plan_and_changes_nothing(self):
        done = self.drain("--dry-run")
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertRegex(done.output, r"web1 +medium +host2")
        self.assertIn("1 of 1 guests can leave", done.output)
        self.assertEqual(self.world.calls, [])
        self.assertFalse(self.in_maintenance())

    def test_guest_that_cannot_leave_is_named_with_its_reason(self):
        self.world.checks = {"host2 storage": [result("host.cpu-compatible")]}
        done = self.drain("--dry-run", "--json")
        self.assertEqual(done.returncode, FAILED)
        plan, = self.lines(done)
        self.assertFalse(plan["fits"])
        self.assertIsNone(plan["guests"][0]["host"])
        self.assertIn("host.cpu-compatible", plan["guests"][0]["reason"])

    def test_host_that_is_emptied_itself_is_no_destination(self):
        self.world.maintenance = "being emptied"
        plan, = self.lines(self.drain("--dry-run", "--json"))
        self.assertIn("in maintenance", plan["guests"][0]["reason"])

    def test_manual_guest_needs_to_be_included(self):
        self.world.policy["mode"] = ("manual", "guest")
        self.assertEqual(self.drain("--dry-run").returncode, FAILED)
        self.assertEqual(self.drain("--dry-run", "--include-manual").returncode, 0)


class Moves(Drain):
    def test_drained_host_is_in_maintenance_and_knows_who_left(self):
        done = self.drain("--json")
        self.assertEqual(done.returncode, 0, done.errors)
        end = self.lines(done)[-1]
        self.assertEqual((end["event"], end["result"]), ("result", "drained"))
        self.assertEqual([(g["name"], g["outcome"], g["host"]) for g in end["guests"]],
                         [("web1", "moved", "host2")])
        self.assertTrue(self.in_maintenance())
        self.assertEqual(self.recorded(), [("web1", "host2")])

    def test_watchers_of_the_host_hear_of_it(self):
        self.assertEqual(self.drain().returncode, 0)
        self.assertEqual(self.world.announced, [
            ("host1", "started", "web1"), ("host1", "moved", "web1"), ("host1", "drained", None)])

    def test_deaf_daemon_does_not_stop_it_and_is_asked_once(self):
        self.world.refuse = {"host1 Announce": Refusal("Internal")}
        done = self.drain()
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(done.errors.count("refused on purpose"), 1, done.errors)

    def test_reason_does_not_name_the_guest_again(self):
        self.world.checks = {"host2 storage": [result("host.cpu-compatible")]}
        output = self.drain().output
        self.assertRegex(output, r"web1: left, [0-9.]+ s: cannot leave: ")

    def test_plain_lines_where_there_is_no_terminal(self):
        done = self.drain()
        self.assertIn("web1: moved to host2", done.output)
        self.assertNotIn("\033", done.output)
        self.assertTrue(done.output.splitlines()[-1].startswith("drained: 1 guests"))

    def test_degraded_guest_is_told_by_the_status(self):
        self.world.degraded = True
        done = self.drain("--json")
        self.assertEqual(done.returncode, DEGRADED)
        self.assertEqual(self.lines(done)[-1]["guests"][0]["outcome"], "degraded")

    def test_guest_that_cannot_leave_is_stopped_if_the_caller_says_so(self):
        self.world.checks = {"host2 storage": [result("host.cpu-compatible")]}
        done = self.drain("--fallback", "shutdown", "--json")
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(self.world.stop_parameters["how"], "shutdown")
        self.assertEqual(self.lines(done)[-1]["guests"][0]["outcome"], "shut-down")
        self.assertEqual(self.recorded(), [("web1", None)])

    def test_failing_hook_stops_it_before_anything_moves(self):
        hooks = os.path.join(self.root, "etc/migprep/pre-drain.d")
        os.makedirs(hooks)
        hook = os.path.join(hooks, "10-no")
        with open(hook, "w", encoding="utf-8") as script:
            script.write("#!/bin/sh\nexit 1\n")
        os.chmod(hook, 0o755)
        self.assertNotEqual(self.drain().returncode, 0)
        self.assertEqual(self.world.calls, [])


class Interrupted(Drain):
    def hold(self, *words):
        self.world.hold = "host1 Migrate"
        process = self.world.start(*self.words("drain", "--to", "host2", "--json", *words))
        self.world.wait_until_held()
        return process

    def release(self):
        for job in self.world.jobs.values():
            job.ended.set()

    def test_first_signal_lets_the_running_move_end(self):
        process = self.hold()
        self.world.interrupt(process)
        self.assertIn("no guest begins", process.stderr.readline())
        self.release()
        done = self.world.finish(process)
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(self.lines(done)[-1]["guests"][0]["outcome"], "moved")

    def test_second_signal_undoes_it(self):
        process = self.hold()
        for word in ("no guest begins", "undoing"):
            self.world.interrupt(process)
            self.assertIn(word, process.stderr.readline())
        self.world.guest_on = "host1"
        self.world.end_Migrate = lambda daemon: (_ for _ in ()).throw(Refusal("Cancelled"))
        done = self.world.finish(process)
        self.assertEqual(done.returncode, CANCELLED, done.output)
        self.assertEqual(self.lines(done)[-1]["result"], "cancelled")
        self.assertIn("host1 Release network", self.world.calls)
        self.assertEqual(self.recorded(), [])

    def test_another_command_cancels_it_and_none_drains_beside_it(self):
        process = self.hold()
        self.assertEqual(self.drain().returncode, BUSY)
        self.assertEqual(self.run_verb("drain", "--cancel").returncode, 0)
        self.assertIn("no guest begins", process.stderr.readline())
        self.release()
        self.assertEqual(self.world.finish(process).returncode, 0)
        self.assertEqual(self.run_verb("drain", "--cancel").returncode, FAILED)

    def test_killed_drain_is_resumed_by_another(self):
        process = self.hold()
        process.kill()
        self.release()
        self.world.finish(process)
        # What libvirt had begun may end well: the guest is not to be forgotten there.
        self.assertEqual(self.recorded(), [("web1", "host2")])
        self.world.hold, self.world.guest_on = None, "host1"
        done = self.drain("--json")
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(self.lines(done)[-1]["result"], "drained")


class Return(Drain):
    def test_guests_come_back_once_maintenance_is_over(self):
        self.assertEqual(self.drain().returncode, 0)
        done = self.run_verb("return")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("maintenance end", done.errors)
        self.end_maintenance()
        self.assertEqual(self.run_verb("return").returncode, 0)

    def test_moved_guest_comes_back_and_is_forgotten(self):
        self.assertEqual(self.drain().returncode, 0)
        self.end_maintenance()
        self.assertEqual(self.world.guest_on, "host2")
        plan = self.lines(self.run_verb("return", "--dry-run", "--json"))[0]
        self.assertEqual(plan["guests"][0]["host"], HERE)
        done = self.run_verb("return", "--json")
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(self.lines(done)[-1]["guests"][0]["outcome"], "moved")
        self.assertEqual(self.world.guest_on, "host1")
        self.assertEqual(self.recorded(), [])

    def test_stopped_guest_is_started(self):
        self.world.checks = {"host2 storage": [result("host.cpu-compatible")]}
        self.assertEqual(self.drain("--fallback", "hibernate").returncode, 0)
        self.end_maintenance()
        self.assertEqual(self.run_verb("return").returncode, 0)
        self.assertIn("host1 StartGuest", self.world.calls)
        self.assertEqual(self.world.hook_phases, ["after_hibernation"])
        self.assertEqual(self.recorded(), [])

    def test_guest_that_was_started_meanwhile_is_left_alone(self):
        self.world.checks = {"host2 storage": [result("host.cpu-compatible")]}
        self.assertEqual(self.drain("--fallback", "hibernate").returncode, 0)
        self.end_maintenance()
        self.world.guests = [("web1", "running")]
        self.assertEqual(self.run_verb("return").returncode, 0)
        self.assertNotIn("host1 StartGuest", self.world.calls)
        self.assertEqual(self.recorded(), [])

    def test_guest_that_was_shut_down_boots_and_has_nothing_to_wake_up_from(self):
        self.world.checks = {"host2 storage": [result("host.cpu-compatible")]}
        self.assertEqual(self.drain("--fallback", "shutdown").returncode, 0)
        self.end_maintenance()
        self.assertEqual(self.run_verb("return").returncode, 0)
        self.assertEqual(self.world.hook_phases, [])

    def test_nobody_left(self):
        done = self.run_verb("return")
        self.assertEqual((done.returncode, done.output), (0, "no guest left this host\n"))


if __name__ == "__main__":
    tap.main()
