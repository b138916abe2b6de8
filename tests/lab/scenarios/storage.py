# SPDX-License-Identifier: LGPL-2.1-or-later
"""Moves of a guest that writes without a pause, over every kind of storage; nothing may get lost.

STORAGE_REPEATS says how often each is tried, by default 5 times; STORAGE_KINDS names some of them
("copy;mixed"), by default all."""

import contextlib
import os

from emulation import nfs_server
from emulation.deadline import wait_for
from emulation.error import LabError
from emulation.guest import IMAGES
from emulation.journey import Journey
from emulation.storage import Refused, Storage, share_seconds
from emulation.writer import Writer

REPEATS = int(os.environ.get("STORAGE_REPEATS", "5"))
SHARE_ROUNDS = 20
BACKING = "/srv/shared"
SHARED = f"{IMAGES}/shared"
SERVED = f"{IMAGES}/served"
BASE = f"{IMAGES}/base.qcow2"
SECOND = f"{IMAGES}/guest1-second.qcow2"
CONFIG = "[storage]\nimage-directories=/var/lib/libvirt/images;/srv\n"
BLOCKS_AFTER = 20  # that the guest must write where it arrived
QEMU_CONF = "/etc/libvirt/qemu.conf"
POOL = "lab-images"
VOLUME = f"""<disk type='volume' device='disk'>
  <driver name='qemu' type='qcow2' cache='none'/>
  <source pool='{POOL}' volume='{os.path.basename(SECOND)}'/>
  <target dev='vdb' bus='virtio'/>
</disk>"""


def run(lab):
    stores = [Storage(host) for host in lab.hosts]
    for host in lab.hosts:
        host.run(["mkdir", "-p", "/etc/migprep", BACKING])
        host.run(["tee", "/etc/migprep/migprep.conf"], stdin=CONFIG)
        host.run(["systemctl", "restart", "storprepd.service"])
    lab.host(1).run(["systemctl", "start", "nfs-server"])
    tally = Tally(lab)
    try:
        for name in os.environ.get("STORAGE_KINDS", ";".join(KINDS)).split(";"):
            KINDS[name](lab, stores, tally)
    finally:
        tally.publish()
        lab.guest("guest1").destroy()
        for host in lab.hosts:
            host.run(f"rm -f /etc/migprep/migprep.conf {SECOND} {BASE}")


class Tally:
    """How often each kind was tried, and how often the guest lost nothing."""

    def __init__(self, lab):
        self._lab = lab
        self._kinds = []

    def attempts(self, name, attempt):
        """Calls attempt() so many times, a case each."""
        kind = {"name": name, "attempted": 0, "intact": 0}
        self._kinds.append(kind)
        for number in range(1, REPEATS + 1):
            with self._lab.case(f"{name}: attempt {number} of {REPEATS}"):
                kind["attempted"] += 1
                attempt()
                kind["intact"] += 1

    def publish(self):
        self._lab.result["cases"] = self._kinds


def writing_through(guest, journeys, devices=("/dev/vda",)):
    """The guest writes to its disks before, during and after the journeys, and lost nothing."""
    writers = [Writer(guest, device) for device in devices]
    for writer in writers:
        writer.start()
    for journey in journeys:
        journey()
        for writer in writers:
            writer.wait_blocks(BLOCKS_AFTER)
    for writer in writers:
        writer.stop_and_check()


def travel(guest, hosts, *options):
    """To the other host; the names of the steps taken."""
    source = guest.host()
    target = next(host for host in hosts if host is not source)
    journey = Journey(guest, source, target.name, *options)
    journey.end(300)
    if journey.result["result"] != "moved":
        raise LabError(f"not moved: {journey.result}")
    return [event["name"] for event in journey.events if event["event"] == "step"]


def travel_copied(guest, hosts, *options):
    """To the other host by a copy; the way back is cleared as an administrator would."""
    steps = travel(guest, hosts, *options)
    assert "create-targets" in steps, steps
    guest.remove_old_disk()


def travel_shared(guest, hosts):
    """To the other host without a copy."""
    steps = travel(guest, hosts)
    assert "create-targets" not in steps, steps


@contextlib.contextmanager
def on_third_host(stores):
    """Both hosts have SHARED from a server that is neither of them."""
    with nfs_server.NfsServer():
        mounts = [(storage, storage.mount(nfs_server.ADDRESS, nfs_server.EXPORT, SHARED))
                  for storage in stores]
        try:
            yield
        finally:
            for storage, mounted in mounts:
                wait_for("the mount to be free", lambda: released(storage, mounted), 30, 1)


def released(storage, reply):
    """Releases what is no longer used; False while it is. In a long run its lease may have ended
    before, by itself, once the guest was gone."""
    try:
        storage.release(reply)
    except Refused as refusal:
        return "LeaseNotFound" in refusal.text
    return True


def new_guest(lab, path):
    guest = lab.guest("guest1")
    guest.disk = path
    guest.create(lab.host(1), form=None)
    return guest


def share(lab, stores, tally):
    with lab.case(f"export, mount and proof, {SHARE_ROUNDS} times"):
        lab.result["exportMountSeconds"] = [share_seconds(*stores, BACKING, SHARED)
                                            for _ in range(SHARE_ROUNDS)]


def third_host(lab, stores, tally):
    with on_third_host(stores):
        guest = new_guest(lab, f"{SHARED}/guest1.qcow2")
        tally.attempts("shared on a third host", lambda: writing_through(
            guest, [lambda: travel_shared(guest, lab.hosts)]))
        guest.destroy()


@contextlib.contextmanager
def libvirt_told(host, directory):
    """The host's libvirt takes the directory for shared."""
    host.run(f"cp {QEMU_CONF} /run/qemu.conf; "
             f"echo 'shared_filesystems = [ \"{directory}\" ]' >> {QEMU_CONF}; "
             "systemctl restart libvirtd")
    try:
        yield
    finally:
        host.run(f"cp /run/qemu.conf {QEMU_CONF}; systemctl restart libvirtd")


def source_as_server(lab, stores, tally):
    """Each attempt leaves the server and comes back, so that each has it as the source."""
    lab.host(1).run(["mkdir", "-p", SERVED])
    exported = stores[0].export(SERVED, "host2")
    mounted = stores[1].mount("host1", exported["exportPath"], SERVED)
    with libvirt_told(lab.host(1), SERVED):
        guest = new_guest(lab, f"{SERVED}/guest1.qcow2")
        tally.attempts("source as server", lambda: writing_through(
            guest, [lambda: travel_shared(guest, lab.hosts)] * 2))
        guest.destroy()
    stores[1].release(mounted)
    stores[0].release(exported)


def copy(lab, stores, tally):
    guest = new_guest(lab, f"{IMAGES}/guest1.qcow2")
    tally.attempts("copy", lambda: writing_through(
        guest, [lambda: travel_copied(guest, lab.hosts)]))
    guest.destroy()


def add_second_disk(guest):
    """One that only the guest's host has."""
    host = guest.host()
    host.run(["qemu-img", "create", "-q", "-f", "qcow2", SECOND, "64M"])
    host.run(["virsh", "attach-disk", guest.name, SECOND, "vdb", "--driver", "qemu",
              "--subdriver", "qcow2", "--cache", "none", "--persistent"])
    wait_second_disk(guest)


def remove_second(hosts):
    """Wherever its guest ended."""
    for host in hosts:
        host.run(["rm", "-f", SECOND])


def wait_second_disk(guest):
    wait_for("the second disk in the guest", lambda: guest.output(
        "[ -b /dev/vdb ] && echo there || true"), 30)


@contextlib.contextmanager
def pools(hosts):
    """libvirt of both hosts has the images' directory as a pool."""
    for host in hosts:
        host.run(["virsh", "pool-create-as", POOL, "dir", "--target", IMAGES])
    try:
        yield
    finally:
        for host in hosts:
            host.run(["virsh", "pool-destroy", POOL])


def add_volume(guest):
    """A second disk that is a volume of the pool."""
    host = guest.host()
    host.run(["qemu-img", "create", "-q", "-f", "qcow2", SECOND, "64M"])
    host.run(["virsh", "pool-refresh", POOL])
    host.run(["tee", "/run/volume.xml"], stdin=VOLUME)
    host.run(["virsh", "attach-device", guest.name, "/run/volume.xml", "--live", "--config"])
    wait_second_disk(guest)


def volume(lab, stores, tally):
    """The second disk is a volume: it is copied as the file that it is, and stays a volume."""
    with pools(lab.hosts):
        guest = new_guest(lab, f"{IMAGES}/guest1.qcow2")
        add_volume(guest)

        def attempt():
            writing_through(guest, [lambda: travel_mixed(guest, lab.hosts)],
                            ("/dev/vda", "/dev/vdb"))
            guest.remove_old_disk()
            definition = guest.host().output(["virsh", "dumpxml", "--inactive", guest.name])
            assert f"pool='{POOL}'" in definition, definition
        tally.attempts("volume of a pool", attempt)
        guest.destroy()
        remove_second(lab.hosts)


def mixed(lab, stores, tally):
    """The first disk is on the third host, the second is local."""
    with on_third_host(stores):
        guest = new_guest(lab, f"{SHARED}/guest1.qcow2")
        add_second_disk(guest)

        def attempt():
            writing_through(guest, [lambda: travel_mixed(guest, lab.hosts)],
                            ("/dev/vda", "/dev/vdb"))
        tally.attempts("mixed", attempt)
        guest.destroy()
        remove_second(lab.hosts)


def travel_mixed(guest, hosts):
    steps = travel(guest, hosts)
    assert "create-targets" in steps, steps
    here = guest.host()
    remove_second(host for host in hosts if host is not here)


def incremental(lab, stores, tally):
    """A base that both hosts have, and an image over it that alone is copied."""
    hosts = lab.hosts
    guest = lab.guest("guest1")
    guest.disk = BASE
    guest.create_disk(hosts[0])
    hosts[1].run(["scp", "-q", f"host1:{BASE}", BASE], seconds=120)
    guest.disk = f"{IMAGES}/guest1.qcow2"
    guest.create_disk = lambda host: host.run(
        ["qemu-img", "create", "-q", "-f", "qcow2", "-b", BASE, "-F", "qcow2", guest.disk])
    guest.create(hosts[0], form=None)
    tally.attempts("incremental", lambda: writing_through(
        guest, [lambda: travel_incremental(guest, stores)]))
    guest.destroy()


SHAPE = ("path", "format", "virtualSizeBytes", "clusterSizeBytes", "compat", "extendedL2",
         "lazyRefcounts", "refcountBits")


def travel_incremental(guest, stores):
    """To the other host by the calls that an orchestrator makes."""
    here = guest.host()
    source, target = sorted(stores, key=lambda storage: storage.host is not here)
    described = source.call("Describe", guest=guest.name)
    disk = described["disks"][0]
    images = source.job("DigestImages", paths=[base["path"] for base in disk["backing"]])["images"]
    backing = [{**image, "format": base["format"]}
               for base, image in zip(disk["backing"], images)]
    wanted = {name: disk[name] for name in SHAPE if name in disk}
    target.create_targets(described["guest"], [{**wanted, "backing": backing}])
    source.job("Migrate", guest=guest.name, copyDisks=[disk["target"]], incremental=True,
               destinationUri=f"qemu+ssh://{target.host.name}/system")
    wait_for("the lease to end with the guest's arrival", lambda: not target.leases(), 30, 0.5)
    guest.remove_old_disk()


KINDS = {"share": share, "third host": third_host, "source as server": source_as_server,
         "copy": copy, "mixed": mixed, "volume": volume, "incremental": incremental}
