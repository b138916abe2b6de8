# SPDX-License-Identifier: LGPL-2.1-or-later
"""migprep's help, status, cancel and setup-bond."""

import json
import shutil
import signal
import subprocess
import tempfile
import unittest

import tap
from fake_daemon import Events, Job, Refusal
from world import GUEST, HERE, MIGPREP, UUID, World

VERBS = ["check", "cpu-baseline", "migrate", "status", "release", "cancel", "setup-bond", "proxy",
         "policy", "maintenance", "drain", "return", "doctor", "complete"]


def plain(*words):
    return subprocess.run([MIGPREP, *words], capture_output=True, text=True, check=False)


class Help(unittest.TestCase):
    def test_global_help_lists_verbs_examples_and_statuses(self):
        done = plain("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in [*VERBS, "Examples:", "Exit status:", "130 cancelled"]:
            self.assertIn(word, done.stdout)

    def test_each_verb_has_help_with_an_example_and_statuses(self):
        for verb in VERBS:
            done = plain(verb, "--help")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(f"migprep {verb}", done.stdout)
            self.assertIn("Example", done.stdout)
            self.assertIn("Exit status:", done.stdout)

    def test_no_verb_is_wrong_usage(self):
        done = plain()
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("Verbs:", done.stderr)

    def test_misspelt_verb_gets_a_suggestion(self):
        for word, verb in (("migrat", "migrate"), ("satus", "status"), ("setupbond", "setup-bond")):
            done = plain(word)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stderr,
                             f"migprep: '{word}': no such verb; did you mean '{verb}'?\n")

    def test_strange_verb_gets_none(self):
        for word in ("", "x" * 4000, "frobnicate", "help"):
            done = plain(word)
            self.assertEqual(done.returncode, 2)
            self.assertIn("see 'migprep --help'", done.stderr)

    def test_version(self):
        self.assertRegex(plain("--version").stdout, r"^migprep \d+\.\d+\.\d+\n$")


class WithWorld(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)


class CpuBaseline(WithWorld):
    def test_asks_each_host_for_its_own_and_this_one_for_what_they_share(self):
        done = self.world.run("cpu-baseline", "host2")
        self.assertEqual((done.returncode, done.errors), (0, ""))
        own = ["<cpu>host1</cpu>", "<cpu>host2</cpu>"]
        self.assertEqual(sorted(self.world.baselines),
                         [("host1", []), ("host1", own), ("host2", [])])
        self.assertEqual(done.output, "<cpu>" + "".join(own) + "host1</cpu>\n")

    def test_tells_it_in_json(self):
        done = self.world.run("cpu-baseline", "host2", "--json")
        self.assertTrue(json.loads(done.output)["processor"].startswith("<cpu>"))

    def test_host_that_does_not_answer_is_named(self):
        done = self.world.run("cpu-baseline", "host2", "host9")
        self.assertEqual(done.returncode, 5)
        self.assertIn("host9", done.errors)


class Status(WithWorld):
    LEASE = {"lease": "L7", "generation": 3, "kind": "reservation", "owner": "migprep on host1",
             "token": "t", "guest": GUEST, "state": "degraded", "reason": "guest was silent",
             "remainingSeconds": 41, "functions": ["0000:01:10.4"]}

    def test_shows_functions_leases_jobs_and_degraded_guests(self):
        self.world.leases["network"] = [self.LEASE]
        self.world.running_jobs = [("storage", {"job": "J1", "kind": "Migrate", "subject": UUID,
                                                "state": "running", "startedSecondsAgo": 4})]
        done = self.world.run("status")
        self.assertEqual((done.returncode, done.errors), (0, ""))
        for words in (["0000:01:10.4", "free", "pf0", "blue", "igbvf", "-"],
                      ["L7", "reservation", "web1", "degraded", "41"], ["J1", "Migrate", "running", "4"],
                      ["web1", "guest was silent"]):
            self.assertTrue(any(all(word in line for word in words)
                                for line in done.output.splitlines()), (words, done.output))

    def test_says_none_where_there_is_none(self):
        self.assertIn("Leases: none\nJobs: none\nDegraded guests: none\n",
                      self.world.run("status").output)

    def test_asks_another_host_in_json(self):
        self.world.leases["network"] = [self.LEASE]
        done = self.world.run("status", "--host", "host2", "--json")
        status = json.loads(done.output)
        self.assertEqual((done.returncode, status["host"], status["error"]), (0, "host2", None))
        self.assertEqual(status["leases"][0]["daemon"], "netprepd")
        self.assertEqual(status["degradedGuests"],
                         [{"guest": GUEST, "lease": "L7", "reason": "guest was silent"}])

    def test_shows_what_one_daemon_says_when_the_other_is_missing(self):
        self.world.stop("host1", "storage")
        done = self.world.run("status")
        self.assertEqual(done.returncode, 6)
        self.assertIn("0000:01:10.4", done.output)
        self.assertIn(self.world.socket("host1", "storage"), done.errors)

    def test_refuses_an_odd_host(self):
        self.assertEqual(self.world.run("status", "--host=-x").returncode, 2)


class Watch(WithWorld):
    FIRST = [{"kind": "watching", "lease": None, "guest": None, "detail": "",
              "atUnixMilliseconds": 1700000000000},
             {"kind": "degraded", "lease": "L7", "guest": GUEST, "detail": "guest was silent",
              "atUnixMilliseconds": 1700000000000}]

    def start(self, *words, late=()):
        self.world.jobs["events"] = Events("events", self.FIRST, late)
        process = self.world.start("status", "--watch", *words)
        self.world.wait_until_held()
        return process

    def test_tells_each_event_at_once_and_ends_with_an_interrupt(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number.name):
                self.world.held = False
                process = self.start()
                self.assertRegex(process.stdout.readline(), r"^\d\d:\d\d:\d\d  watching ")
                self.assertRegex(process.stdout.readline(),
                                 r"  degraded   web1: guest was silent  \(lease L7\)\n$")
                self.world.interrupt(process, number)
                done = self.world.finish(process)
                self.assertEqual((done.returncode, done.errors), (130, ""))

    def test_tells_another_hosts_in_json(self):
        process = self.start("--host", "host2", "--json")
        events = [json.loads(process.stdout.readline()) for _ in self.FIRST]
        self.assertEqual(events, [{**event, "host": "host2"} for event in self.FIRST])
        self.world.interrupt(process)
        self.assertEqual(self.world.finish(process).returncode, 130)

    def test_daemon_that_goes_is_an_error(self):
        process = self.start()
        self.world.jobs["events"].ended.set()
        done = self.world.finish(process)
        self.assertEqual(done.returncode, 6, done.errors)

    def test_ends_when_nobody_reads(self):
        process = self.start(late=self.FIRST * 50)
        process.stdout.close()
        process.stdout = None
        self.world.jobs["events"].ended.set()
        done = self.world.finish(process)
        self.assertEqual((done.returncode, done.errors), (0, ""))


class Release(WithWorld):
    TARGETS = {"lease": "L8", "generation": 5, "kind": "targets", "owner": "migprep on host1",
               "token": "t", "guest": GUEST, "state": "held", "reason": "",
               "remainingSeconds": 41, "paths": ["/images/web1.qcow2"]}

    def setUp(self):
        super().setUp()
        self.world.leases = {"network": [Status.LEASE], "storage": [self.TARGETS]}

    def test_says_what_was_let_go(self):
        self.world.guest_on = "host2"
        done = self.world.run("release", "L7")
        self.assertEqual((done.returncode, done.errors), (0, ""))
        self.assertEqual(done.output, "reservation L7 of guest 'web1' has ended\n"
                                      "  let go: 0000:01:10.4\n")
        self.assertEqual(self.world.calls, ["host1 Release network"])

    def test_says_what_the_guest_has_back(self):
        done = self.world.run("release", "L7")
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertIn("  stays with the guest: 0000:01:10.4\n", done.output)

    def test_storage_lease_of_another_host_in_json(self):
        done = self.world.run("release", "L8", "--host", "host2", "--json")
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(json.loads(done.output),
                         {"lease": "L8", "kind": "targets", "guest": GUEST, "kept": [],
                          "freed": ["/images/web1.qcow2"]})
        self.assertEqual(self.world.calls, ["host2 Release storage"])

    def test_force_is_audited_and_says_what_stays(self):
        done = self.world.run("release", "L7", "--force", "--reason", "host2 is gone")
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(done.output, "reservation L7 of guest 'web1' has ended\n"
                                      "  let go: 0000:01:10.4\n"
                                      "  stays with the guest: 0000:01:10.6\n")
        self.assertEqual(self.world.force_parameters,
                         {"lease": "L7", "generation": 3, "reason": "host2 is gone"})

    def test_force_has_a_reason_of_its_own(self):
        self.assertEqual(self.world.run("release", "L7", "--force").returncode, 0)
        self.assertEqual(self.world.force_parameters["reason"], "migprep release --force")

    def test_all_of_a_daemon_end_but_what_is_refused(self):
        """The packages do this before they are removed; the other daemon's are not touched."""
        other = {**Status.LEASE, "lease": "L6"}
        self.world.leases["network"] = [Status.LEASE, other]
        self.world.guest_on = "host2"
        done = self.world.run("release", "--all", "network", "--json")
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual([json.loads(line)["lease"] for line in done.output.splitlines()], ["L7", "L6"])
        self.assertEqual(self.world.calls, ["host1 Release network"] * 2)
        self.world.refuse["host1 Release network"] = Refusal("GuestBusy")
        self.assertEqual(self.world.run("release", "--all", "network").returncode, 13)
        self.world.leases["network"] = []
        self.assertEqual(self.world.run("release", "--all", "network").returncode, 0)
        self.world.stop("host1", "network")
        self.assertEqual(self.world.run("release", "--all", "network").returncode, 6)

    def test_wrong_usage(self):
        for words in (["L8", "--force"], ["L7", "--reason", "x"], [], ["L7", "L8"], ["--all", "both"],
                      ["--all", "network", "L7"], ["--all", "network", "--force"]):
            with self.subTest(words):
                self.assertEqual(self.world.run("release", *words).returncode, 2)
        self.assertEqual(self.world.calls, [])

    def test_refusal_and_unknown_leases_have_their_statuses(self):
        self.world.refuse["host1 Release network"] = Refusal("GuestBusy")
        self.assertEqual(self.world.run("release", "L7").returncode, 13)
        done = self.world.run("release", "L9")
        self.assertEqual(done.returncode, 1)
        self.assertIn("lease L9: no such lease", done.errors)

    def test_daemon_that_may_have_it_is_named(self):
        self.world.stop("host1", "storage")
        self.assertEqual(self.world.run("release", "L9").returncode, 6)
        self.assertEqual(self.world.run("release", "L7").returncode, 0)

    def test_interrupt_cancels_the_job(self):
        self.world.hold = "host1 ForceRelease"
        process = self.world.start("release", "L7", "--force")
        self.world.wait_until_held()
        self.world.interrupt(process)
        self.assertEqual(self.world.finish(process).returncode, 130)
        self.assertEqual(self.world.calls, ["host1 ForceRelease", "host1 CancelJob"])


class Cancel(WithWorld):
    def add_job(self, kind, held=True):
        job = Job("J1", held)
        job.method = kind
        self.world.jobs["J1"] = job
        service = "storage" if kind == "Migrate" else "network"
        self.world.running_jobs = [(service, {"job": "J1", "kind": kind, "subject": UUID,
                                              "state": "running", "startedSecondsAgo": 4})]

    def test_cancels_the_guests_job_and_tells_what_is_back(self):
        for kind in ("Migrate", "Detach"):
            with self.subTest(kind):
                self.world.calls.clear()
                self.add_job(kind)
                done = self.world.run("cancel", "web1", remote=False)
                self.assertEqual(done.returncode, 0, done.errors)
                self.assertEqual(done.output,
                                 f"{kind} job J1: cancelled: was cancelled, all is back\n")
                self.assertIn("host1 CancelJob", self.world.calls)

    def test_cancels_by_job_in_json(self):
        self.add_job("Attach")
        done = self.world.run("cancel", "J1", "--json", remote=False)
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(json.loads(done.output)["outcome"], "cancelled")

    def test_job_that_is_not_moving_the_guest_is_left_alone(self):
        self.add_job("SetUpBond")
        done = self.world.run("cancel", "web1", remote=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not being moved from this host", done.errors)
        self.assertNotIn("host1 CancelJob", self.world.calls)

    def test_too_late_is_told_as_such(self):
        self.add_job("Detach", held=False)
        self.world.CancelJob = lambda daemon, parameters: {}
        self.world.detachment = {}
        done = self.world.run("cancel", "web1", remote=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("too late to cancel", done.errors)

    def test_unknown_word(self):
        done = self.world.run("cancel", "web7", remote=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("migprep: 'web7': neither a guest nor a running job", done.errors)


class SetUpBond(WithWorld):
    def test_tells_it_in_json(self):
        done = self.world.run("setup-bond", "web1", "--json", remote=False)
        self.assertEqual(json.loads(done.output)["bond"]["name"], "bond0")

    def test_tells_the_bond(self):
        done = self.world.run("setup-bond", "web1", remote=False)
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(done.output, "guest 'web1' has bond0 (active-backup), active port eth0, "
                                      "primary eth0\n")

    def test_failing(self):
        self.world.refuse["host1 SetUpBond"] = Refusal("AgentUnavailable")
        self.assertEqual(self.world.run("setup-bond", "web1", remote=False).returncode, 10)

    def test_interrupt_cancels_it(self):
        self.world.hold = "host1 SetUpBond"
        process = self.world.start("setup-bond", "web1", remote=False)
        self.world.wait_until_held()
        self.world.interrupt(process)
        self.assertEqual(self.world.finish(process).returncode, 130)
        self.assertEqual(self.world.calls, ["host1 SetUpBond", "host1 CancelJob"])


class Permission(WithWorld):
    def test_refused_caller(self):
        self.world.refuse["host1 storage Describe"] = Refusal("PermissionDenied")
        done = self.world.migrate()
        self.assertEqual(done.returncode, 16, done.errors)


class Maintenance(unittest.TestCase):
    def setUp(self):
        self.root = tempfile.mkdtemp(prefix="maintenance-")
        self.addCleanup(shutil.rmtree, self.root)

    def maintenance(self, *words):
        return plain("maintenance", *words, "--root", self.root)

    def status(self):
        return json.loads(self.maintenance("status", "--json").stdout)

    def test_begins_with_a_reason_and_ends(self):
        self.assertEqual(self.status(), {"maintenance": False})
        done = self.maintenance("begin", "--reason", "new memory")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"in maintenance since .*: new memory; .* ends it\n")
        found = self.status()
        self.assertEqual((found["reason"], found["persistent"]), ("new memory", False))
        self.assertRegex(self.maintenance("end").stdout, "takes guests\n")
        self.assertEqual(self.status(), {"maintenance": False})

    def test_lasts_if_told_to(self):
        self.maintenance("begin", "--persistent")
        self.assertTrue(self.status()["persistent"])
        self.assertEqual(self.maintenance("end").returncode, 0)
        self.assertEqual(self.status(), {"maintenance": False})

    def test_wrong_usage(self):
        for words in ([], ["start"], ["begin", "end"], ["end", "--reason", "x"],
                      ["status", "--persistent"]):
            done = self.maintenance(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), words)


class Policy(WithWorld):
    def test_each_value_is_shown_with_who_says_so(self):
        done = self.world.run("policy", "web1")
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertRegex(done.output, r"max-downtime +300 +guest +what it is\n")
        self.assertIn("cluster: north", done.output)

    def test_guest_s_own_value_is_set_and_taken_out(self):
        done = self.world.run("policy", "web1", "max-downtime=500")
        self.assertRegex(done.output, r"max-downtime +500 +guest")
        done = self.world.run("policy", "web1", "max-downtime=", "--json")
        self.assertEqual(json.loads(done.output)["values"][0]["level"], "default")
        self.assertEqual(self.world.run("policy", "web1", "max-downtime").returncode, 2)

    def test_policy_of_a_guest_elsewhere(self):
        done = self.world.run("policy", "web1", "--host", "host2")
        self.assertEqual(done.returncode, 0, done.errors)


if __name__ == "__main__":
    tap.main()
