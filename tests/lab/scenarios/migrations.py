# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every way of migrating, once each; the guest's disk is the same and takes writes afterwards."""

import contextlib
import pathlib
import subprocess
import tempfile

from emulation.deadline import wait_for
from emulation.guest import IMAGES
from emulation.journey import Journey
from emulation.storage import Storage

BACKING = "/srv/shared"
SHARED = f"{IMAGES}/shared"
CONFIG = "[storage]\nimage-directories=/var/lib/libvirt/images;/srv\n"
CERTIFICATES = "/etc/pki/qemu"
# So slow that a guest which has just booted is not over before its timeout.
SLOW = ("--bandwidth", "4", "--timeout", "1")

COPIED = [
    ("live", ()),
    ("non-live: the guest stands still", ("--non-live",)),
    ("chosen disks", ("--migrate-disks", "vda")),
    ("parallel connections", ("--parallel-connections", "2")),
    ("compressed by xbzrle", ("--comp-methods", "xbzrle", "--policy", "parallel-connections=1")),
    ("compressed by zstd", ("--comp-methods", "zstd")),
    ("auto-converge, bandwidth and downtime",
     ("--auto-converge", "--bandwidth", "64", "--max-downtime", "500")),
    ("suspended after a timeout", (*SLOW, "--timeout-suspend")),
    ("post-copy after a timeout", (*SLOW, "--timeout-postcopy")),
    ("the definition stays here, too", ("--keep-definition",)),
]


def run(lab):
    stores = [Storage(host) for host in lab.hosts]
    for host in lab.hosts:
        host.run(["mkdir", "-p", "/etc/migprep", BACKING])
        host.run(["tee", "/etc/migprep/migprep.conf"], stdin=CONFIG)
        host.run(["systemctl", "restart", "storprepd.service"])
    try:
        copied(lab)
        over_shared(lab, stores)
    finally:
        lab.guest("guest1").destroy()
        for host in lab.hosts:
            host.run("rm -f /etc/migprep/migprep.conf")


def other(lab, host):
    return next(one for one in lab.hosts if one is not host)


def writes(guest):
    """The guest can write to its disk, and reads back what it wrote."""
    guest.output("dd if=/dev/urandom of=/run/block bs=64k count=1 2>/dev/null && "
                 "dd if=/run/block of=/dev/vda bs=64k seek=700 conv=fsync 2>/dev/null && "
                 "echo 3 > /proc/sys/vm/drop_caches && "
                 "dd if=/dev/vda bs=64k skip=700 count=1 2>/dev/null | cmp - /run/block")


def move(lab, guest, options, expect="moved"):
    """One move to the other host; its result and the phases that were seen."""
    source = guest.host()
    target = other(lab, source)
    before = guest.disk_sha256()
    journey = Journey(guest, source, target.name, *options)
    journey.end(300)
    assert journey.result["result"] == expect, journey.result
    where = target if expect == "moved" else source
    wait_for("the guest to answer", lambda: guest.host() is where, 30)
    assert guest.disk_sha256() == before, "the disk is not what it was"
    writes(guest)
    phases = {event.get("phase") for event in journey.events if event["event"] == "progress"}
    return journey.result, phases


def tidy(lab, guest):
    """What keeps the guest from coming back: its old image, and a definition that was to stay."""
    guest.remove_old_disk()
    away = other(lab, guest.host())
    away.run(["virsh", "undefine", guest.name], check=False)


def copied(lab):
    guest = lab.guest("guest1")
    guest.create(lab.host(1), form=None)
    for name, options in COPIED:
        with lab.case(f"copied disk: {name}"):
            try:
                _, phases = move(lab, guest, options)
                if "--timeout-suspend" in options:
                    assert "suspended" in phases, phases
                if "--timeout-postcopy" in options:
                    assert "postcopy" in phases, phases
            finally:
                tidy(lab, guest)

    with lab.case("given up after a timeout: the guest stays, and nothing is left there"):
        result, _ = move(lab, guest, (*SLOW, "--timeout-abort"), expect="failed")
        assert result["error"]["code"] == "TimedOut", result
        away = other(lab, guest.host())
        assert away.run(["test", "-e", guest.disk], check=False).returncode, "a target was left"

    with lab.case("from another host than the guest's"):
        from_elsewhere(lab, guest)
        tidy(lab, guest)

    with lab.case("a policy of the guest's own goes with it"):
        guest.host().run(["migprep", "policy", guest.name, "max-downtime=400"])
        move(lab, guest, ())
        told = guest.host().output(["migprep", "policy", guest.name])
        assert any(line.split()[:3] == ["max-downtime", "400", "guest"]
                   for line in told.splitlines()), told
        tidy(lab, guest)

    with lab.case("changed destination XML: another title"):
        changed_xml(lab, guest)
        tidy(lab, guest)

    with lab.case("TLS"):
        with certificates(lab):
            move(lab, guest, ("--tls",))
        tidy(lab, guest)

    with lab.case("the image that was copied is removed, and the way back is free"):
        for _ in lab.hosts:
            source = guest.host()
            move(lab, guest, ("--remove-source-disks",))
            assert source.run(["test", "-e", guest.disk], check=False).returncode, "it was left"

    with lab.case("another path there, and back"):
        other_path(lab, guest)

    with lab.case("shut off: its disk is sent there and back, and it boots as it was"):
        sent(lab, guest)

    with lab.case("tunnelled is refused for a copied disk before anything is touched"):
        result, _ = move(lab, guest, ("--tunnelled",), expect="failed")
        assert "tunnelled and copyDisks" in result["error"]["object"], result
    guest.destroy()


def from_elsewhere(lab, guest):
    """The command runs on the destination, and reaches the guest's host as any third one would."""
    source = guest.host()
    target = other(lab, source)
    before = guest.disk_sha256()
    target.run(["migprep", "migrate", guest.name, "--from", source.name, "--to", target.name],
               seconds=300)
    assert guest.host() is target
    assert guest.disk_sha256() == before
    writes(guest)


def other_path(lab, guest):
    usual = guest.disk
    for path in (f"{IMAGES}/{guest.name}-elsewhere.qcow2", usual):
        move(lab, guest, ("--disk", f"vda={path}", "--remove-source-disks"))
        for flags in ([], ["--inactive"]):
            listed = guest.host().output(["virsh", "domblklist", *flags, guest.name])
            assert path in listed, listed


def sent(lab, guest):
    before = guest.disk_sha256()
    home = guest.host()
    home.run(["virsh", "destroy", guest.name])
    for source in (home, other(lab, home)):
        target = other(lab, source)
        source.run(["migprep", "migrate", guest.name, "--to", target.name, "--offline", "--verify",
                    "--remove-source-disks"], seconds=600)
        assert guest.state(source) is None, "the definition is still there"
        assert guest.state(target) == "shut off"
        assert source.run(["test", "-e", guest.disk], check=False).returncode, "it was left"
    home.run(["virsh", "start", guest.name], seconds=90)
    guest.wait_ready(home)
    assert guest.disk_sha256() == before
    writes(guest)


def changed_xml(lab, guest):
    source = guest.host()
    files = []
    for name, flags in (("live", ["--migratable"]), ("kept", ["--inactive"])):
        text = source.output(["virsh", "dumpxml", *flags, guest.name])
        changed = text.replace("</uuid>", "</uuid><title>moved</title>", 1)
        files.append(f"/run/{name}.xml")
        source.run(["tee", files[-1]], stdin=changed)
    move(lab, guest, ("--xml", files[0], "--persistent-xml", files[1]))
    assert guest.host().output(["virsh", "desc", "--title", guest.name]) == "moved"


@contextlib.contextmanager
def certificates(lab):
    """One authority, and a certificate for each host that serves and asks; gone afterwards."""
    with tempfile.TemporaryDirectory() as directory:
        _openssl(directory, "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=lab "
                            "-keyout ca-key.pem -out ca-cert.pem")
        try:
            for host in lab.hosts:
                _certify(directory, host)
            yield
        finally:
            for host in lab.hosts:
                host.run(["rm", "-rf", CERTIFICATES])


def _openssl(directory, arguments):
    subprocess.run(["openssl", *arguments.split()], cwd=directory, check=True, capture_output=True)


def _certify(directory, host):
    place = pathlib.Path(directory)
    place.joinpath("extra").write_text(
        f"subjectAltName=DNS:{host.name},IP:10.98.0.{host.number}\n")
    _openssl(directory, f"req -newkey rsa:2048 -nodes -subj /CN={host.name} "
                        "-keyout key.pem -out request.pem")
    _openssl(directory, "x509 -req -in request.pem -CA ca-cert.pem -CAkey ca-key.pem "
                        "-CAcreateserial -days 2 -extfile extra -out cert.pem")
    host.run(["mkdir", "-p", CERTIFICATES])
    for source, names in (("ca-cert.pem", ["ca-cert.pem"]),
                          ("cert.pem", ["server-cert.pem", "client-cert.pem"]),
                          ("key.pem", ["server-key.pem", "client-key.pem"])):
        for name in names:
            host.run(["tee", f"{CERTIFICATES}/{name}"], stdin=place.joinpath(source).read_text())
    host.run(f"chmod 755 {CERTIFICATES}; chmod 644 {CERTIFICATES}/*; "
             "systemctl try-restart libvirtd")


def over_shared(lab, stores):
    """What needs no copy: tunnels, and guests that are shut off."""
    hosts = lab.host(1), lab.host(2)
    hosts[0].run("systemctl unmask -q fsidd.service; systemctl start nfs-server")
    exported = stores[0].export(BACKING, "host1", "host2")
    mounts = [store.mount("host1", exported["exportPath"], SHARED) for store in stores]
    guest = lab.guest("guest1")
    guest.disk = f"{SHARED}/{guest.name}.qcow2"
    try:
        guest.create(hosts[0], form=None)
        with lab.case("shared disk: tunnelled"):
            move(lab, guest, ("--tunnelled",))
        with lab.case("shared disk: offline, there and back, and the guest boots as it was"):
            offline(lab, guest)
    finally:
        guest.destroy()
        for store, mounted in zip(stores, mounts):
            store.release(mounted)
        stores[0].release(exported)


def offline(lab, guest):
    before = guest.disk_sha256()
    home = guest.host()
    home.run(["virsh", "destroy", guest.name])
    for source in (home, other(lab, home)):
        target = other(lab, source)
        source.run(["migprep", "migrate", guest.name, "--to", target.name, "--offline"])
        assert guest.state(source) is None, "the definition is still there"
        assert guest.state(target) == "shut off"
    home.run(["virsh", "start", guest.name], seconds=90)
    guest.wait_ready(home)
    assert guest.disk_sha256() == before
    writes(guest)
