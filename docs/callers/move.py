#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Moves a guest between two hosts, as an orchestrator does: move.py GUEST SOURCE DESTINATION

Runs anywhere from where both hosts can be reached by ssh as root. Needs Python alone. Whatever it is
killed at, the leases undo or finish what it had begun within LEASE_SECONDS.
"""
import argparse
import json
import subprocess
import sys
import threading
import uuid

LEASE_SECONDS = 60
OWNER = "move.py"


class Refused(Exception):
    """A daemon said no: what failed, why, and what to do about it."""

    def __init__(self, error, parameters):
        super().__init__("{object}: {cause}; {remedy}".format_map({"object": error, "cause": "refused",
                                                                   "remedy": "", **parameters}))
        self.name = error.rsplit(".", 1)[1]


class Daemon:
    """A connection to netprepd ("network") or storprepd ("storage") of a host: one call at a time."""

    def __init__(self, ssh, host, service):
        self.again = lambda: Daemon(ssh, host, service)
        self.interface = f"io.migprep.{service.capitalize()}"
        self.process = subprocess.Popen([ssh, "--", host, "migprep", "proxy", service],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pending = b""

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def call(self, method, **parameters):
        """A short call: its answer."""
        return next(self._replies(method, parameters, more=False))

    def job(self, method, **parameters):
        """Long work: tells where it is, and returns its result."""
        for reply in self._replies(method, parameters, more=True):
            progress = reply.get("progress") or {}
            if "step" in progress:
                print(f"  {method}: {progress['step']}", flush=True)
        return reply.get("result", reply)

    def _replies(self, method, parameters, more):
        request = {"method": f"{self.interface}.{method}", "parameters": parameters, "more": more}
        self.process.stdin.write(json.dumps(request).encode() + b"\0")
        self.process.stdin.flush()
        while True:
            reply = json.loads(self._message())
            if "error" in reply:
                raise Refused(reply["error"], reply.get("parameters", {}))
            yield reply.get("parameters", {})
            if not reply.get("continues"):
                return

    def _message(self):
        while b"\0" not in self.pending:
            data = self.process.stdout.read1(65536)
            if not data:
                raise ConnectionError(f"{self.interface}: the connection ended")
            self.pending += data
        message, self.pending = self.pending.split(b"\0", 1)
        return message


class Hold:
    """A lease that is renewed, by a connection of its own, until it is let go."""

    def __init__(self, daemon, lease):
        self.daemon = daemon.again()
        self.name = {"lease": lease["lease"], "generation": lease["generation"]}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._renew, daemon=True)
        self.thread.start()

    def _renew(self):
        while not self.over.wait(LEASE_SECONDS / 3):
            self.daemon.call("Renew", timeoutSeconds=LEASE_SECONDS, **self.name)

    def stop(self):
        self.over.set()
        self.thread.join()

    def release(self):
        """Has the daemon give back what it holds; the deadline would do the same."""
        self.stop()
        try:
            self.daemon.job("Release", **self.name)  # netprepd has to plug back: long work
        except Refused as refused:
            print(f"  left to its deadline: {refused}", file=sys.stderr)


def target_of(disk):
    """The file that a disk is copied into: like the one that it is in."""
    members = ("path", "pool", "format", "virtualSizeBytes", "clusterSizeBytes", "compat", "extendedL2",
               "lazyRefcounts", "refcountBits")
    return {name: disk[name] for name in members if disk.get(name) is not None}


class Move:
    def __init__(self, options):
        def reach(host, service):
            return Daemon(options.ssh, host, service)
        self.options = options
        self.here = {service: reach(options.source, service) for service in ("network", "storage")}
        self.there = {service: reach(options.destination, service) for service in ("network", "storage")}
        self.token = str(uuid.uuid4())  # makes a repeat of a call harmless
        self.holds = []
        self.has_left = False

    def keep(self, daemon, lease):
        self.holds.append(Hold(daemon, lease))

    def prepare(self):
        """Everything that can fail without the guest noticing comes first."""
        network = self.here["network"].call("Describe", guest=self.options.guest)
        storage = self.here["storage"].call("Describe", guest=self.options.guest)
        self.guest = network["guest"]
        asked = {"owner": OWNER, "token": self.token, "guest": self.guest, "timeoutSeconds": LEASE_SECONDS}
        vnics = [vnic for vnic in network["vnics"] if vnic.get("path") != "native"]
        self.reservation = self.there["network"].call("Reserve", vnics=vnics, **asked)["lease"]
        self.keep(self.there["network"], self.reservation)
        self.copied = [disk for disk in storage["disks"] if disk["migration"] == "copy"]
        if self.copied:
            targets = [target_of(disk) for disk in self.copied]
            lease = self.there["storage"].call("CreateTargets", targets=targets, **asked)["lease"]
            self.keep(self.there["storage"], lease)

    def hand_over(self):
        uri = f"qemu+ssh://{self.options.destination}/system"
        detached = self.here["network"].job("Detach", owner=OWNER, token=self.token,
                                            guest=self.guest["uuid"], timeoutSeconds=LEASE_SECONDS)
        self.keep(self.here["network"], detached["lease"])
        result = self.here["storage"].job("Migrate", guest=self.guest["uuid"], destinationUri=uri,
                                          copyDisks=[disk["target"] for disk in self.copied])
        self.has_left = True
        return result

    def finish(self):
        return self.there["network"].job("Attach", lease=self.reservation["lease"],
                                         generation=self.reservation["generation"],
                                         waitSeconds=LEASE_SECONDS)

    def run(self):
        try:
            self.prepare()
            moved = self.hand_over()
            attached = self.finish()
        finally:
            self.let_go()
        print(f"guest '{self.guest['name']}' runs on {self.options.destination} on "
              f"{', '.join(attached['functions']) or 'VirtIO'}; it stood still for "
              f"{moved['downtimeMilliseconds']} ms")
        return 17 if attached["degraded"] else 0

    def let_go(self):
        """The last one first. What a guest that has arrived needs is its own: its daemon sees to it,
        so the reservation (the first) is left alone then."""
        for hold in reversed(self.holds):
            if self.has_left and hold is self.holds[0]:
                hold.stop()
            else:
                hold.release()


def main():
    parser = argparse.ArgumentParser(description="Moves a guest between two hosts.")
    parser.add_argument("guest")
    parser.add_argument("source")
    parser.add_argument("destination")
    parser.add_argument("--ssh", default="ssh", help="the program that reaches hosts")
    try:
        return Move(parser.parse_args()).run()
    except (Refused, ConnectionError) as error:
        print(f"move.py: {error}", file=sys.stderr)
        return 1


sys.exit(main())
