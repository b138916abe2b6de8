# SPDX-License-Identifier: LGPL-2.1-or-later
"""The coordinator killed, or stopped by Ctrl-C, at every step of a move."""

from emulation.deadline import wait_for
from emulation.journey import Journey, expect_home, leases

STEPS = ("reserve-functions", "create-targets", "detach", "migrate", "attach")


def run(lab):
    hosts = lab.host(1), lab.host(2)
    guest = lab.guest("guest1")
    guest.create(hosts[0], bond="self")

    for step in STEPS:
        with lab.case(f"killed at {step}: leases bring both hosts back"):
            source, target = places(guest, hosts)
            journey = Journey(guest, source, target.name, "--lease", "10")
            assert journey.until_started(step), f"never came to {step}"
            journey.signal("KILL")
            wait_for("the leases to end", lambda: not leases(source) and not leases(target), 90)
            expect_settled(guest, hosts)

    for step in STEPS[:-1]:
        with lab.case(f"Ctrl-C at {step}: all is put back at once"):
            source, target = places(guest, hosts)
            journey = Journey(guest, source, target.name)
            assert journey.until_started(step), f"never came to {step}"
            journey.signal("INT")
            status = journey.end()
            assert status == 130, f"status {status}: {journey.result}"
            expect_home(guest, source, target)

    with lab.case("migprep cancel stops a move that copies"):
        source, target = places(guest, hosts)
        journey = Journey(guest, source, target.name, "--bandwidth", "4")
        assert journey.until_started("migrate")
        source.run(["migprep", "cancel", guest.name])
        status = journey.end()
        assert status == 130, f"status {status}: {journey.result}"
        expect_home(guest, source, target)


def places(guest, hosts):
    """(where the guest runs, the other host)."""
    source = guest.host()
    return source, next(host for host in hosts if host is not source)


def expect_settled(guest, hosts):
    """Wherever the guest ended up, it is complete there and nothing is left on the other host."""
    source, other = places(guest, hosts)
    expect_home(guest, source, other, target_kept=True)
    other.run(["rm", "-f", guest.disk])
