# SPDX-License-Identifier: LGPL-2.1-or-later
"""A host emptied for its maintenance: by its target, killed, failing, refused, and by a restart.

Three guests: guest1 has a function and a disk that is copied, guest2 a disk on NFS, guest3 is pinned.
"""

import contextlib
import json

from emulation import nfs_server
from emulation.deadline import wait_for
from emulation.error import LabError
from emulation.guest import IMAGES
from emulation.storage import Storage, key

SHARED = f"{IMAGES}/shared"
CONFIG = "[drain]\nto={to}\n[hooks]\nguest-seconds=60\n"
TARGET = "migprep-maintenance.target"
HOOK = "#!/bin/sh\necho $MIGPREP_PHASE $MIGPREP_RESULT >> /run/lab-hooks\n"
GUEST_HOOKS = """
for phase in before_migration after_migration; do
    directory=/etc/netprep-guest/hooks.d/$phase
    mkdir -p $directory
    printf '#!/bin/sh\\necho lab hook of %s\\n' $phase > $directory/note.root
    chmod 755 $directory/note.root
done
"""
# Nothing in the guest listens to a power button; its agent runs this.
SHUTDOWN = """
printf '#!/bin/sh\\n(sleep 1; echo o > /proc/sysrq-trigger) > /dev/null 2>&1 &\\n' > /sbin/shutdown
chmod 755 /sbin/shutdown
"""
DRAIN_SECONDS = 900


def run(lab):
    hosts = lab.host(1), lab.host(2)
    with nfs_server.NfsServer(), configured(hosts), mounted(hosts):
        try:
            guests = create_guests(lab, hosts[0])
            by_the_target(lab, hosts, guests)
            come_back(lab, hosts, guests)
            failing(lab, hosts, guests)
            come_back(lab, hosts, guests)
            killed(lab, hosts, guests)
            come_back(lab, hosts, guests)
            at_each_other(lab, hosts, guests)
            by_a_restart(lab, hosts, guests)
        finally:
            for name in ("guest1", "guest2", "guest3"):
                lab.guest(name).destroy()


@contextlib.contextmanager
def configured(hosts):
    """Each host empties itself to the other one, and its hooks take notes."""
    for host, other in (hosts, hosts[::-1]):
        host.run("mkdir -p /etc/migprep/pre-drain.d /etc/migprep/post-drain.d")
        host.run(["tee", "/etc/migprep/migprep.conf"], stdin=CONFIG.format(to=other.name))
        for phase in ("pre", "post"):
            path = f"/etc/migprep/{phase}-drain.d/note"
            host.run(["tee", path], stdin=HOOK)
            host.run(["chmod", "755", path])
    try:
        yield
    finally:
        for host in hosts:
            host.run(f"systemctl stop {TARGET}; migprep maintenance end; systemctl reset-failed; "
                     "systemctl disable -q --now migprep-shutdown.service; "
                     "rm -rf /etc/migprep /run/lab-hooks", check=False, seconds=120)


@contextlib.contextmanager
def mounted(hosts):
    """Both hosts have SHARED from a third one, for as long as they run."""
    replies = []
    for storage in map(Storage, hosts):
        reply = storage.mount(nfs_server.ADDRESS, nfs_server.EXPORT, SHARED)
        storage.call("Commit", **key(reply))
        replies.append((storage, reply))
    try:
        yield
    finally:
        for storage, reply in replies:
            with contextlib.suppress(Exception):  # a host that was started anew has no mount
                storage.release(reply)


def create_guests(lab, host):
    first, second, third = guests = [lab.guest(f"guest{number}") for number in (1, 2, 3)]
    first.create(host, bond="self")
    first.output(GUEST_HOOKS)
    second.disk = f"{SHARED}/{second.name}.qcow2"
    second.create(host, form=None)
    third.create(host, form=None)
    host.run(["migprep", "policy", third.name, "mode=pinned"])
    return guests


def expect_places(guests, host, home=None, third=None):
    """The first two run on a host; the one that cannot move is in state `third` on its `home`."""
    for guest in guests[:2]:
        found = guest.host()
        assert found is host, f"{guest.name} is on {found.name}, not on {host.name}"
    if third:
        state = guests[2].state(home)
        assert state == third, f"{guests[2].name} is {state}, not {third}"


def in_maintenance(host):
    return json.loads(host.output(["migprep", "maintenance", "status", "--json"]))["maintenance"]


class Drain:
    """One `migprep drain --json` on a host, read as it goes."""

    def __init__(self, host, *options):
        self.host, self.events = host, []
        self._stream = host.start(["migprep", "drain", "--json", *options])

    def until(self, wanted):
        """Reads until an event fulfils wanted(event); False when it ended without one."""
        for _, line in self._stream:
            self.events.append(json.loads(line))
            if wanted(self.events[-1]):
                return True
        return False

    def end(self):
        """Reads to the end: (exit status, last event)."""
        self.until(lambda _: False)
        status = self._stream.status(DRAIN_SECONDS)
        if not self.events or self.events[-1]["event"] != "result":
            raise LabError(f"the drain ended without a result: {self._stream.errors()}")
        return status, self.events[-1]

    def kill(self):
        self.host.run(["pkill", "-KILL", "-f", "^migprep drain "])
        self._stream.status()


def note_figures(lab, result):
    """What a run of the scenario is asked for."""
    lab.result["result"] = result["result"]
    lab.result["guests"] = [{member: guest[member] for member in ("name", "outcome", "seconds")}
                            for guest in result["guests"]]


def by_the_target(lab, hosts, guests):
    source, target = hosts
    with lab.case("the target is not reached while a guest stays, but the others have left"):
        done = source.run(["systemctl", "start", TARGET], check=False, seconds=DRAIN_SECONDS)
        assert done.returncode != 0, "the target was reached with a guest on the host"
        expect_places(guests, target, source, "running")
        assert in_maintenance(source)

    with lab.case("it is reached when the host is empty: the guest that cannot move hibernates"):
        source.run(["migprep", "policy", guests[2].name, "fallback=hibernate"])
        source.run(["systemctl", "start", TARGET], seconds=DRAIN_SECONDS)
        assert source.output(["systemctl", "is-active", TARGET]) == "active"
        assert not source.output(["virsh", "-q", "list", "--name"])
        expect_places(guests, target, source, "shut off")

    with lab.case("hooks of the host and of the guest ran, and the journal has what they said"):
        notes = source.output(["cat", "/run/lab-hooks"]).splitlines()
        assert notes[-2:] == ["pre-drain", "post-drain drained"], notes
        for host, phase in ((source, "before_migration"), (target, "after_migration")):
            said = host.output(["journalctl", "-o", "cat", "MIGPREP_EVENT=guest-hook"])
            assert f"lab hook of {phase}" in said, said

    with lab.case("a host in maintenance refuses guests, and says why"):
        done = target.run(["migprep", "migrate", guests[1].name, "--to", source.name, "--json"],
                          check=False, seconds=120)
        assert done.returncode != 0 and "maintenance" in done.stdout, done.stdout
        expect_places(guests, target)

    with lab.case("stopping the target ends the maintenance"):
        source.run(["systemctl", "stop", TARGET], seconds=60)
        # systemd waits for the target, which is stopped before its service.
        wait_for("the end of the maintenance", lambda: not in_maintenance(source), 30)


def come_back(lab, hosts, guests):
    with lab.case("guests that left are brought back, and the one that hibernated goes on"):
        hosts[0].run(["migprep", "maintenance", "end"])
        guests[0].remove_old_disk()  # the image that its move left here
        hosts[0].run(["migprep", "return"], seconds=DRAIN_SECONDS)
        guests[0].remove_old_disk()
        expect_places(guests, hosts[0], hosts[0], "running")


def failing(lab, hosts, guests):
    source, target = hosts
    guests[2].output(SHUTDOWN)
    source.run(["migprep", "policy", guests[2].name, "fallback=shutdown"])
    watch = source.start(["migprep", "status", "--watch", "--json"])
    with lab.case("a guest whose move fails midway is tried again, the others go on"):
        drain = Drain(source)
        assert drain.until(lambda event: event.get("guest") == guests[0].name
                           and event.get("detail") == "migrate"), drain.events
        wait_for("the migration", lambda: source.run(
            ["virsh", "domjobabort", guests[0].name], check=False).returncode == 0, 60, 0.5)
        status, result = drain.end()
        assert any(event["event"] == "retry" and event["guest"] == guests[0].name
                   for event in drain.events), drain.events
        assert (status, result["result"]) == (0, "drained"), result
        expect_places(guests, target, source, "shut off")
        note_figures(lab, result)

    with lab.case("whoever watches the host heard of all of it"):
        heard = hear(watch, "drained")
        assert ("started", guests[0].name) in heard and ("moved", guests[0].name) in heard, heard
        assert ("moved", guests[1].name) in heard and ("stopped", guests[2].name) in heard, heard
    watch.stop()

    with lab.case("the guest that cannot move shut down when it was asked to"):
        assert not source.run(["test", "-e", f"/var/lib/libvirt/qemu/save/{guests[2].name}.save"],
                              check=False).returncode == 0, "it hibernated"


def hear(watch, last):
    """(kind, guest's name) of what a watcher was told, up to a kind."""
    heard = []
    for _, line in watch:
        event = json.loads(line)
        heard.append((event["kind"], event["guest"] and event["guest"]["name"]))
        if event["kind"] == last:
            return heard
    raise LabError(f"the watch ended before it said {last}: {heard}")


def killed(lab, hosts, guests):
    source, target = hosts
    source.run(["migprep", "policy", guests[2].name, "fallback=hibernate"])
    with lab.case("a drain that was killed is resumed by running it again"):
        drain = Drain(source)
        assert drain.until(lambda event: event.get("guest") == guests[0].name
                           and event.get("detail") == "migrate"), drain.events
        drain.kill()
        assert in_maintenance(source), "killing the command ended the maintenance"
        status, result = Drain(source).end()
        assert (status, result["result"]) == (0, "drained"), result
        expect_places(guests, target, source, "shut off")


def at_each_other(lab, hosts, guests):
    with lab.case("two hosts that empty themselves to each other are refused, with the reason"):
        drains = [Drain(host) for host in hosts]
        results = [drain.end() for drain in drains]
        # Each is in maintenance before it asks, so at most one of them got an answer before.
        refused = [result for status, result in results if status != 0]
        assert refused, results
        assert "maintenance" in json.dumps(refused), refused
        for host in hosts:
            host.run(["migprep", "maintenance", "end"])
        for guest in guests[:2]:
            guest.host()  # on exactly one of them


def by_a_restart(lab, hosts, guests):
    source, target = hosts
    with lab.case("a restart of the host moves its guests away first, without anybody's help"):
        bring_together(guests, source)
        source.run(["systemctl", "enable", "-q", "--now", "migprep-shutdown.service"])
        with lab.probe(guests[0], 100):
            source.run(["systemctl", "reboot", "--no-block"], check=False)
            lab.wait_off(source.number)
        for guest in guests[:2]:
            assert guest.state(target) == "running", f"{guest.name}: {guest.state(target)}"
        assert guests[0].functions(target), "guest1 has no function"

    with lab.case("the host comes back and takes guests"):
        lab.power_on(source.number)
        assert not in_maintenance(source)


def bring_together(guests, host):
    """Whatever the case before left: the first two run on the host."""
    for guest in guests[:2]:
        if guest.host() is not host:
            if guest is guests[0]:
                guest.remove_old_disk()
            guest.host().run(["migprep", "migrate", guest.name, "--to", host.name], seconds=300)
        if guest is guests[0]:
            guest.remove_old_disk()
