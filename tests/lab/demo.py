# SPDX-License-Identifier: LGPL-2.1-or-later
"""Moves a guest with a passed-through network card from one emulated host to the other, live.

Builds the images and the project when needed, starts two hosts, starts a guest with a virtual
function and a disk, and moves it with migprep while its network is measured every 10 ms."""

import json
import sys
import time

from emulation import command, lab, story
from emulation.move import Move


def prepare(handle, tale):
    """A guest on host1 with its bond up; its disk's checksum."""
    handle.deploy()
    handle.reset()
    guest = handle.guest("guest1")
    with tale.act("start guest1 with a virtual function", "host1"):
        guest.create(handle.host(1))
    with tale.act("bond the function with the VirtIO NIC", "guest1"):
        guest.create_bond(handle.host(1))
    with tale.act("checksum of the disk", "guest1"):
        return guest, guest.disk_sha256(handle.host(1))


def move(handle, tale, guest, before):
    """Moves the guest under the probe; all figures."""
    with handle.probe(guest) as probe:
        tale.heading("migprep migrate guest1 --to host2")
        figures = Move(handle, guest, probe).run(tale.event)
    moved = figures["result"] == "moved"
    figures["diskVerified"] = moved and guest.disk_sha256(handle.host(2)) == before
    return figures


def main():
    parser = command.parser(__doc__, prog="demo")
    parser.add_argument("--json", metavar="FILE", help="write all figures into this file")
    parser.add_argument("--keep", action="store_true", help="leave both hosts up at the end")
    options = parser.parse_args()
    begin = time.monotonic()
    tale = story.Story(sys.stdout)
    tale.heading("two emulated hosts")
    with lab.session(tale.doing, options.keep) as handle:
        guest, before = prepare(handle, tale)
        figures = move(handle, tale, guest, before)
    figures["totalSeconds"] = round(time.monotonic() - begin, 1)
    tale.summary(figures)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=2)
            file.write("\n")
    return 0 if figures["result"] == "moved" and figures["diskVerified"] else 1


command.main(main)
