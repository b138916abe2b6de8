# SPDX-License-Identifier: LGPL-2.1-or-later
"""A function without a link: joining the bond fails, and leaves the guest reachable."""

JOIN = ["/usr/sbin/netprep-guest", "join", "--bond", "bond0"]


def run(lab):
    host = lab.host(1)
    guest = lab.guest("guest1")
    guest.create(host)
    guest.create_bond(host)
    path = guest.function_paths(host)[0]
    guest.output(f"echo -{guest.bond(host)['active']} > /sys/class/net/bond0/bonding/slaves", host)

    with lab.case("a join without link fails and takes the port out again"):
        host.run("ip link set pf0 down")
        status, output, _ = guest.run([*JOIN, "--path", path, "--timeout", "3"], host)
        assert status == 1 and path in output, output
        assert list(guest.bond(host)["nics"].values()) == ["virtio_net"], guest.bond(host)

    with lab.case("with the link back it succeeds"):
        host.run("ip link set pf0 up")
        status, output, _ = guest.run([*JOIN, "--path", path, "--timeout", "30"], host)
        assert status == 0, output
        assert guest.bond(host)["activeDriver"] == "igbvf", guest.bond(host)
