# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong during a move: each fault strikes a passage at a stage, and heals."""

from .deadline import wait_for
from .error import LabError

SERVICES = "netprepd.socket netprepd.service storprepd.socket storprepd.service libvirtd.service"


def place(passage, stage):
    """The host on which the work of a stage is done."""
    return passage.target if stage in ("reserved", "attaching") else passage.source


class Fault:
    """Nothing goes wrong. `stages`: where it can strike."""

    name = "nothing"
    stages = ("reserved", "detaching", "detached", "migrating", "attaching")
    coordinator_lives = True

    def prepare(self, passage):
        """Before the move begins."""

    def strike(self, passage, stage):
        """At the stage."""

    def degraded(self, stage):
        """Whether the guest must be listed as degraded until it heals."""
        return False

    def heal(self, passage, stage):
        """Afterwards."""


class Killed(Fault):
    """netprepd dies of SIGKILL where the work is done."""

    name = "netprepd killed"

    def strike(self, passage, stage):
        host = place(passage, stage)
        host.run(["systemctl", "kill", "--signal=KILL", "netprepd.service"])
        host.run(["systemctl", "start", "netprepd.socket"], check=False)


class LibvirtRestarted(Fault):
    """libvirtd starts anew where the work is done."""

    name = "libvirtd restarted"

    def strike(self, passage, stage):
        place(passage, stage).run(["systemctl", "restart", "libvirtd.service"], seconds=90)


class CoordinatorGone(Fault):
    """Nobody is left who would renew or release a lease."""

    name = "coordinator gone"
    coordinator_lives = False

    def strike(self, passage, stage):
        passage.hang_up()


class DestinationGone(Fault):
    """On the destination all that takes part in a move is killed, and comes back later."""

    name = "destination gone"

    def strike(self, passage, stage):
        passage.target.run(f"systemctl stop netprepd.socket storprepd.socket libvirtd.socket "
                           f"libvirtd-ro.socket libvirtd-admin.socket; "
                           f"systemctl kill --signal=KILL netprepd storprepd libvirtd; "
                           f"systemctl stop {SERVICES}", check=False)

    def heal(self, passage, stage):
        passage.target.run("systemctl reset-failed; systemctl start libvirtd.socket "
                           "libvirtd-ro.socket libvirtd-admin.socket libvirtd.service "
                           "netprepd.socket storprepd.socket netprepd.service storprepd.service",
                           seconds=90)


class FunctionStolen(Fault):
    """Somebody gives a function that is held for the guest an address of its own."""

    name = "function stolen"
    stages = ("reserved", "detached")

    def strike(self, passage, stage):
        self._each(passage, stage, "ip address add 192.0.2.1/24 dev $nic; ip link set $nic up")

    def degraded(self, stage):
        return False

    def heal(self, passage, stage):
        self._each(passage, stage, "ip address flush dev $nic; ip link set $nic down")

    def _each(self, passage, stage, command):
        host = place(passage, stage)
        functions = passage.functions if stage == "reserved" else passage.held
        for function in functions:
            host.run(f"for nic in $(ls /sys/bus/pci/devices/{function}/net 2>/dev/null); do "
                     f"{command}; done")


class LinkDown(Fault):
    """The physical function on the destination loses its link."""

    name = "link down"

    def strike(self, passage, stage):
        passage.target.run("ip link set pf0 down")

    def heal(self, passage, stage):
        passage.target.run("ip link set pf0 up")


class FunctionsRemade(Fault):
    """Somebody writes sriov_numvfs: all functions vanish and come back as new ones."""

    name = "sriov_numvfs changed"
    # A function inside a guest cannot vanish: the kernel waits until the guest lets it go.
    stages = ("reserved", "detached")

    def strike(self, passage, stage):
        place(passage, stage).run("echo 0 > /sys/class/net/pf0/device/sriov_numvfs")

    def heal(self, passage, stage):
        place(passage, stage).run(
            "cd /sys/class/net/pf0/device; echo 4 > sriov_numvfs; for vf in 0 1 2 3; do "
            "ip link set pf0 vf $vf mac 00:00:00:00:00:00 trust on; done; udevadm settle")


class AgentSilent(Fault):
    """The agent inside the guest hangs for a while."""

    name = "guest silent"
    seconds = 25

    def strike(self, passage, stage):
        host = passage.target if stage == "attaching" else passage.source
        # Not before it has said that this was begun.
        passage.guest.output(f"(sleep 1; kill -STOP $(pidof qemu-ga); sleep {self.seconds}; "
                             "kill -CONT $(pidof qemu-ga)) > /dev/null 2>&1 &", host)

    def heal(self, passage, stage):
        wait_for(f"the agent of {passage.guest.name}", lambda: _answers(passage), 60, 1)


class LateRemoval(Fault):
    """The guest lets its function go only after netprepd has lost patience."""

    name = "late removal"
    stages = ("detaching",)

    def prepare(self, passage):
        passage.source.run("mkdir -p /etc/migprep; printf '[network]\\nunplug-seconds=2\\n' "
                           "> /etc/migprep/migprep.conf; systemctl restart netprepd")

    def heal(self, passage, stage):
        passage.source.run("rm /etc/migprep/migprep.conf; systemctl restart netprepd")


FAULTS = {fault.name: fault for fault in (
    AgentSilent(), LateRemoval(), Killed(), LibvirtRestarted(), CoordinatorGone(),
    DestinationGone(), FunctionStolen(), LinkDown(), FunctionsRemade())}


def _answers(passage):
    try:
        return passage.guest.host().run(
            ["virsh", "qemu-agent-command", "--timeout", "2", passage.guest.name,
             '{"execute":"guest-ping"}'], check=False).returncode == 0
    except LabError:
        return False
