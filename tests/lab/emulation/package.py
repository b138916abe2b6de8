# SPDX-License-Identifier: LGPL-2.1-or-later
"""The project's Debian packages: built for the hosts' system, and installed there by apt in place of
what project.py unpacks. OLD=COMMIT takes the older of two versions from the history."""

import os
import re
import shutil
import subprocess
import tarfile

from . import image, place, project
from .deadline import scaled
from .error import LabError
from .process import call

NAMES = ("migprep", "netprepd", "storprepd")
SOCKETS = tuple(f"{daemon}{kind}.socket" for daemon in NAMES[1:] for kind in ("", "-monitor"))
GROUPS = ("migprep", "migprep-monitor")
# Where apt finds them on a host, and what it needs beside them: the image leaves its caches out.
SHELF = "/var/tmp/packages"
CACHES = ("/var/lib/apt/lists/partial", "/var/cache/apt/archives/partial", "/var/cache/debconf")
APT = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-q", "--no-install-recommends"]

# All that project.py brought, so that whatever is there afterwards came in a package.
CLEAR = f"""
cd /
systemctl stop {" ".join([*SOCKETS, *project.UNITS])} 2> /dev/null
systemctl disable -q {" ".join(SOCKETS)} 2> /dev/null
[ ! -e /var/lib/lab/installed ] || xargs -d '\\n' rm -f -- < /var/lib/lab/installed
rm -rf /var/lib/lab/installed /etc/migprep /etc/netprep-guest
rm -rf /var/lib/netprep /var/lib/storprep /var/lib/migprep /run/netprep /run/storprep /run/migprep
for group in {" ".join(GROUPS)}; do groupdel $group 2> /dev/null; done
systemctl daemon-reload
"""
OURS = r"\( -name '*netprep*' -o -name '*storprep*' -o -name '*migprep*' \)"
# What the lab itself has there, and what tells of packages that were.
NOT_OURS = " -o ".join(f"-path '{path}' -prune" for path in ("/var/tmp", "*/lab/*", "/var/log", "/run/systemd"))


def build(tree, note):
    """(older, newer): two directories of packages, the newer of these sources. LabError when they
    do not build."""
    old, work = os.environ.get("OLD"), place.BUILD / "packages"
    work.mkdir(exist_ok=True)
    newer = _source(work / "new", _listed)
    older = _source(work / "old", lambda source: _committed(source, old)) if old else newer
    note("building the packages")
    first = _built(tree, older, work / "older", _version(older))
    return first, _built(tree, newer, work / "newer", _version(newer) + "+1")


def _source(directory, fill):
    """DIRECTORY/source with the sources; what was compiled there before stays."""
    source = directory / "source"
    source.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        if path.is_dir() and not path.name.startswith("obj-"):
            shutil.rmtree(path)
        elif not path.is_dir():
            path.unlink()
    fill(source)
    return source


def _listed(source):
    """What is in this checkout."""
    names = call(["git", "-C", str(place.SOURCE), "ls-files", "-z", "-co", "--exclude-standard"])
    for name in filter(None, names.split("\0")):
        if (place.SOURCE / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(place.SOURCE / name, source / name, follow_symlinks=False)


def _committed(source, commit):
    """What is in a commit. Its files may be older than what was compiled of another one."""
    for path in source.glob("obj-*"):
        shutil.rmtree(path)
    with subprocess.Popen(["git", "-C", str(place.SOURCE), "archive", commit],
                          stdout=subprocess.PIPE) as archive:
        with tarfile.open(fileobj=archive.stdout, mode="r|") as files:
            files.extractall(source)
    if archive.returncode:
        raise LabError(f"there is no commit {commit}")


def _version(source):
    return re.match(r"\S+ \(([^)]+)\)", (source / "debian/changelog").read_text("utf-8"))[1]


def _built(tree, source, directory, version):
    """The directory, with packages of this version in it."""
    changelog = source / "debian/changelog"
    if version != _version(source):
        text = changelog.read_text("utf-8")
        changelog.write_text(text.replace(f"({_version(source)})", f"({version})", 1), "utf-8")
    log = place.LOGS / f"packages.{directory.name}"
    with open(log, "w", encoding="utf-8") as output:
        status = subprocess.call([str(image.SCRIPTS / "build-packages"), str(tree), str(source.parent)],
                                 stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                 timeout=scaled(900))
    if status:
        raise LabError(f"the packages do not build, see {log}")
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    for path in source.parent.glob("*.deb"):
        path.rename(directory / path.name)
    return directory


def bring(host, directory):
    """Puts the packages of a directory on the host's shelf, and nothing else."""
    archive = directory.with_suffix(".tar")
    with tarfile.open(archive, "w") as files:
        for name in NAMES:
            for path in directory.glob(f"{name}_*.deb"):
                files.add(path, path.name)
    host.run(["rm", "-rf", SHELF])
    host.run(["mkdir", "-p", SHELF, *CACHES])
    with open(archive, "rb") as data:
        host.run(["tar", "-x", "-C", SHELF], stdin=data)


def install(host, directory):
    """Installs or upgrades by apt, all of them."""
    bring(host, directory)
    install_again(host, "*")


def install_again(host, name):
    """Installs what lies on the shelf. There is no archive that anything could be fetched from."""
    host.run(f"{' '.join(APT)} install {SHELF}/{name}_*.deb", seconds=300)


def remove(host, *names, purge=False, check=True):
    """Removes packages by apt; the result of the command."""
    return host.run([*APT, "purge" if purge else "remove", *names], seconds=300, check=check)


def versions(host):
    """{name: version} of what is installed, completely."""
    done = host.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Abbrev} ${Version}\\n", *NAMES],
                    check=False)
    rows = [line.split() for line in done.stdout.splitlines()]
    return {row[0]: row[-1] for row in rows if row[1] == "ii"}


def left_over(host):
    """Files of ours that no package has, besides groups and those who are members of them."""
    return host.output(f"find /etc /run /usr /var -xdev {NOT_OURS} -o {OURS} -print").splitlines()


def clear(host):
    """Takes away what project.py installed, and all that it made."""
    host.run(CLEAR, check=False)


def give_back(host):
    """Takes away all packages, whatever their state is, so that project.py can install again."""
    host.run([*APT, "-o", "Dpkg::Options::=--force-all", "purge", *NAMES], seconds=300, check=False)
    host.run(["rm", "-rf", SHELF], check=False)
