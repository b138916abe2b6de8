# SPDX-License-Identifier: LGPL-2.1-or-later
"""migprep check: who is asked what, what is made of the answers, and that nothing is changed."""

import json
import os
import pathlib
import pty
import re
import signal
import subprocess
import unittest

import schema
import tap
from fake_daemon import Refusal
from world import HERE, MIGPREP, World

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
READY, WARNINGS, BLOCKED, UNKNOWN, USAGE = 0, 1, 2, 3, 64
VERDICTS = ("ready", "warnings", "blocked", "unknown")


def result(check, outcome="passed", severity="blocker", **more):
    return {"check": check, "title": "a title", "object": "thing", "severity": severity,
            "outcome": outcome, "evidence": f"is {outcome}", "remedy": "mend it",
            "source": "a book", **more}


class Check(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def check(self, *words):
        return self.world.run("check", *words)

    def document(self, *words):
        documents, status = self.documents(*words)
        self.assertEqual(len(documents), 1)
        self.assertEqual(VERDICTS.index(documents[0]["verdict"]), status)
        return documents[0]

    def documents(self, *words):
        """One for each guest, all as the schema says, and the exit status."""
        done = self.check(*words, "--json")
        wanted = json.loads((DOCS / "schemas/check.schema.json").read_text(encoding="utf-8"))
        documents = [json.loads(line) for line in done.output.splitlines()]
        for document in documents:
            self.assertEqual(list(schema.mistakes(document, wanted)), [])
        return documents, done.returncode

    def answer(self, place, *results):
        self.world.checks[place] = list(results)


class Verdict(Check):
    def test_ready(self):
        done = self.check("web1", "--to", "host2")
        self.assertEqual((done.returncode, done.errors), (READY, ""))
        self.assertIn("web1 to host2: ready\n", done.output)
        self.assertNotIn("What helps", done.output)

    def test_worst_result_decides(self):
        for outcome, severity, status in (
            ("failed", "information", READY), ("failed", "warning", WARNINGS),
            ("unknown", "warning", WARNINGS), ("failed", "blocker", BLOCKED),
            ("unknown", "blocker", UNKNOWN), ("unknown", "information", READY),
        ):
            with self.subTest(outcome=outcome, severity=severity):
                self.answer("host2 network", result("a.b", outcome, severity))
                self.assertEqual(self.check("web1", "--to", "host2").returncode, status)

    def test_known_to_be_blocked_counts_more_than_unknown(self):
        self.answer("host1 storage", result("a.b", "failed"))
        self.answer("host2 network", result("c.d", "unknown"))
        self.assertEqual(self.document("web1", "--to", "host2")["verdict"], "blocked")

    def test_what_is_wrong_is_shown_with_what_helps(self):
        self.answer("host2 storage", result("a.b", "failed", evidence="is broken"))
        done = self.check("web1", "--to", "host2")
        row = next(line for line in done.output.splitlines() if "is broken" in line)
        for word in ("blocks", "host2", "a.b", "thing"):
            self.assertIn(word, row)
        self.assertIn("What helps:\n  a.b, on host2: mend it\n", done.output)
        self.assertIn("web1 to host2: blocked\n", done.output)

    def test_what_is_found_from_several_sides_is_shown_once(self):
        for place in ("host2 storage", "host2 network"):
            self.answer(place, result("a.b", "failed", evidence="is broken"))
        output = self.check("web1", "--to", "host2").output
        self.assertEqual((output.count("is broken"), output.count("mend it")), (1, 1), output)
        results = self.document("web1", "--to", "host2")["results"]
        self.assertEqual([found["evidence"] for found in results].count("is broken"), 2)

    def test_quiet_says_only_what_is_wrong(self):
        self.assertEqual(self.check("web1", "--to", "host2", "--quiet").output, "")
        self.answer("host2 storage", result("a.b", "failed"), result("c.d"))
        done = self.check("web1", "--to", "host2", "--quiet")
        self.assertIn("a.b", done.output)
        self.assertNotIn("c.d", done.output)
        self.assertEqual(done.returncode, BLOCKED)

    def test_each_destination_has_its_verdict_and_the_worst_is_the_status(self):
        self.answer("host2 network", result("a.b", "failed", "warning"))
        document = self.document("web1", "--to", "host2", "--to", "host9")
        self.assertEqual(document["destinations"],
                         [{"destination": "host2", "verdict": "warnings"},
                          {"destination": "host9", "verdict": "unknown"}])
        self.assertEqual(document["verdict"], "unknown")


class Asking(Check):
    def test_each_daemon_gets_what_its_peer_told(self):
        self.check("web1", "--to", "host2")
        for service in ("network", "storage"):
            self.assertEqual(self.world.check_parameters[f"host1 {service}"],
                             {"role": "source", "guest": "web1"})
            self.assertEqual(self.world.check_parameters[f"host2 {service}"],
                             {"role": "destination", "facts": {"told": f"host1 {service}"}})

    def test_destination_is_asked_where_it_is_while_the_source_still_looks(self):
        self.world.hold = "host1 Check"
        process = self.world.start("check", "web1", "--to", "host2")
        # Both daemons of it, the login and the way, for which the destination has told where it is.
        self.world.wait_until(lambda: len(self.world.jobs) == 4)
        self.assertNotIn("host2 storage", self.world.check_parameters)
        self.world.hold = None
        for job in self.world.jobs.values():
            job.ended.set()
        self.assertEqual(self.world.finish(process).returncode, READY)

    def test_nothing_else_is_asked(self):
        self.check("web1", "--to", "host2")
        self.assertEqual(sorted(set(self.world.checked)), ["host1 Check", "host2 Check"])
        self.assertEqual(self.world.calls, [])

    def test_document_tells_hosts_roles_and_when_it_is_stale(self):
        document = self.document("web1", "--to", "host2")
        self.assertEqual({(entry["host"], entry["role"]) for entry in document["results"]},
                         {(HERE, "source"), ("host2", "destination")})
        self.assertEqual(document["guest"], "web1")
        self.assertEqual(document["invalidatedBy"], ["a change"])

    def test_missing_daemon_is_unknown_not_passed(self):
        self.world.stop("host2", "network")
        document = self.document("web1", "--to", "host2")
        self.assertEqual(document["verdict"], "unknown")
        wrong = [entry for entry in document["results"] if entry["outcome"] != "passed"]
        self.assertEqual([(entry["check"], entry["object"], entry["outcome"]) for entry in wrong],
                         [("host.daemons-answer", "netprepd", "unknown")])

    def test_unreachable_host_is_unknown(self):
        done = self.check("web1", "--to", "host9")
        self.assertEqual(done.returncode, UNKNOWN)
        self.assertIn("No route to host", done.output)

    def test_source_without_answer_leaves_destinations_to_say_so(self):
        self.world.refuse["host1 storage Check"] = Refusal("Internal")
        self.check("web1", "--to", "host2")
        self.assertEqual(self.world.check_parameters["host2 storage"],
                         {"role": "destination", "facts": {}})

    def test_host_alone(self):
        self.answer("host2 network", result("a.b", "failed", "warning"))
        document = self.document("--host", "host2")
        self.assertEqual((document["guest"], document["verdict"]), (None, "warnings"))
        self.assertEqual(self.world.check_parameters["host2 network"], {"role": "host"})
        self.assertEqual(self.check("--host").returncode, READY)


class Passage(Check):
    def test_source_is_asked_for_the_way_to_each_destination_by_what_that_told(self):
        self.check("web1", "--to", "host2")
        self.assertEqual(self.world.check_parameters["host1 passage"],
                         {"role": "passage", "destination": "host2",
                          "facts": {"told": "host2 address"}})

    def test_each_way_is_tried_once_for_all_guests(self):
        self.world.guests = [(f"web{n}", "running") for n in range(20)]
        self.answer("host1 passage", result("host.migration-ports-reachable", "failed"))
        done = self.check("--all", "--to", "host2", "--json")
        self.assertEqual([json.loads(line)["verdict"] for line in done.output.splitlines()],
                         ["blocked"] * 20)
        self.assertEqual(self.world.passages, {"host1 login": 1, "host1 passage": 1})

    def test_login_that_is_refused_blocks_that_destination(self):
        self.answer("host1 login", result("host.ssh-login", "failed"))
        document = self.document("web1", "--to", "host2")
        self.assertEqual(self.world.check_parameters["host1 login"],
                         {"role": "passage", "destination": "host2", "facts": {}, "login": True})
        self.assertEqual(document["destinations"],
                         [{"destination": "host2", "verdict": "blocked"}])

    def test_blocked_way_blocks_that_destination_only(self):
        self.answer("host1 passage", result("host.migration-ports-reachable", "failed"))
        document = self.document("web1", "--to", "host2")
        self.assertEqual(document["destinations"],
                         [{"destination": "host2", "verdict": "blocked"}])
        found = document["results"][-1]
        self.assertEqual((found["host"], found["role"]), (HERE, "passage"))

    def test_memory_is_watched_on_request_and_compared_with_the_bandwidth(self):
        self.check("web1", "--to", "host2", "--measure", "2", "--bandwidth", "100")
        asked = self.world.check_parameters["host1 passage"]
        self.assertEqual((asked["guest"], asked["measureSeconds"], asked["bandwidthMebibytes"]),
                         ("web1", 2, 100))

    def test_bandwidth_is_measured_where_none_is_given(self):
        self.check("web1", "--to", "host2", "--measure", "1")
        self.assertGreater(self.world.check_parameters["host1 passage"]["bandwidthMebibytes"], 0)


class SeveralGuests(Check):
    def test_all_running_guests_are_checked_and_the_worst_is_the_status(self):
        self.world.guests = [(f"web{n}", "running") for n in range(20)] + [("off", "shutoff")]
        self.answer("host2 network", result("a.b", "failed", "warning"))
        done = self.check("--all", "--to", "host2", "--json")
        lines = [json.loads(line) for line in done.output.splitlines()]
        self.assertEqual([line["guest"] for line in lines], [f"web{n}" for n in range(20)])
        self.assertEqual({line["verdict"] for line in lines}, {"warnings"})
        self.assertEqual(done.returncode, WARNINGS)

    def test_host_that_does_not_answer_is_told_for_each_guest(self):
        self.world.guests = [(f"web{n}", "running") for n in range(40)]
        self.world.stop("host2", "storage")
        done = self.check("--all", "--to", "host2", "--json")
        lines = [json.loads(line) for line in done.output.splitlines()]
        self.assertEqual([line["verdict"] for line in lines], ["unknown"] * 40)

    def test_several_guests_and_hosts_are_as_the_schema_says(self):
        self.world.guests = [(f"web{n}", "running") for n in range(3)]
        self.answer("host2 network", result("a.b", "failed", "warning"))
        self.answer("host1 storage", result("c.d", "unknown", "information"))
        self.answer("host1 passage", result("e.f"))
        documents, status = self.documents("--all", "--to", "host2", "--to", "host9")
        self.assertEqual([document["guest"] for document in documents], ["web0", "web1", "web2"])
        for document in documents:
            self.assertEqual([(entry["destination"], entry["verdict"])
                              for entry in document["destinations"]],
                             [("host2", "warnings"), ("host9", "unknown")])
            self.assertEqual({(entry["host"], entry["role"]) for entry in document["results"]},
                             {(HERE, "source"), (HERE, "passage"), ("host2", "destination"),
                              ("host9", "destination")})
        self.assertEqual(status, UNKNOWN)

    def test_no_guest_is_ready(self):
        self.world.guests = []
        done = self.check("--all", "--to", "host2")
        self.assertEqual((done.returncode, done.output), (READY, "no guest runs here\n"))

    def test_guests_that_cannot_be_listed_are_unknown(self):
        self.world.refuse["host1 storage ListGuests"] = Refusal("Internal")
        self.assertEqual(self.check("--all", "--to", "host2").returncode, UNKNOWN)


class Interrupted(Check):
    """A check leaves nothing to undo, so Ctrl-C ends it, whatever it waits for."""

    def end(self, *words):
        process = self.world.start("check", *words)
        self.world.wait_until_held()
        self.world.interrupt(process)
        done = self.world.finish(process)
        self.assertEqual((done.returncode, done.output), (130, ""), done.errors)
        for job in self.world.jobs.values():
            job.ended.set()

    def test_while_any_host_is_asked(self):
        for step in ("host1 Check", "host2 Check"):
            with self.subTest(step):
                self.world.hold, self.world.held = step, False
                self.end("web1", "--to", "host2", "--json")

    def test_while_many_guests_are_checked(self):
        self.world.guests = [(f"web{n}", "running") for n in range(40)]
        self.world.hold = "host2 Check"
        self.end("--all", "--to", "host2")

    def test_while_a_host_alone_is_asked(self):
        self.world.hold = "host2 Check"
        self.end("--host", "host2")


class SharedConnection(Check):
    def test_all_calls_to_a_host_share_one_ssh_which_is_closed_at_the_end(self):
        self.check("web1", "--to", "host2")
        self.assertEqual(self.world.shared_connections(), ["open", "close"])

    def test_it_leads_to_the_daemons_without_a_program_there(self):
        self.check("web1", "--to", "host2")
        self.assertEqual(set(self.world.forwarded()), {"network", "storage"})
        self.assertEqual(self.world.sessions(), 0)

    def test_programs_reach_the_daemons_where_sshd_forwards_nothing(self):
        self.world.forbid_forwarding()
        done = self.check("web1", "--to", "host2")
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(self.world.forwarded(), [])
        self.assertGreater(self.world.sessions(), 0)

    def test_paths_that_ssh_would_misread_are_not_forwarded(self):
        odd = os.path.join(self.world.directory, "a%h:b")
        os.mkdir(odd)
        os.environ["TMPDIR"] = odd
        self.addCleanup(os.environ.pop, "TMPDIR")
        done = self.check("web1", "--to", "host2")
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(self.world.forwarded(), [])
        self.assertGreater(self.world.sessions(), 0)

    def test_no_more_sessions_share_an_ssh_than_sshd_allows(self):
        self.world.forbid_forwarding()
        self.world.guests = [(f"web{n}", "running") for n in range(40)]
        self.check("--all", "--to", "host2")
        opened = self.world.shared_connections().count("open")
        self.assertLessEqual(self.world.sessions() / opened, 8)
        self.assertEqual(self.world.shared_connections().count("close"), opened)

    def test_what_a_killed_command_left_goes_with_the_next(self):
        os.environ["TMPDIR"] = self.world.directory
        self.addCleanup(os.environ.pop, "TMPDIR")
        self.world.hold = "host2 Check"
        process = self.world.start("check", "web1", "--to", "host2")
        self.world.wait_until_held()
        self.world.interrupt(process, signal.SIGKILL)
        self.world.finish(process)
        self.assertEqual(len(self.left()), 1)
        self.world.hold = None
        self.check("web1", "--to", "host2")
        self.assertEqual(self.left(), [])

    def left(self):
        return list(pathlib.Path(self.world.directory).glob("migprep-run-*"))

    def test_host_that_cannot_be_reached_is_not_tried_for_each_guest(self):
        self.world.guests = [(f"web{n}", "running") for n in range(20)]
        done = self.check("--all", "--to", "host9", "--json")
        self.assertEqual(done.returncode, UNKNOWN)
        self.assertLess(self.world.refused_connections(), 20)


class Fix(Check):
    BRIDGE = {"remedy": "ip link set br0 up"}

    def test_harmless_remedies_are_shown_and_not_run(self):
        self.answer("host2 network",
                    {**result("network.bridges-there", "failed"), **self.BRIDGE})
        done = self.check("web1", "--to", "host2", "--fix")
        self.assertEqual(done.errors, "migprep: may be applied on host2: ip link set br0 up\n")
        self.assertEqual((done.returncode, self.world.commands()), (BLOCKED, []))

    def test_they_are_run_when_told_to_and_all_is_checked_again(self):
        self.answer("host2 network",
                    {**result("network.bridges-there", "failed"), **self.BRIDGE})
        self.check("web1", "--to", "host2", "--fix", "--yes")
        self.assertEqual(self.world.commands(), ["ip link set br0 up"])
        self.assertEqual(self.world.checked.count("host2 Check"), 6)

    @staticmethod
    def catalogue():
        """Each check's remedy, and the command that may be applied, if there is one."""
        text = (DOCS / "checks.md").read_text(encoding="utf-8")
        for section in text.split("\n## ")[1:]:
            fix = re.search(r"applied by --fix --yes: `(.*)`", section)
            remedy = re.search(r"^\* remedy: `(.*)`$", section, re.MULTILINE)
            yield section.split("\n")[0], remedy.group(1), fix and fix.group(1)

    def test_of_the_whole_catalogue_only_what_is_marked_is_run(self):
        for check, remedy, fix in self.catalogue():
            with self.subTest(check):
                words = re.sub(r"\b[A-Z]{2,}\b", "name1", fix or remedy)
                self.answer("host2 network", {**result(check, "failed"), "remedy": words})
                before = len(self.world.commands())
                self.check("web1", "--to", "host2", "--fix", "--yes")
                self.assertEqual(self.world.commands()[before:], [words] if fix else [])

    def test_nothing_is_run_for_what_passed_or_could_not_be_checked_without_a_remedy(self):
        for more in ({"outcome": "passed"}, {"outcome": "unknown", "remedy": ""}):
            self.answer("host2 network",
                        {**result("network.bridges-there", "failed"), **self.BRIDGE, **more})
            self.check("web1", "--to", "host2", "--fix", "--yes")
        self.assertEqual(self.world.commands(), [])

    def test_nothing_else_is_ever_run(self):
        for check, remedy in (("network.bridges-there", "ip link set br0;reboot up"),
                              ("network.bridges-there", "ip link set -x up"),
                              ("network.bridges-there", "ip link add br0 type bridge"),
                              ("network.networks-there", "virsh net-start $(id)"),
                              ("guest.no-snapshot", "virsh snapshot-delete web1"),
                              ("future.check", "ip link set br0 up")):
            with self.subTest(remedy):
                self.answer("host2 network", {**result(check, "failed"), "remedy": remedy})
                done = self.check("web1", "--to", "host2", "--fix", "--yes")
                self.assertEqual((done.errors, self.world.commands()), ("", []))


class Form(Check):
    def shown(self, **environment):
        controller, terminal = pty.openpty()
        words = self.world.arguments("check", "web1", "--to", "host2")
        with subprocess.Popen(words, stdout=terminal, stderr=terminal, stdin=subprocess.DEVNULL,
                              env={**os.environ, "LC_ALL": "C.UTF-8", **environment}) as process:
            os.close(terminal)
            shown = b""
            try:
                while chunk := os.read(controller, 4096):
                    shown += chunk
            except OSError:  # how a terminal tells that nobody has it open any more
                pass
            os.close(controller)
        return shown.decode()

    def test_colours_only_on_a_terminal_and_not_against_the_users_will(self):
        self.answer("host2 network", result("a.b", "failed"))
        self.assertIn("\033[31mblocks\033[0m", self.shown())
        self.assertNotIn("\033", self.shown(NO_COLOR="1"))
        self.assertNotIn("\033", self.check("web1", "--to", "host2").output)

    def test_catalogue_is_the_file_in_the_tree(self):
        done = self.check("--catalogue")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.output, (DOCS / "checks.md").read_text(encoding="utf-8"))

    def test_catalogue_for_programs_has_the_same_checks(self):
        document = json.loads(self.check("--catalogue", "--json").output)
        page = (DOCS / "checks.md").read_text(encoding="utf-8")
        self.assertEqual([check["check"] for check in document["checks"]],
                         re.findall(r"^\| \[([a-z.0-9-]+)\]", page, re.M))

    def test_help_has_statuses_of_its_own(self):
        done = subprocess.run([MIGPREP, "check", "--help"], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0)
        for text in ("Exit status:", "0 ready", "2 blocked", "3 could not be checked", "64 wrong"):
            self.assertIn(text, done.stdout)

    def test_wrong_usage(self):
        for words, said in (((), "missing"), (("web1",), "--to"), (("web1", "--to", HERE), "itself"),
                            (("web1", "--to", "a b"), "not a host name"),
                            (("web1", "web2", "--to", "host2"), "too many"),
                            (("--host", "-x"), "x"), (("--all",), "--to"),
                            (("--all", "--host"), "one too many"),
                            (("web1", "--to", "host2", "--measure", "4"), "--measure"),
                            (("--all", "web1", "--to", "host2"), "one too many"), (("--frobnicate",), "frobnicate")):
            with self.subTest(words):
                done = self.check(*words)
                self.assertEqual((done.returncode, done.output), (USAGE, ""))
                self.assertIn(said, done.errors)
        self.assertEqual(self.world.calls, [])


if __name__ == "__main__":
    tap.main()
