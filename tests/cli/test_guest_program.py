# SPDX-License-Identifier: LGPL-2.1-or-later
"""netprep-guest's command line, and its report of a network namespace of its own."""

import json
import os
import subprocess
import tempfile
import unittest

import tap

PROGRAM = os.environ["NETPREP_GUEST"]
MAC = "52:54:00:aa:00:01"
CREATE = ["create-bond", "--bond", "bond0", "--primary-path", "02.3/00.0", "--backup-mac", MAC]


def plain(*words, before=()):
    return subprocess.run([*before, PROGRAM, *words], capture_output=True, text=True, check=False,
                          timeout=60)


class CommandLine(unittest.TestCase):
    def refused(self, words, part):
        done = plain(*words)
        self.assertEqual((done.returncode, done.stdout), (2, ""), words)
        self.assertIn(part, done.stderr)

    def test_help_names_each_verb(self):
        for words in (["--help"], ["use", "--help"]):
            done = plain(*words)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for verb in ("report", "create-bond", "repair", "persist", "unpersist", "use", "join"):
                self.assertIn(f"\n  {verb} ", done.stdout)

    def test_version(self):
        self.assertRegex(plain("--version").stdout, r"^netprep-guest \d+\.\d+\.\d+\n$")

    def test_a_verb_is_needed(self):
        for words in ([], [""], ["frobnicate"], ["x" * 4000]):
            self.refused(words, "a verb is missing or unknown")

    def test_names_are_names(self):
        for name in ("", "a" * 16, "a/b", "..", "a b", "a\n[Network]", "eth0:1", "\u00e9"):
            self.refused(["use", "--bond", name, "--port", "eth0"], "--bond has to be the name")

    def test_paths_are_paths(self):
        for path in ("", "02.3/", "/02.3", "02.3/00.0/", "2.3", "0000:02:00.0", "02.3/00.0" + "/00.0" * 20):
            self.refused(["join", "--bond", "bond0", "--path", path], "--path has to be")

    def test_macs_are_macs(self):
        for mac in ("", "52:54:00:aa:00", MAC + ":01", "00:00:00:00:00:00", "01:00:5e:00:00:01",
                    "52-54-00-aa-00-01", "+2:54:00:aa:00:01"):
            self.refused([*CREATE[:-1], mac], "--backup-mac has to be")

    def test_timeouts_are_seconds(self):
        for timeout in ("", "-1", " 1", "1s", "3601", "9" * 40):
            self.refused(["join", "--bond", "b", "--path", "02.3", "--timeout", timeout],
                         "--timeout has to be seconds")

    def test_words_are_of_the_list(self):
        self.refused([*CREATE, "--fail-over-mac", "follow"], "none or active")
        self.refused(["persist", "--bond", "bond0", "--persist", "wicked"], "--persist has to be auto")

    def test_roots_are_absolute(self):
        for root in ("", "/", "here", "/here/", "/" + "x" * 5000):
            self.refused(["unpersist", "--bond", "bond0", "--root", root], "--root has to be")

    def test_unpersist_finds_nothing_to_remove(self):
        with tempfile.TemporaryDirectory() as root:
            done = plain("unpersist", "--bond", "bond0", "--root", root)
            self.assertEqual(json.loads(done.stdout),
                             {"bond": "bond0", "removed": [], "instructions": []})
            self.assertEqual((done.returncode, os.listdir(root)), (0, []))

    def test_options_are_the_verbs_own_and_given_once(self):
        self.refused(["report", "--bond", "bond0"], "--bond is no option of this verb")
        self.refused([*CREATE, "--bond", "bond1"], "--bond is given twice")
        self.refused(CREATE[:-2], "--backup-mac is missing")
        self.refused(["report", "more"], "'more' is unknown")
        self.refused(["report", "--frobnicate"], "'--frobnicate' is unknown")
        self.refused(["use", "--bond"], "lacks its value")


class Report(unittest.TestCase):
    def setUp(self):
        if os.geteuid() == 0:
            return
        self.skipTest("a network namespace of its own needs root")

    def test_lists_interfaces_as_agreed(self):
        script = ("ip link add v0 address 52:54:00:aa:00:01 mtu 1400 type veth peer name v1 && "
                  "ip link set v1 up && ip address add 192.0.2.1/24 dev v0 && "
                  "ip address add 2001:db8::1/64 dev v0 && exec \"$@\"")
        done = plain("report", before=["unshare", "-n", "sh", "-c", script, "sh"])
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["bonds"], [])
        found = {interface["name"]: interface for interface in report["interfaces"]}["v0"]
        del found["index"]
        self.assertEqual(found, {
            "name": "v0", "macAddress": MAC, "permanentMacAddress": MAC, "driver": None,
            "pciPath": None, "up": False, "carrier": False, "mtu": 1400, "addresses": 2,
            "xdp": False, "master": None})

    def test_says_what_cannot_be_done(self):
        done = plain(*CREATE, before=["unshare", "-n"])
        self.assertEqual(done.returncode, 1)
        self.assertEqual(json.loads(done.stdout),
                         {"error": "there is no network device at PCI path 02.3/00.0"})
        for verb in ("repair", "persist"):
            done = plain(verb, "--bond", "lo", before=["unshare", "-n"])
            self.assertEqual(json.loads(done.stdout), {"error": "lo is not a bond"})


if __name__ == "__main__":
    tap.main()
