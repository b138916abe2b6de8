# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where things are: the sources, the caches, and the directory of the running lab."""

import hashlib
from pathlib import Path

LAB = Path(__file__).resolve().parent.parent
SOURCE = LAB.parent.parent
BUILD = SOURCE / "build" / "lab"
LOGS = BUILD / "logs"

# Two checkouts on one machine have two labs; neither touches the other's.
NAME = "migprep-lab-" + hashlib.sha256(str(SOURCE).encode()).hexdigest()[:6]
# In memory, so that a reboot forgets what the reboot ended. Short, for socket paths.
RUN = Path("/run") / NAME


def prepare():
    """Makes the directories every command needs."""
    for directory in (BUILD, LOGS, RUN):
        directory.mkdir(parents=True, exist_ok=True)
    RUN.chmod(0o700)
