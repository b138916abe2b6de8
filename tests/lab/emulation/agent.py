# SPDX-License-Identifier: LGPL-2.1-or-later
"""The agent inside a guest, reached through libvirt on the guest's host."""

import base64
import json

from .deadline import wait_for
from .error import CommandFailed, LabError


def call(host, guest, command, seconds=20, **arguments):
    """One agent command; its return value. Raises LabError when agent or libvirt refuse."""
    request = {"execute": command}
    if arguments:
        request["arguments"] = arguments
    reply = host.output(["virsh", "qemu-agent-command", "--timeout", str(int(seconds)), guest,
                         json.dumps(request)], seconds=seconds + 10)
    return json.loads(reply)["return"]


def answers(host, guest):
    """Whether the agent answers now."""
    try:
        call(host, guest, "guest-ping", seconds=5)
    except LabError:
        return False
    return True


def run(host, guest, argv, seconds=60):
    """Runs a program inside the guest: (exit status, standard output, standard error)."""
    pid = call(host, guest, "guest-exec", path=argv[0], arg=list(argv[1:]),
               **{"capture-output": True})["pid"]
    state = {}

    def ended():
        state.update(call(host, guest, "guest-exec-status", pid=pid))
        return state["exited"]
    wait_for(f"the end of {argv[0]} in {guest}", ended, seconds, 0.1)

    def output(name):
        return base64.b64decode(state.get(name, "")).decode(errors="replace")
    return state.get("exitcode", 128 + state.get("signal", 0)), output("out-data"), \
        output("err-data")


def output(host, guest, argv, seconds=60):
    """The stripped standard output of a program that must succeed inside the guest."""
    status, out, err = run(host, guest, argv, seconds)
    if status:
        raise CommandFailed(guest, argv, status, out + err)
    return out.strip()
