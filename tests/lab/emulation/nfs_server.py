# SPDX-License-Identifier: LGPL-2.1-or-later
"""A third host that serves NFS: this machine, by a server in user space in the lab's namespace."""

import os
import shutil
import signal
import subprocess

from . import network, place, process
from .deadline import scaled, wait_for
from .error import LabError

PROGRAM = "ganesha.nfsd"
PACKAGES = ("nfs-ganesha", "nfs-ganesha-vfs")
ADDRESS = f"{network.MANAGEMENT}.254"
EXPORT = "/shared"
CONFIG = """\
NFS_CORE_PARAM {{ Protocols = 4; Enable_NLM = false; Enable_RQUOTA = false; }}
NFSv4 {{ Minor_Versions = 0, 1; Graceless = true; RecoveryBackend = fs; Only_Numeric_Owners = true; }}
EXPORT {{
    Export_Id = 1; Path = {directory}; Pseudo = {export};
    Access_Type = RW; Squash = No_Root_Squash; SecType = sys; Transports = TCP;
    FSAL {{ Name = VFS; }}
}}
"""


class NfsServer:
    """The server, as a context manager. Its files are on this machine's disk and gone afterwards."""

    def __init__(self):
        self.directory = place.BUILD / "third-host"
        self._config = place.RUN / "ganesha.conf"

    def __enter__(self):
        _require_program()
        self.stop()
        self.directory.mkdir()
        self._config.write_text(CONFIG.format(directory=self.directory, export=EXPORT),
                                encoding="ascii")
        argv = [PROGRAM, "-F", "-f", self._config, "-L", place.LOGS / "ganesha.log",
                "-p", place.RUN / "ganesha.pid"]
        process.start("ganesha", network.inside(list(map(str, argv))),
                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("the third host's NFS server", _listens, 30, 0.2)
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Ends the server if it runs, and removes what it served."""
        process.stop("ganesha")
        shutil.rmtree(self.directory, ignore_errors=True)


def pause():
    """The server answers nobody until it goes on."""
    _signal(signal.SIGSTOP)


def go_on():
    _signal(signal.SIGCONT)


def _signal(number):
    pid = process.running("ganesha")
    if pid is None:
        raise LabError("the third host's NFS server does not run")
    os.kill(pid, number)


def _listens():
    return ":2049" in process.call(network.inside(["ss", "-Hltn", "sport = :2049"]))


def _require_program():
    if shutil.which(PROGRAM):
        return
    if not shutil.which("apt-get"):
        raise LabError(f"please install: {' '.join(PACKAGES)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    process.call(["apt-get", "install", "-y", "-q", "--no-install-recommends", *PACKAGES],
                 scaled(300), env=environment)
