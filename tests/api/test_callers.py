# SPDX-License-Identifier: LGPL-2.1-or-later
"""The callers that the orchestrator's guide shows, in Go and shell, against a real storprepd."""

import os
import pathlib
import shutil
import subprocess
import unittest

import tap
from service import PATIENCE, Daemon

CALLERS = pathlib.Path(__file__).resolve().parents[2] / "docs/callers"


class Callers(unittest.TestCase):
    def setUp(self):
        self.daemon = Daemon("STORPREPD")
        self.addCleanup(self.daemon.close)
        self.daemon.start()
        self.image = os.path.join(self.daemon.images, "web1.qcow2")

    def run_caller(self, *words, path=None):
        return subprocess.run([*words, self.daemon.socket, path or self.image, "1048576"], text=True,
                              capture_output=True, check=False, timeout=4 * PATIENCE,
                              env={**os.environ, "GO111MODULE": "off", "GOFLAGS": "",
                                   "GOCACHE": os.path.join(self.daemon.directory, "go"),
                                   "HOME": self.daemon.directory})

    def assert_works(self, *words):
        done = self.run_caller(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, f"made {self.image}\nkept for true\ngiven back, kept: false\n")
        self.assertEqual(os.listdir(self.daemon.images), [])

    def assert_tells_refusals(self, *words):
        done = self.run_caller(*words, path="/etc/web1.qcow2")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("TargetRefused", done.stderr)

    def need(self, *tools):
        for tool in tools:
            if not shutil.which(tool):
                self.skipTest(f"{tool} is not installed")

    def test_shell(self):
        self.need("jq")
        self.assert_works(CALLERS / "targets.sh")
        self.assert_tells_refusals(CALLERS / "targets.sh")

    def test_go(self):
        self.need("go")
        program = os.path.join(self.daemon.directory, "targets")
        subprocess.run(["go", "build", "-o", program, CALLERS / "targets.go"], check=True,
                       timeout=8 * PATIENCE,
                       env={**os.environ, "GO111MODULE": "off", "HOME": self.daemon.directory,
                            "GOCACHE": os.path.join(self.daemon.directory, "go")})
        self.assert_works(program)
        self.assert_tells_refusals(program)


if __name__ == "__main__":
    tap.main()
