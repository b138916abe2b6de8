# SPDX-License-Identifier: LGPL-2.1-or-later
"""Users of the host that mean harm, and those that may only look."""

import grp
import os
import pwd
import re
import subprocess
import unittest

import tap
from service import Daemon, PATIENCE, wait_for
from varlink import Interface

SERVICE = "org.varlink.service"
HERE = os.path.dirname(os.path.abspath(__file__))
NOBODY = pwd.getpwnam("nobody")
NAMES = {"NETPREPD": "io.migprep.Network", "STORPREPD": "io.migprep.Storage"}
MEMBERS = "nogroup"   # the group that may call
MONITORS = "daemon"   # the group that may look
CALLS = 100
# What a client of ours may have the daemon keep: 64 connections with a message of 1 MiB each, and
# their answers, with what the allocator and the sanitizers add.
GROWTH_MEBIBYTES = 256


def hostile_source():
    with open(os.path.join(HERE, "hostile_client.py"), encoding="utf-8") as file:
        return file.read()


class WithDaemon(unittest.TestCase):
    VARIABLE = "NETPREPD"

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("needs root, to call as somebody else")
        self.daemon = Daemon(self.VARIABLE)
        self.addCleanup(self.daemon.close)
        os.chmod(self.daemon.directory, 0o755)
        with open(self.daemon.config, "a", encoding="utf-8") as file:
            file.write(f"[access]\ngroup={MEMBERS}\nmonitor-group={MONITORS}\n")
        # What is freed is given back, so that what is kept can be told.
        os.environ["ASAN_OPTIONS"] = "quarantine_size_mb=1:" + os.environ.get("ASAN_OPTIONS", "")
        self.monitor = self.daemon.socket + ".monitor"
        self.daemon.more_arguments = ["--monitor-socket", self.monitor]
        self.daemon.start()

    def run_as(self, source, *words, group=MEMBERS, **options):
        gid = grp.getgrnam(group).gr_gid
        return subprocess.Popen(["/usr/bin/python3", "-c", source, *words], user=NOBODY.pw_uid,
                                group=gid, extra_groups=[], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True, **options)

    def resident_mebibytes(self):
        with open(f"/proc/{self.daemon.process.pid}/status", encoding="utf-8") as file:
            return int(re.search(r"VmRSS:\s+(\d+) kB", file.read())[1]) // 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))


class Hostile(WithDaemon):
    def attack(self, kind):
        """Others are answered during and after it; what it takes of the daemon is bounded."""
        before, open_before = self.resident_mebibytes(), self.descriptors()
        with self.run_as(hostile_source(), self.daemon.socket, kind) as attacker:
            for _ in range(CALLS):
                self.daemon.call(f"{SERVICE}.GetInfo")
            self.assertEqual(attacker.stdout.readline(), "ready\n")
            for _ in range(CALLS):
                self.daemon.call(f"{SERVICE}.GetInfo")
            grown = self.resident_mebibytes() - before
            taken = self.descriptors() - open_before
            attacker.stdin.close()
            attacker.wait(PATIENCE)
        self.assertLess(grown, GROWTH_MEBIBYTES)
        self.assertLessEqual(taken, 66)  # 64 of one user, and ours
        wait_for(lambda: self.descriptors() <= open_before + 1, "its descriptors are given back")

    def test_thousands_of_connections(self):
        self.attack("connections")

    def test_slow_senders(self):
        self.attack("slow")

    def test_torn_messages(self):
        self.attack("torn")

    def test_messages_of_64_mebibytes(self):
        self.attack("large")

    def test_largest_messages_left_unfinished(self):
        self.attack("full")

    def test_json_nested_100000_deep(self):
        self.attack("deep")

    def test_floods_whose_answers_nobody_reads(self):
        self.attack("flood")


ASK = """
import socket, sys
for method in sys.argv[2:]:
    client = socket.socket(socket.AF_UNIX)
    try:
        client.settimeout(60)
        client.connect(sys.argv[1])
        client.sendall(b'{"method":"%s"}\\0' % method.encode())
        text = b""
        while not text.endswith(b"\\0"):
            text += client.recv(65536) or b"\\0"
        print(method, b"PermissionDenied" in text, b"InvalidParameter" in text)
    except OSError as error:
        print(method, error.errno)
"""


class Looking(WithDaemon):
    def methods(self):
        text = self.daemon.call(f"{SERVICE}.GetInterfaceDescription",
                                {"interface": NAMES[self.VARIABLE]})["description"]
        return list(Interface(text).methods)

    def ask(self, path, group):
        """{method: (denied, refused for its parameters)} of each method, called with none."""
        names = [f"{NAMES[self.VARIABLE]}.{name}" for name in self.methods() if name != "Watch"]
        process = self.run_as(ASK, path, *names, group=group)
        lines = [line.split() for line in process.communicate(timeout=PATIENCE)[0].splitlines()]
        return {line[0].rsplit(".", 1)[1]: line[1:] for line in lines}

    def test_monitors_may_look_and_change_nothing(self):
        answers = self.ask(self.monitor, MONITORS)
        self.assertGreater(len(answers), 10)
        for method, (denied, _) in answers.items():
            looks = method.startswith(("Describe", "List", "Get", "Watch", "Check"))
            self.assertEqual(denied, str(not looks), method)
        self.assertIn("refused, who may only look", self.daemon.read_log())

    def test_monitors_do_not_get_at_the_other_socket(self):
        for answer in self.ask(self.daemon.socket, MONITORS).values():
            self.assertEqual(answer, ["13"])  # EACCES

    def test_strangers_get_at_neither(self):
        for path in (self.daemon.socket, self.monitor):
            for answer in self.ask(path, "mail").values():
                self.assertEqual(answer, ["13"])

    def test_members_are_told_by_the_audit(self):
        answers = self.ask(self.daemon.socket, MEMBERS)
        self.assertEqual({denied for denied, _ in answers.values()}, {"False"})
        method = {"NETPREPD": "Release", "STORPREPD": "Unmount"}[self.VARIABLE]
        parameters = {"NETPREPD": '{"lease":"L1","generation":1}',
                      "STORPREPD": '{"owner":"me","path":"/x"}'}[self.VARIABLE]
        call = ASK.replace('"}\\0', f'","parameters":{parameters}}}\\0')
        with self.run_as(call, self.daemon.socket, f"{NAMES[self.VARIABLE]}.{method}") as process:
            process.communicate(timeout=PATIENCE)
        subject = {"NETPREPD": "lease 'L1'", "STORPREPD": "owner 'me', path '/x'"}[self.VARIABLE]
        self.assertRegex(self.daemon.read_log(),
                         rf"{method} by uid {NOBODY.pw_uid}, process \d+, {subject}")

    def test_command_looks_by_the_monitors_socket(self):
        option = {"NETPREPD": "--network-socket", "STORPREPD": "--storage-socket"}[self.VARIABLE]
        done = subprocess.run([os.environ["MIGPREP"], "status", option, self.daemon.socket],
                              user=NOBODY.pw_uid, group=grp.getgrnam(MONITORS).gr_gid,
                              extra_groups=[], capture_output=True, text=True, timeout=PATIENCE,
                              check=False)
        self.assertNotIn(self.daemon.socket, done.stderr)


class LookingAtStorage(Looking):
    VARIABLE = "STORPREPD"


if __name__ == "__main__":
    tap.main()
