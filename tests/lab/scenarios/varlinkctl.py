# SPDX-License-Identifier: LGPL-2.1-or-later
"""systemd's own client can introspect and call both daemons."""

import json

SERVICES = (("netprep", "Network", "Reserve"), ("storprep", "Storage", "CreateTargets"))


def run(lab):
    host = lab.host(1)
    for directory, name, method in SERVICES:
        socket, interface = f"/run/{directory}/io.migprep.{name}", f"io.migprep.{name}"
        with lab.case(f"{interface}: info, introspect and call"):
            assert interface in host.output(["varlinkctl", "info", socket])
            description = host.output(["varlinkctl", "introspect", socket, interface])
            assert f"method {method}(" in description, description
            reply = host.output(["varlinkctl", "call", "-j", socket, f"{interface}.ListLeases", "{}"])
            assert json.loads(reply) == {"leases": []}, reply
        with lab.case(f"{interface}: an error names object, cause and remedy"):
            done = host.run(["varlinkctl", "call", "-j", socket, f"{interface}.Describe",
                             '{"guest":"nonesuch"}'], check=False)
            assert done.returncode != 0
            for word in ("GuestNotFound", "nonesuch", "remedy"):
                assert word in done.stdout + done.stderr, done.stdout + done.stderr
