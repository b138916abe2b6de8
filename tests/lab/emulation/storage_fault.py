# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong while disks are moved: each fault strikes a crossing at a stage, and heals."""

from . import network, nfs_server
from .guest import IMAGES

HOME, AWAY = "home", "away"
# Both for the image and for what grows there until it is full.
SMALL_MIB = 192
CUT_SECONDS = 60  # then it heals by itself, so that nothing waits for ever
STALE = "an image that somebody forgot here"


class Fault:
    """Nothing goes wrong. `stages`: where it can strike; `ends`: where the guest is then; `says`:
    what the outcome must say."""

    name = "nothing"
    stages = ("copying", "switching over")
    ends = AWAY
    says = ""
    coordinator_lives = True

    def prepare(self, crossing):
        """Before anything is counted."""

    def strike(self, crossing):
        """At the stage."""

    def heal(self, crossing):
        """When the move has ended, and before all settles."""

    def clear(self, crossing):
        """Takes back what prepare() did, when all has settled."""


class Cancelled(Fault):
    """Somebody cancels the migration."""

    name = "cancelled"
    ends = HOME
    says = "Cancelled"

    def strike(self, crossing):
        crossing.cancel()


class CoordinatorGone(Fault):
    """Nobody is left who would renew or release the lease."""

    name = "coordinator gone"
    coordinator_lives = False

    def strike(self, crossing):
        crossing.hang_up()


class Killed(Fault):
    """A daemon dies of SIGKILL, and is started again."""

    def __init__(self, name, unit, side, ends):
        self.name, self._unit, self._side, self.ends = name, unit, side, ends

    def strike(self, crossing):
        getattr(crossing, self._side).run(
            f"systemctl kill --kill-whom=main --signal=KILL {self._unit}.service; "
            f"systemctl reset-failed {self._unit}.service {self._unit}.socket; "
            f"systemctl start {self._unit}.socket {self._unit}.service", check=False, seconds=90)


class CutOff(Fault):
    """Nothing that the source sends arrives on the destination."""

    name = "destination cut off"
    ends = HOME

    def strike(self, crossing):
        route = self._route(crossing)
        crossing.source.run(f"ip route add {route}; (sleep {CUT_SECONDS}; ip route del {route}) "
                            "> /dev/null 2>&1 < /dev/null &")

    def heal(self, crossing):
        crossing.source.run(f"ip route del {self._route(crossing)}", check=False)

    @staticmethod
    def _route(crossing):
        return f"blackhole {network.MANAGEMENT}.{crossing.target.number}/32"


class Full(Fault):
    """The destination has no room left for what the image grows by."""

    name = "target full"
    stages = ("preparing", "copying")
    ends = HOME

    def prepare(self, crossing):
        crossing.target.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_MIB}m,mode=711", "small",
                             IMAGES])

    def strike(self, crossing):
        crossing.target.run(f"cat /dev/zero > {IMAGES}/filler", check=False)

    def heal(self, crossing):
        crossing.target.run(["rm", "-f", f"{IMAGES}/filler"])

    def clear(self, crossing):
        crossing.target.run(["umount", IMAGES])


class NoAccess(Fault):
    """QEMU's user does not get into the directory on the destination."""

    name = "no access"
    stages = ("preparing",)
    ends = HOME

    def strike(self, crossing):
        crossing.target.run(f"stat -c %a {IMAGES} > /run/mode && chmod 700 {IMAGES}")

    def heal(self, crossing):
        crossing.target.run(f"chmod $(cat /run/mode) {IMAGES}")


class StaleTarget(Fault):
    """Where the image should be made, there is one that is not ours."""

    name = "stale target"
    stages = ("preparing",)
    ends = HOME
    says = "TargetExists"

    def prepare(self, crossing):
        crossing.target.run(["tee", crossing.guest.disk], stdin=STALE)

    def clear(self, crossing):
        self._expect(crossing, crossing.guest.disk)
        crossing.target.run(["rm", crossing.guest.disk])

    @staticmethod
    def _expect(crossing, path):
        found = crossing.target.output(["cat", path])
        assert found == STALE, f"{path} on {crossing.target.name} was overwritten: {found[:80]!r}"


class Symlink(StaleTarget):
    """Where the image should be made, a link leads to somebody else's file."""

    name = "symlink"
    foreign = "/srv/foreign"

    def prepare(self, crossing):
        crossing.target.run(["tee", self.foreign], stdin=STALE)
        crossing.target.run(["ln", "-s", self.foreign, crossing.guest.disk])

    def clear(self, crossing):
        self._expect(crossing, self.foreign)
        crossing.target.run(["rm", self.foreign, crossing.guest.disk])


class ServerStopped(Fault):
    """The NFS server of the guest's other disk answers nobody for a while."""

    name = "NFS server stopped"
    seconds = 8

    def strike(self, crossing):
        nfs_server.pause()
        try:
            # Who asks about the guest meanwhile is not kept waiting by the server.
            crossing.source.run(f"sleep {self.seconds}; virsh domstate {crossing.guest.name}")
        finally:
            nfs_server.go_on()


COPY_FAULTS = {fault.name: fault for fault in (
    StaleTarget(), Symlink(), Full(), NoAccess(), Cancelled(), CoordinatorGone(), CutOff(),
    Killed("storprepd killed here", "storprepd", "source", AWAY),
    Killed("storprepd killed there", "storprepd", "target", AWAY),
    Killed("libvirtd killed here", "libvirtd", "source", HOME),
    Killed("libvirtd killed there", "libvirtd", "target", HOME))}
SHARE_FAULTS = {fault.name: fault for fault in (ServerStopped(),)}
