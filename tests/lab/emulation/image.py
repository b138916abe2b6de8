# SPDX-License-Identifier: LGPL-2.1-or-later
"""The images: one Debian tree, the guests' file system, the hosts' image."""

import os
import shutil

from . import cache, place
from .deadline import scaled
from .error import LabError
from .process import call

SCRIPTS = place.LAB / "image"
TOOLS = {"mmdebstrap": "mmdebstrap", "mksquashfs": "squashfs-tools", "cpio": "cpio",
         "zstd": "zstd", "xz": "xz-utils", "ssh": "openssh-client", "ip": "iproute2",
         "unshare": "util-linux", "nsenter": "util-linux", "ping": "iputils-ping"}
NAMES = ("tree", "guest", "host")


def require_tools(note):
    """Installs the programs this machine lacks; says which when it cannot."""
    if os.geteuid() != 0:
        raise LabError("the lab needs root: it makes a network namespace and file system images")
    if not os.path.exists("/dev/net/tun"):
        raise LabError("/dev/net/tun is missing: load the kernel module tun")
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise LabError(f"please install: {' '.join(missing)}")
    note(f"packages {' '.join(missing)}")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    call(["apt-get", "update", "-q"], scaled(300), env=environment)
    call(["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing], scaled(600),
         env=environment)


def _script(name, *arguments, seconds):
    call([str(SCRIPTS / name), *map(str, arguments)], scaled(seconds))


def obtain(note):
    """(tree, guest, host): the three directories, made when their inputs changed."""
    base = cache.key_of(SCRIPTS / "build-tree", SCRIPTS / "packages.hosts",
                        SCRIPTS / "packages.build")
    tree = cache.obtain("tree", base, lambda directory: _script(
        "build-tree", directory, seconds=900), note)
    nested = cache.key_of(base, SCRIPTS / "build-guest", SCRIPTS / "copy-program",
                          SCRIPTS / "guest-init")
    guest = cache.obtain("guest", nested, lambda directory: _script(
        "build-guest", tree, directory, seconds=120), note)
    outer = cache.key_of(nested, SCRIPTS / "build-host", SCRIPTS / "build-kernel",
                         SCRIPTS / "host-init", SCRIPTS / "host")
    host = cache.obtain("host", outer, lambda directory: _script(
        "build-host", tree, guest, directory, seconds=300), note)
    return tree, guest, host
