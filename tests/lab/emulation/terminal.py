# SPDX-License-Identifier: LGPL-2.1-or-later
"""What people see: plain lines in a file or pipe, colour and a moving bar on a terminal."""

import os
import shutil
import time

BOLD, DIM, RED, GREEN, YELLOW = "1", "2", "31", "32", "33"
BAR_MAX = 24
# What a line with two bars needs besides them.
BAR_LINE = 46


def clock(stream):
    """A function that prints what happens next, with the seconds since now."""
    start = time.monotonic()

    def note(text):
        print(f"# {time.monotonic() - start:6.1f} s  {text}", file=stream, flush=True)
    return note


class Screen:
    """Lines that stay, and below them at most one that is redrawn."""

    def __init__(self, stream):
        self._stream = stream
        self._live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._colour = self._live and "NO_COLOR" not in os.environ
        self._drawn = False

    def paint(self, text, *styles):
        """The text in a style, where colour is wanted."""
        if not self._colour or not styles:
            return text
        return f"\x1b[{';'.join(styles)}m{text}\x1b[0m"

    def line(self, text=""):
        """Prints a line that stays."""
        self._clear()
        print(text, file=self._stream, flush=True)

    def moving(self, text):
        """Redraws the last line; without a terminal there is none."""
        if not self._live:
            return
        self._clear()
        width = shutil.get_terminal_size().columns - 1
        self._stream.write(text if self._colour else text[:width])
        self._stream.flush()
        self._drawn = True

    def bar(self, done, total):
        """A bar, of which two and their labels fit a line, and the percentage."""
        width = max(4, min(BAR_MAX, (shutil.get_terminal_size().columns - BAR_LINE) // 2))
        part = min(1.0, done / total) if total else 0.0
        full = int(part * width)
        return (self.paint("━" * full, GREEN) + self.paint("━" * (width - full), DIM)
                + f" {part * 100:3.0f} %")

    def _clear(self):
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._drawn = False
