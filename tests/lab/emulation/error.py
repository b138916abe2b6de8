# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the lab reports instead of a traceback."""


class LabError(Exception):
    """Something the user can act on; the message says what was tried, on what, why it failed."""


class CommandFailed(LabError):
    """A program ended with a status other than 0."""

    def __init__(self, where, argv, status, output):
        self.status = status
        self.output = output.strip()
        last = "\n".join(self.output.splitlines()[-12:]) or "no output"
        super().__init__(f"{where}: {' '.join(argv)[:300]}: status {status}\n{last}")
