# SPDX-License-Identifier: LGPL-2.1-or-later
"""Moving a guest by hand, as vendors' manuals have it: the yardstick for what replaces it."""

import time
from concurrent.futures import ThreadPoolExecutor

from . import domain
from .deadline import wait_for


def unplug(guest, host):
    """Detaches the guest's functions and waits until libvirt has let them go."""
    # The device as libvirt shows it, with its place in the guest: the MAC alone may be ambiguous.
    for device in guest.function_devices(host).values():
        host.run(["virsh", "detach-device", guest.name, "/dev/stdin", "--live"],
                 stdin=domain.text(device))
    wait_for(f"the unplug of {guest.name}'s functions", lambda: not guest.functions(host), 30)


def migrate(guest, source, target):
    """Makes the target image of equal size, then migrates live with the disk's content."""
    size = source.output(f"qemu-img info -U --output=json {guest.disk} | "
                         "sed -n 's/.*\"virtual-size\": \\([0-9]*\\).*/\\1/p' | tail -1")
    target.run(["qemu-img", "create", "-q", "-f", "qcow2", guest.disk, size])
    source.run(["virsh", "migrate", "--live", "--persistent", "--undefinesource",
                "--copy-storage-all", guest.name, f"qemu+ssh://{target.name}/system"],
               seconds=120)
    source.run(["rm", "-f", guest.disk])


def replug(guest, host, form, function):
    """Attaches a function and puts it into the guest's bond as soon as its driver shows it."""
    device = domain.text(domain.function_device(form, function, guest.mac))
    host.run(["virsh", "attach-device", guest.name, "/dev/stdin", "--live"], stdin=device)
    nic = wait_for("the function's driver in the guest", lambda: guest.output(
        "for n in /sys/class/net/*/device; do case $(readlink -f $n/driver) in */igbvf) "
        "basename $(dirname $n);; esac; done", host), 30)
    guest.output(f"ip link set {nic} down; echo +{nic} > /sys/class/net/bond0/bonding/slaves; "
                 f"echo {nic} > /sys/class/net/bond0/bonding/primary", host)
    wait_for("the bond on the function",
             lambda: (guest.bond(host) or {}).get("activeDriver") == "igbvf", 30)


def out_and_in(guest, host):
    """Takes all functions out at once and puts them in again, nothing else: no bond, no traffic. It
    is the least that libvirt and the guest's drivers need. Returns the seconds."""
    devices = [domain.text(device) for device in guest.function_devices(host).values()]
    begin = time.monotonic()
    for verb in ("detach-device", "attach-device"):
        with ThreadPoolExecutor(len(devices)) as pool:
            list(pool.map(lambda text, verb=verb: host.run(
                ["virsh", verb, guest.name, "/dev/stdin", "--live"], stdin=text), devices))
        wanted = len(devices) if verb == "attach-device" else 0
        wait_for(f"{wanted} functions in {guest.name}",
                 lambda wanted=wanted: len(guest.function_paths(host)) == wanted
                 and len(guest.functions(host)) == wanted, 30)
    return round(time.monotonic() - begin, 2)


def move(guest, source, target, form, function, probe):
    """All of it. Returns the seconds and the lost milliseconds of each phase."""
    times = [time.monotonic()]
    unplug(guest, source)
    times.append(time.monotonic())
    migrate(guest, source, target)
    times.append(time.monotonic())
    replug(guest, target, form, function)
    since = time.monotonic()
    probe.wait_reply(since + 1, 30)
    times.append(since + 1)
    phases = {}
    for name, begin, end in zip(("unplug", "switchover", "replug"), times, times[1:]):
        window = probe.window(begin, end)
        phases[name] = {"seconds": round(end - begin, 2),
                        "lostMilliseconds": window["lostMilliseconds"],
                        "longestGapMilliseconds": window["longestGapMilliseconds"],
                        "unsent": window["unsent"]}
    return phases
