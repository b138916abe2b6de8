# SPDX-License-Identifier: LGPL-2.1-or-later
"""What all commands of the lab have in common: options, signals, error messages, exit status."""

import argparse
import signal
import sys

from .error import LabError


def parser(description, **options):
    """The option parser of one command."""
    return argparse.ArgumentParser(description=description, allow_abbrev=False,
                                   formatter_class=argparse.RawDescriptionHelpFormatter, **options)


def main(function):
    """Runs a command's function; its value is the exit status. Signals unwind like errors do."""
    def leave(number, _frame):
        raise SystemExit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    try:
        sys.exit(function() or 0)
    except LabError as error:
        print(f"{sys.argv[0].rpartition('/')[2]}: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(141)
