# SPDX-License-Identifier: LGPL-2.1-or-later
"""migprep proxy: what ssh runs on the other host."""

import os
import socket
import subprocess
import sys
import tempfile
import unittest

import tap
from world import DEADLINE, MIGPREP


class Proxy(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="migprep-proxy-")
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "socket")
        self.listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(self.listener.close)
        self.listener.settimeout(DEADLINE)

    def start(self, service="network"):
        process = subprocess.Popen(
            [MIGPREP, "proxy", service, "--socket", self.path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()

    def connect(self):
        self.listener.bind(self.path)
        self.listener.listen()
        process = self.start()
        daemon, _ = self.listener.accept()
        daemon.settimeout(DEADLINE)
        self.addCleanup(daemon.close)
        return process, daemon

    def test_copies_both_ways(self):
        process, daemon = self.connect()
        process.stdin.write(b"question\0")
        process.stdin.flush()
        self.assertEqual(daemon.recv(100), b"question\0")
        daemon.sendall(b"answer\0")
        self.assertEqual(os.read(process.stdout.fileno(), 100), b"answer\0")

    def test_copies_much_in_both_directions_at_once(self):
        process, daemon = self.connect()
        daemon.settimeout(None)  # a time limit would leave it non-blocking for the child
        block = os.urandom(4 << 20)
        script = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
        echo = subprocess.Popen([sys.executable, "-c", script], stdin=daemon, stdout=daemon)
        daemon.close()
        output, _ = process.communicate(block, timeout=DEADLINE)
        echo.wait(DEADLINE)
        self.assertEqual(output, block)
        self.assertEqual(process.returncode, 0)

    def test_end_of_input_is_passed_on_and_answers_still_arrive(self):
        process, daemon = self.connect()
        process.stdin.close()
        self.assertEqual(daemon.recv(100), b"")
        daemon.sendall(b"late answer\0")
        daemon.close()
        self.assertEqual(process.stdout.read(), b"late answer\0")
        self.assertEqual(process.wait(DEADLINE), 0)

    def test_says_that_the_daemon_ended_though_input_stays_open(self):
        process, daemon = self.connect()
        daemon.close()
        self.assertEqual(process.wait(DEADLINE), 70)
        self.assertIn(b"netprepd: it closed the connection", process.stderr.read())

    def test_ends_when_ssh_dies_though_the_daemon_is_busy(self):
        process, daemon = self.connect()
        process.stdin.close()
        process.stdout.close()
        self.assertEqual(process.wait(DEADLINE), 0)
        self.assertEqual(daemon.recv(100), b"")

    def test_missing_daemon_has_its_own_status(self):
        process = self.start("storage")
        _, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 69)
        self.assertEqual(errors.decode(), f"migprep: storprepd: cannot connect to {self.path}: "
                                          "No such file or directory\n")

    def test_path_that_no_socket_can_have(self):
        self.path = "/" + "x" * 200
        process = self.start()
        _, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 69)
        self.assertIn(b"File name too long", errors)

    def test_unknown_service(self):
        process = self.start("Network")
        _, errors = process.communicate(timeout=DEADLINE)
        self.assertEqual(process.returncode, 2)
        self.assertIn(b"say network or storage", errors)


if __name__ == "__main__":
    tap.main()
