# SPDX-License-Identifier: LGPL-2.1-or-later
"""The project under test: compiled inside the hosts' Debian tree, installed on both hosts."""

import subprocess

from . import cache, image, place
from .deadline import scaled
from .error import LabError

UNITS = ("netprepd.socket", "storprepd.socket", "netprepd.service", "storprepd.service")

INSTALL = """
set -e
# What an earlier installation brought and this one may not bring goes first.
cd /
[ ! -e /var/lib/lab/installed ] || xargs -d '\n' rm -f -- < /var/lib/lab/installed
tar -x -v --zstd --no-same-owner --no-overwrite-dir | grep -v '/$' > /run/installed
mv /run/installed /var/lib/lab/installed
for kind in sysusers tmpfiles; do
    set -- /usr/lib/$kind.d/*prep*.conf
    [ ! -e "$1" ] || case $kind in
        sysusers) systemd-sysusers "$@" ;;
        tmpfiles) systemd-tmpfiles --create "$@" ;;
    esac
done
cp /usr/lib/lab/initrd /var/lib/lab/guest-initrd.new
cat /var/lib/lab/guest-program >> /var/lib/lab/guest-initrd.new
mv /var/lib/lab/guest-initrd.new /var/lib/lab/guest-initrd
units=
for unit in SOCKETS; do [ ! -e /usr/lib/systemd/system/$unit ] || units="$units $unit"; done
[ -z "$units" ] || systemctl enable -q --no-reload $units
systemctl daemon-reload
""".replace("SOCKETS", " ".join(unit for unit in UNITS if unit.endswith(".socket")))

START = """
units=
for unit in UNITS; do [ ! -e /usr/lib/systemd/system/$unit ] || units="$units $unit"; done
[ -n "$units" ] || exit 0
# Not restart: a socket does not start again before its service is gone.
systemctl stop $units
systemctl start $units || { systemctl status --no-pager $units; exit 1; }
""".replace("UNITS", " ".join(UNITS))


def build(tree):
    """Compiles and installs into a staging directory; returns it. LabError when it does not build.

    The tree is read-only for the compiler, the sources, too. Objects are kept between calls."""
    if not (place.SOURCE / "meson.build").exists():
        raise LabError("the project has no meson.build yet")
    work = place.BUILD / f"project-{tree.name.removeprefix('tree-')}"
    for other in place.BUILD.glob("project-*"):
        if other != work:
            cache.remove(other)
    work.mkdir(exist_ok=True)
    log = place.LOGS / "project.build"
    with open(log, "w", encoding="utf-8") as output:
        status = subprocess.call([str(image.SCRIPTS / "build-project"), str(tree),
                                  str(place.SOURCE), str(work)], stdin=subprocess.DEVNULL,
                                 stdout=output, stderr=output, timeout=scaled(600))
    if status:
        raise LabError(f"the project does not build, see {log}\n{_reasons(log)}")
    return work / "stage"


def _reasons(log):
    """The first lines that say what is wrong, else the last ones."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join([line for line in lines if "error:" in line.lower()][:5] or lines[-5:])


def deploy(lab, tree, note):
    """Builds and, when both hosts do not have exactly this already, installs it on both."""
    note("building the project")
    stage = build(tree)
    archive = stage.parent / "project.tar.zst"
    key = cache.key_of(archive.read_bytes().hex(), INSTALL, START)
    deployed = place.RUN / "deployed"
    if deployed.exists() and deployed.read_text(encoding="ascii") == key:
        return
    note("installing it on both hosts")
    for command, seconds in ((INSTALL, 120), (START, 60)):
        children = []
        for host in lab.hosts:
            with open(archive, "rb") as data:
                children.append((host, subprocess.Popen(
                    host.argv(command), stdin=data, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, text=True)))
        for host, child in children:
            try:
                output = child.communicate(timeout=scaled(seconds))[0]
            except subprocess.TimeoutExpired:
                child.kill()
                raise LabError(f"{host.name}: the installation does not end") from None
            if child.returncode:
                raise LabError(f"{host.name}: the project does not start\n{output.strip()}")
    deployed.write_text(key, encoding="ascii")
