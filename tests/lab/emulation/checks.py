# SPDX-License-Identifier: LGPL-2.1-or-later
"""What `migprep check` says of a host, and that it leaves the host as it was."""

import json
import time
from contextlib import contextmanager

READY, WARNINGS, BLOCKED, UNKNOWN = 0, 1, 2, 3

# What a check must leave alone, each a command whose output is compared.
STATE = {
    "guests": "for g in $(virsh list --all --name); do virsh dumpxml $g; virsh dumpxml --inactive $g; "
              "virsh domstate $g; done",
    "networks": "for n in $(virsh net-list --all --name); do virsh net-dumpxml $n; done",
    "mounts": "findmnt -rno TARGET,SOURCE,FSTYPE,OPTIONS | sort",
    "exports": "exportfs -s 2>/dev/null || true",
    "files": "find /var/lib/libvirt /srv /etc/migprep /run/migprep -printf '%p %i %s %T@\\n' "
             "2>/dev/null | grep -v /qemu/ | sort",
    "functions": "ip -d link show pf0 | grep -o 'vf .*'; cat /sys/class/net/pf0/device/sriov_numvfs; "
                 "for f in /sys/class/net/pf0/device/virtfn*; do readlink -f $f/driver; done",
    "pools": "for p in $(virsh pool-list --all --name); do virsh pool-dumpxml $p | grep -v -e available "
             "-e allocation; done",
    "images": "find /var/lib/libvirt/images /srv -type f -printf '%p %i %u %m\\n' 2>/dev/null | sort",
    "clients": "cat /proc/fs/nfsd/clients/*/info 2>/dev/null | grep -e address -e '^name' | sort",
    "bridge": "bridge fdb show dev pf0 | sort; bridge link show",
    "rules": "iptables -S",
    "leases": "migprep status | sed -E 's/ +[0-9]+ +/ /'",  # without the seconds left
}
# Bytes that the guest writes to its own disk meanwhile are no side effect of ours.
VOLATILE = ("guest1.qcow2",)


def snapshot(host):
    lines = {name: host.run(command, check=False).stdout.splitlines()
             for name, command in STATE.items()}
    lines["files"] = [line for line in lines["files"] if not any(v in line for v in VOLATILE)]
    return lines


def check(host, *words):
    """The exit status, the document, and the seconds that it took."""
    start = time.monotonic()
    done = host.run(["migprep", "check", *words, "--json"], check=False, seconds=60)
    return done.returncode, json.loads(done.stdout), time.monotonic() - start


def expect(host, check_id, severity, *named, status=BLOCKED, outcome="failed", words=None):
    """The check fails with this severity, its evidence names what is broken, and its remedy is a
    command. status None: that of the command does not matter."""
    code, document, _ = check(host, *(words or ("guest1", "--to", "host2")))
    found = [entry for entry in document["results"]
             if entry["check"] == check_id and entry["outcome"] == outcome]
    assert found, f"{check_id} is not {outcome}: {wrong(document)}"
    text = found[0]["object"] + " " + found[0]["evidence"]
    assert found[0]["severity"] == severity, found[0]
    assert all(name in text for name in named), text
    assert outcome == "unknown" or found[0]["remedy"].split()[0], found[0]
    assert status in (None, code), f"status {code} instead of {status}: {wrong(document)}"
    return found[0]


def is_found(host, check_id):
    """Whether the check fails, instead of passing or not being known."""
    _, document, _ = check(host, "guest1", "--to", "host2")
    return any(entry["check"] == check_id and entry["outcome"] == "failed"
               for entry in document["results"])


def wrong(document):
    return [(entry["check"], entry["outcome"], entry["evidence"])
            for entry in document["results"] if entry["outcome"] != "passed"]


@contextmanager
def broken(host, command, undo):
    try:
        host.run(command)
        yield
    finally:
        host.run(undo)


@contextmanager
def unchanged(*hosts):
    """Nothing of the hosts is other at the end of the block than at its beginning."""
    before = [snapshot(host) for host in hosts]
    yield
    for host, then in zip(hosts, before):
        now = snapshot(host)
        for name in STATE:
            assert then[name] == now[name], f"{name} of {host.name}: {then[name]} {now[name]}"
