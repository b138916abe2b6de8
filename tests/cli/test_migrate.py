# SPDX-License-Identifier: LGPL-2.1-or-later
"""migprep migrate: what it prints, and one clear message and status for each error."""

import json
import os
import pty
import subprocess
import unittest

import tap
from fake_daemon import Refusal
from world import HERE, UUID, World

ALL_STEPS = ["host2 Reserve", "host2 CreateTargets", "host1 Detach", "host1 Migrate",
             "host2 Attach", "host1 Release network"]
UNDO = ["host1 Release network", "host2 Release storage", "host2 Release network"]


class Migrate(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def events(self, done):
        return [json.loads(line) for line in done.output.splitlines()]

    def assert_refused(self, done, status, *words):
        self.assertEqual(done.returncode, status, done.errors)
        first = done.errors.splitlines()[0]
        self.assertTrue(first.startswith("migprep: "), first)
        for word in words:
            self.assertIn(word, first)
        self.assertIn("; ", first, "says no remedy")


class Success(Migrate):
    def test_moves_the_guest_and_says_where_it_is(self):
        done = self.world.migrate()
        self.assertEqual((done.returncode, done.errors), (0, ""))
        self.assertEqual(self.world.calls, ALL_STEPS)
        last = done.output.splitlines()[-1]
        self.assertTrue(last.startswith("guest 'web1' runs on host2 on virtual function "
                                        "0000:01:10.4; downtime 0.12 s, "), last)

    def test_prints_one_aligned_line_a_step_and_no_terminal_codes(self):
        steps = self.world.migrate().output.splitlines()[:-1]
        self.assertEqual([line.split()[1:3] for line in steps],
                         [["describe", HERE], ["describe", "host2"],
                          ["reserve-functions", "host2"], ["create-targets", "host2"],
                          ["detach", HERE], ["migrate", HERE], ["attach", "host2"],
                          ["finish", HERE]])
        self.assertTrue(all("\033" not in line and "\r" not in line for line in steps))

    def test_json_tells_steps_progress_and_the_result(self):
        done = self.world.migrate("--json")
        events = self.events(done)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(
            [(e["name"], e["host"]) for e in events
             if e["event"] == "step" and e["state"] == "started"],
            [("describe", HERE), ("describe", "host2"), ("reserve-functions", "host2"),
             ("create-targets", "host2"), ("detach", HERE), ("migrate", HERE),
             ("attach", "host2"), ("finish", HERE)])
        transfer = next(e for e in events if e["event"] == "progress" and "memory" in e)
        self.assertEqual(transfer["memory"], {"totalBytes": 1 << 30, "remainingBytes": 1 << 29})
        self.assertEqual(transfer["rateBytesPerSecond"], 1 << 27)
        self.assertEqual((transfer["phase"], transfer["dirtyRateBytesPerSecond"],
                          transfer["downtimeMilliseconds"], transfer["throttlePercent"],
                          transfer["secondsLeft"]), ("memory", 1 << 20, 250, 20, 4))
        result = events[-1]
        self.assertEqual((result["event"], result["result"], result["guest"]),
                         ("result", "moved", "web1"))
        self.assertEqual((result["from"], result["to"]), (HERE, "host2"))
        self.assertEqual(result["functions"], ["0000:01:10.4"])
        self.assertEqual(result["downtimeMilliseconds"], 120)
        self.assertEqual((result["bondActiveBefore"], result["bondActiveAfter"]), ("eth0", "eth0"))
        self.assertIsNone(result["error"])
        self.assertEqual(len(result["steps"]), 8)

    def test_hands_the_options_to_libvirt(self):
        self.world.migrate("--bandwidth", "50", "--max-downtime", "300", "--auto-converge")
        asked = self.world.migrate_parameters
        self.assertEqual(asked["destinationUri"], "qemu+ssh://host2/system")
        self.assertEqual(asked["copyDisks"], ["vda"])
        self.assertEqual((asked["bandwidthMebibytes"], asked["maximumDowntimeMilliseconds"]),
                         (50, 300))
        self.assertIs(asked["autoConverge"], True)

    def test_each_option_is_a_member_of_the_request(self):
        for words, members in (
            (("--non-live",), {"mode": "suspended"}),
            (("--persistent", "--undefinesource"), {"persistent": True, "undefineSource": True}),
            (("--transient",), {"persistent": False, "undefineSource": False}),
            (("--keep-definition",), {"undefineSource": False}),
            (("--copy-storage-inc",), {"incremental": True}),
            (("--migrate-disks", "vda"), {}),
            (("--parallel-connections", "4"), {"parallelConnections": 4}),
            (("--comp-methods", "zstd"), {"compression": "zstd"}),
            (("--timeout", "60", "--timeout-suspend"),
             {"timeoutSeconds": 60, "onTimeout": "suspend"}),
            (("--timeout", "60", "--timeout-postcopy"),
             {"timeoutSeconds": 60, "onTimeout": "postcopy"}),
            (("--timeout", "60", "--timeout-abort"), {"timeoutSeconds": 60, "onTimeout": "abort"}),
            (("--tls",), {"tls": True}),
            (("--remove-source-disks",), {"removeSourceDisks": True}),
            (("--tunnelled", "--unsafe"), {"tunnelled": True, "unsafe": True}),
            (("--policy", "auto-converge=no", "--policy=max-downtime=7"),
             {"autoConverge": False, "maximumDowntimeMilliseconds": 7}),
        ):
            with self.subTest(words):
                self.world.guest_on = "host1"
                done = self.world.migrate(*words)
                self.assertEqual(done.returncode, 0, done.errors)
                asked = dict(self.world.migrate_parameters)
                for usual in ("guest", "destinationUri", "copyDisks"):
                    del asked[usual]
                self.assertEqual(asked, members)

    def test_targets_are_made_where_the_destination_s_xml_has_the_disks(self):
        path = os.path.join(self.world.directory, "there.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("<domain><name>web1</name><uuid>x</uuid><devices><disk type='file'>"
                       "<source file='/pool/web1.qcow2'/><target dev='vda'/></disk></devices>"
                       "</domain>")
        done = self.world.migrate("--xml", path, "--persistent-xml", path)
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(self.world.targets[0]["path"], "/pool/web1.qcow2")
        asked = self.world.migrate_parameters
        self.assertEqual(asked["destinationXml"], asked["persistentXml"])
        self.assert_refused(self.world.migrate("--xml", "/nonexistent"), 2, "--xml")

    def test_moves_between_two_other_hosts(self):
        done = self.world.run("migrate", "web1", "--from", "host1", "--to", "host2", "--json")
        self.assertEqual(done.returncode, 0, done.errors)
        result = json.loads(done.output.splitlines()[-1])
        self.assertEqual((result["result"], result["from"], result["to"]),
                         ("moved", "host1", "host2"))
        self.assertEqual(self.world.calls, ALL_STEPS)

    def test_moves_the_definition_of_a_guest_that_is_shut_off(self):
        self.world.state, self.world.disk, self.world.vnics = "shutoff", "none", False
        done = self.world.migrate("--offline")
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(self.world.calls, ["host1 Migrate"])
        self.assertEqual(self.world.migrate_parameters["mode"], "offline")
        self.assertIn("is on host2", done.output)

    def test_offline_move_is_refused_for_what_it_would_lose(self):
        self.assert_refused(self.world.migrate("--offline"), 13, "running")
        self.world.state = "shutoff"
        self.assert_refused(self.world.migrate("--offline"), 2, "virtual functions of this host")
        self.assertEqual([call for call in self.world.calls if "Migrate" in call], [])

    def test_sends_the_disks_of_a_guest_that_is_shut_off(self):
        self.world.state, self.world.vnics = "shutoff", False
        done = self.world.migrate("--offline", "--verify", "--bandwidth", "50", "--json")
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(self.world.calls,
                         ["host2 CreateTargets", "host2 OpenTargets", "host1 SendDisks",
                          "host2 CloseTargets", "host1 Migrate", "host2 Release storage"])
        self.assertEqual(self.world.send_parameters,
                         {"guest": UUID, "host": "host2", "verify": True, "bandwidthMebibytes": 50,
                          "disks": [{"target": "vda", "socket": "/run/a.nbd",
                                     "virtualSizeBytes": 1 << 20}]})
        self.assertEqual(self.world.migrate_parameters["sentDisks"], self.world.SENT)
        steps = {event.get("step") for event in self.events(done) if event["event"] == "progress"}
        self.assertIn("send-disks", steps)

    def test_disks_and_networks_can_be_others_there(self):
        done = self.world.migrate("--disk", "vda=/srv/a=b.qcow2", "--network", "lan=blue",
                                  "--network", "br0=br1")
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(self.world.targets[0]["path"], "/srv/a=b.qcow2")
        self.assertEqual(self.world.migrate_parameters["diskPaths"],
                         [{"target": "vda", "path": "/srv/a=b.qcow2"}])
        self.assertEqual(self.world.migrate_parameters["networks"],
                         [{"from": "lan", "to": "blue"}, {"from": "br0", "to": "br1"}])

    def test_leaves_out_options_not_given(self):
        self.world.migrate()
        self.assertEqual(set(self.world.migrate_parameters),
                         {"guest", "destinationUri", "copyDisks"})

    def test_sets_up_the_bond_when_told_to(self):
        self.world.bond = None
        done = self.world.migrate("--set-up-bond")
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(self.world.calls, ["host1 SetUpBond", *ALL_STEPS])

    def test_leaves_no_process_behind(self):
        self.world.migrate()
        self.world.wait_until(lambda: self.world.open_connections() == 0)


class Terminal(Migrate):
    def output(self, **environment):
        """What a terminal gets to see."""
        controller, terminal = pty.openpty()
        words = self.world.arguments("migrate", "web1", "--to", "host2")
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
        self.assertEqual(process.returncode, 0, shown)
        return shown.decode()

    def test_draws_a_bar_and_colours_marks(self):
        shown = self.output()
        self.assertIn(" 50 %  512.0 MiB of 1.0 GiB  128.0 MiB/s", shown)
        self.assertIn("\033[32m\u2713\033[0m detach", shown)

    def test_respects_no_color(self):
        shown = self.output(NO_COLOR="1")
        self.assertIn("\u2713 detach", shown)
        self.assertNotRegex(shown, "\033\\[[0-9;]*m")

    def test_plain_characters_where_the_locale_has_no_others(self):
        self.assertTrue(self.output(LC_ALL="C").isascii())


class Errors(Migrate):
    CODES = {
        "GuestNotRunning": 4, "NoFreeFunction": 7, "FunctionBusy": 7, "TargetExists": 8,
        "NoSpace": 9, "AgentUnavailable": 10, "UnplugRefused": 11, "UnplugTimedOut": 11,
        "BondUnfit": 12, "GuestBusy": 13, "MigrationFailed": 14, "DiskUnsupported": 15,
        "ImageInvalid": 15, "HypervisorFailed": 1, "StoreFailed": 1, "Internal": 1,
    }

    def test_each_error_has_its_status_and_one_message(self):
        for code, status in self.CODES.items():
            with self.subTest(code):
                world = World()
                try:
                    world.refuse["host1 Detach"] = Refusal(code, "thing 7", "is broken", "mend it")
                    done = world.migrate()
                finally:
                    world.close()
                self.assertEqual(done.returncode, status, done.errors)
                self.assertEqual(done.errors.splitlines(),
                                 ["migprep: thing 7: is broken; mend it",
                                  f"migprep: everything is as it was on {HERE} and host2",
                                  f"migprep: guest 'web1' is on {HERE}: running"])

    def test_each_failing_step_undoes_those_before(self):
        for count, step in enumerate(ALL_STEPS[:4]):
            with self.subTest(step):
                world = World()
                try:
                    world.refuse[step] = Refusal("HypervisorFailed")
                    done = world.migrate("--json")
                finally:
                    world.close()
                self.assertEqual(done.returncode, 1, done.errors)
                self.assertEqual(world.calls, ALL_STEPS[:count + 1] + UNDO[3 - max(count, 0):])
                result = self.events(done)[-1]
                self.assertEqual(result["result"], "failed")
                self.assertEqual(result["error"]["code"], "HypervisorFailed")
                self.assertEqual(result["error"]["remedy"], "mend it")
                self.assertEqual((result["guestHost"], result["guestState"]),
                                 ("source", "running"))

    def test_error_of_the_destination_names_it(self):
        self.world.refuse["host2 Reserve"] = Refusal("NoFreeFunction", "physical network 'blue'",
                                                     "0 of 8 free", "release one")
        self.assert_refused(self.world.migrate(), 7, "physical network 'blue' on host2",
                            "0 of 8 free", "release one")

    def test_unknown_guest(self):
        done = self.world.run("migrate", "web7", "--to", "host2")
        self.assert_refused(done, 3, "guest 'web7'", "virsh list --all")

    def test_guest_without_bond_is_told_how_to_get_one(self):
        self.world.bond = None
        self.assert_refused(self.world.migrate(), 12, "guest 'web1'", "migprep setup-bond web1")
        self.assertEqual(self.world.calls, [])

    def test_unreachable_destination(self):
        done = self.world.run("migrate", "web1", "--to", "host9")
        self.assert_refused(done, 5, "host9", "No route to host")
        self.assertEqual(self.world.calls, [])

    def test_missing_daemon_on_this_host(self):
        self.world.stop("host1", "network")
        self.assert_refused(self.world.migrate(), 6, self.world.socket("host1", "network"))

    def test_missing_daemon_on_the_destination(self):
        self.world.stop("host2", "network")
        self.assert_refused(self.world.migrate(), 6, "host2", "netprepd")
        self.assertEqual(self.world.calls, [])

    def test_guest_on_its_destination_counts_more_than_an_error(self):
        def lose_answer(daemon, parameters):
            self.world.guest_on = "host2"
            raise Refusal("MigrationFailed")
        self.world.Migrate = lose_answer
        done = self.world.migrate()
        self.assertEqual(done.returncode, 0, done.errors)
        self.assertEqual(self.world.calls, ALL_STEPS)

    def test_degraded_guest_is_told_as_such(self):
        self.world.degraded = True
        done = self.world.migrate("--json")
        self.assert_refused(done, 17, "runs on host2 on its VirtIO NIC", "keeps trying",
                            "migprep status --host host2")
        result = self.events(done)[-1]
        self.assertEqual((result["result"], result["bondActiveAfter"]), ("degraded", "eth1"))
        self.assertEqual(self.world.calls, ALL_STEPS)

    def test_failing_undo_is_told_with_what_is_left(self):
        self.world.refuse["host1 Migrate"] = Refusal("MigrationFailed", cause="connection reset")
        self.world.refuse["host2 Release storage"] = Refusal("StoreFailed", cause="disk full")
        done = self.world.migrate()
        self.assert_refused(done, 17, "connection reset", "target files on host2", "disk full")
        self.assertEqual(self.world.calls[4:], UNDO)
        self.assertNotIn("everything is as it was", done.errors)

    def test_wrong_usage(self):
        for words, said in (
            (("web1",), "--to"), (("--to", "host2"), "missing"),
            (("web1", "web2", "--to", "host2"), "too many"), (("web1", "--to", HERE), "itself"),
            (("web1", "--to", "localhost"), "itself"), (("web1", "--to", "a b"), "not a host name"),
            (("web1", "--to=-oProxyCommand=x"), "not a host name"),
            (("web1", "--to", "host2", "--lease", "0"), "--lease"),
            (("web1", "--to", "host2", "--bandwidth=-1"), "--bandwidth"),
            (("web1", "--to", "host2", "--offline", "--non-live"), "--non-live"),
            (("web1", "--to", "host2", "--offline", "--copy-storage-inc"), "--copy-storage-inc"),
            (("web1", "--to", "host2", "--offline", "--tunnelled"), "--tunnelled"),
            (("web1", "--to", "host2", "--verify"), "--verify"),
            (("web1", "--to", "host2", "--disk", "vda"), "--disk"),
            (("web1", "--to", "host2", "--network", "=blue"), "--network"),
            (("web1", "--to", "host2", "--network", "a=b", "--xml", "x"), "--xml"),
            (("web1", "--to", "host2", "--transient", "--persistent"), "--transient"),
            (("web1", "--to", "host2", "--keep-definition", "--undefinesource"), "--keep-def"),
            (("web1", "--to", "host2", "--timeout-abort", "--timeout-suspend"), "--timeout"),
            (("web1", "--to", "host2", "--comp-methods", "gzip"), "none, xbzrle, zstd"),
            (("web1", "--to", "host2", "--policy", "downtime=1"), "--policy"),
            (("web1", "--from", "host2", "--to", "host2"), "itself"),
            (("web1", "--to", "host2", "--max-downtime", "x"), "x"),
        ):
            with self.subTest(words):
                done = self.world.run("migrate", *words)
                self.assert_refused(done, 2, said)
                self.assertEqual(self.world.calls, [])


if __name__ == "__main__":
    tap.main()
