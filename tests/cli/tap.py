# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs unittest cases and prints their results as TAP."""

import os
import sys
import unittest


class TapResult(unittest.TestResult):
    """Numbers the tests in the order in which they end."""

    def __init__(self):
        super().__init__()
        self.number = 0
        self.subtest_failures = set()

    def _line(self, status, test, note=""):
        self.number += 1
        name = test.id().split(".", 1)[1]
        print(f"{status} {self.number} {name}{note}", flush=True)

    def _failed(self, test, error):
        self._line("not ok", test)
        for line in self._exc_info_to_string(error, test).splitlines():
            print(f"# {line}", flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._line("ok", test)

    def addSkip(self, test, reason):
        if os.environ.get("REQUIRE_REAL") == "1":
            error = AssertionError(f"skipped, but required: {reason}")
            self.addFailure(test, (AssertionError, error, None))
            return
        super().addSkip(test, reason)
        self._line("ok", test, f" # SKIP {reason}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._failed(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._failed(test, err)

    def addSubTest(self, test, subtest, err):
        """Only failures come here; a test whose subtests fail counts as one of its own."""
        super().addSubTest(test, subtest, err)
        if err is None:
            return
        print(f"# failed: {subtest.id()}", flush=True)
        if test not in self.subtest_failures:
            self.subtest_failures.add(test)
            self._failed(test, err)


def main():
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules["__main__"])
    print(f"1..{suite.countTestCases()}", flush=True)
    result = TapResult()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
