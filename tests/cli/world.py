# SPDX-License-Identifier: LGPL-2.1-or-later
"""Two hosts for migprep to work with: host1 is this one, host2 is behind a fake ssh."""

import json
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading

import schema
from fake_daemon import FakeDaemon, Job, Refusal

MIGPREP = os.environ["MIGPREP"]
DEADLINE = 20 * float(os.environ.get("TEST_SLOWNESS", "1"))
UUID = "6f1c2f6e-1111-4222-8333-944445555666"
GUEST = {"name": "web1", "uuid": UUID}
HERE = socket.gethostname()
SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / "docs/schemas"

FAKE_SSH = """#!/bin/sh
# Stands for ssh: runs migprep's proxy here, on the socket that "the other host" has.
while [ "$1" != -- ]; do
    case $1 in
    ControlPath=*) path=${{1#*=}} ;;
    -L) forwards="$forwards $2" ;;
    esac
    shift
done
host=$2; shift 2
case $host in host1 | host2) ;; *)
    echo "$host" >> {directory}/refused
    echo "ssh: connect to host $host port 22: No route to host" >&2
    exit 255 ;;
esac
case $1 in
"") exec {python} {directory}/ssh-master "$path" {directory} $host $forwards ;;
dd) exec cat > /dev/null ;;
migprep)
    echo "$*" >> {directory}/sessions
    exec {migprep} "$2" "$3" --socket {directory}/$host-"$3" ;;
*) echo "$*" >> {directory}/commands ;;
esac
"""

# The connection that the others share: it goes to the background, and ends when it is told to. It
# leads sockets here to the ones that "the other host" has, unless the file unforwarded is there.
FAKE_MASTER = """
import os, socket, sys, threading
TERMINATE = bytes.fromhex("0000000810000005")
path, directory, host, *forwards = sys.argv[1:]
def note(word, name="shared"):
    with open(os.path.join(directory, name), "a") as log:
        print(word, file=log)
def listen(path):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    return listener
def copy(source, target):
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        source.close(), target.close()
def lead(listener, name):
    while True:
        here, there = listener.accept()[0], socket.socket(socket.AF_UNIX)
        try:
            if os.path.exists(os.path.join(directory, "unforwarded")):
                raise OSError
            there.connect(os.path.join(directory, f"{host}-{name}"))
        except OSError:
            here.close()
            continue
        note(name, "forwarded")
        for pair in ((here, there), (there, here)):
            threading.Thread(target=copy, args=pair, daemon=True).start()
def told_to_end(client):
    client.settimeout(60)
    heard = b""
    while TERMINATE not in heard:
        piece = client.recv(64)
        if not piece:
            return False
        heard += piece
    return True
listener = listen(path)
leads = [(listen(here), {"netprep": "network", "storprep": "storage"}[there.split("/")[2]])
         for here, there in (words.split(":") for words in forwards)]
note("open")
if os.fork():
    os._exit(0)
os.setsid()
for stream in range(3):
    os.dup2(os.open(os.devnull, os.O_RDWR), stream)
for each in leads:
    threading.Thread(target=lead, args=each, daemon=True).start()
listener.settimeout(60)
client = listener.accept()[0]
while not told_to_end(client):
    client = listener.accept()[0]
note("close")
os._exit(0)  # which the one that told it to end waits for
"""


def check_json(process):
    """Whatever is printed with --json is as docs/schemas says it."""
    verb = process.args[1]
    if "--json" not in process.args:
        return
    name = {"return": "drain"}.get(verb, verb) + "".join(
        part for part in ("-watch", "-catalogue") if "-" + part in process.args)
    schemas = {known: json.loads((SCHEMAS / f"{known}.schema.json").read_text(encoding="utf-8"))
               for known in (name, "error")}
    for line in process.output.splitlines():
        value = json.loads(line)
        wanted = schemas["error" if set(value) == {"error"} else name]
        found = list(schema.mistakes(value, wanted))
        assert not found, f"{line}: {found}"


class World:
    """Answers for all four daemons. What goes wrong is set before migprep runs:

    refuse   {"host2 Reserve": Refusal}     the call answers with an error
    hold     "host1 Detach"                 the job or call does not end by itself
    """

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="migprep-cli-")
        self.calls, self.announced, self.refuse, self.hold = [], [], {}, None
        self.checked, self.baselines = [], []
        self.hook_phases = []
        self.maintenance = None
        self.guests = [("web1", "running")]
        self.jobs, self.running_jobs = {}, []
        self.changed = threading.Condition()
        self.held = False
        self.guest_on = "host1"
        self.degraded = False
        self.state = "running"
        self.disk, self.vnics = "copy", True
        self.policy = {"max-downtime": ("300", "guest")}
        self.bond = "bond0"
        self.leases = {"network": [], "storage": []}
        self.renewals = {}
        self.checks, self.check_parameters = {}, {}
        self.passages = {}
        self.daemons = {
            (host, service): FakeDaemon(self, host, service, self.socket(host, service))
            for host in ("host1", "host2")
            for service in ("network", "storage")
        }
        self.ssh = os.path.join(self.directory, "ssh")
        with open(self.ssh, "w", encoding="utf-8") as script:
            script.write(
                FAKE_SSH.format(migprep=MIGPREP, directory=self.directory, python=sys.executable)
            )
        os.chmod(self.ssh, stat.S_IRWXU)
        pathlib.Path(self.directory, "ssh-master").write_text(FAKE_MASTER, encoding="utf-8")

    def close(self):
        for job in self.jobs.values():
            job.ended.set()
        for daemon in self.daemons.values():
            daemon.close()
        shutil.rmtree(self.directory)

    def stop(self, host, service):
        """As if the daemon were not there."""
        self.daemons.pop((host, service)).close()
        os.unlink(self.socket(host, service))

    def socket(self, host, service):
        return os.path.join(self.directory, f"{host}-{service}")

    # Running migprep.

    def arguments(self, *words, remote=True):
        sockets = [f"--{s}-socket={self.socket('host1', s)}" for s in ("network", "storage")]
        return [MIGPREP, *words, *sockets, *(["--ssh", self.ssh] if remote else [])]

    def start(self, *words, remote=True):
        return subprocess.Popen(
            self.arguments(*words, remote=remote),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )

    def run(self, *words, remote=True):
        return self.finish(self.start(*words, remote=remote))

    def migrate(self, *words):
        return self.run("migrate", "web1", "--to", "host2", *words)

    @staticmethod
    def finish(process):
        try:
            process.output, process.errors = process.communicate(timeout=DEADLINE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        check_json(process)
        return process

    @staticmethod
    def interrupt(process, number=signal.SIGINT):
        """As a terminal's Ctrl-C does it: the whole process group."""
        os.killpg(process.pid, number)

    def wait_until(self, condition):
        with self.changed:
            if not self.changed.wait_for(condition, DEADLINE):
                raise AssertionError(f"not within {DEADLINE} s; calls: {self.calls}")

    def wait_until_held(self):
        self.wait_until(lambda: self.held)

    def connection_closed(self):
        with self.changed:
            self.changed.notify_all()

    def open_connections(self):
        return sum(len(daemon.connections) for daemon in self.daemons.values())

    # What the daemons say.

    def call(self, daemon, method, parameters):
        name = f"{daemon.host} {method}"
        if method == "Release":
            name += f" {daemon.service}"
        with self.changed:
            if method == "Check":
                self.checked.append(name)
            elif method not in ("Announce", "Describe", "DescribeHost", "GetPolicy", "IdentifyImages",
                                "ListFunctions", "ListGuests", "ListJobs", "ListLeases",
                                "ListPhysicalNetworks", "Renew"):
                self.calls.append(name)
            elif method == "Renew":
                lease = parameters["lease"]
                self.renewals[lease] = self.renewals.get(lease, 0) + 1
            self.changed.notify_all()
        refusal = self.refuse.get(f"{daemon.host} {daemon.service} {method}", self.refuse.get(name))
        if refusal:
            raise refusal
        return getattr(self, method)(daemon, parameters)

    def _job(self, daemon, method):
        name = f"{daemon.host} {method}"
        job = Job(f"job-{len(self.jobs)}-{method}", self.hold == name)
        job.method = method
        self.jobs[job.name] = job
        return job

    def progress(self, job):
        if job.method not in ("Migrate", "SendDisks"):
            return [{"step": "unplug", "waitingFor": "guest", "detail": None}]
        return [
            {
                "phase": "memory",
                "memoryTotalBytes": 1 << 30,
                "memoryRemainingBytes": 1 << 29,
                "diskTotalBytes": 0,
                "diskRemainingBytes": 0,
                "rateBytesPerSecond": 1 << 27,
                "dirtyRateBytesPerSecond": 1 << 20,
                "downtimeMilliseconds": 250,
                "iteration": 2,
                "throttlePercent": 20,
                "secondsLeft": 4,
            }
        ]

    def reached(self, job):
        with self.changed:
            self.held = self.held or not job.ended.is_set()
            self.changed.notify_all()

    def job_result(self, daemon, job):
        return getattr(self, "end_" + job.method)(daemon)

    def Describe(self, daemon, parameters):
        if parameters["guest"] not in ("web1", UUID):
            raise Refusal("GuestNotFound", f"guest '{parameters['guest']}'",
                          "no such guest on this host", "list guests with 'virsh list --all'")
        if self.guest_on != daemon.host:
            raise Refusal("GuestNotFound", "guest 'web1'", "no such guest on this host",
                          "list guests with 'virsh list --all'")
        if daemon.service == "storage":
            return {"guest": GUEST, "state": self.state, "persistent": True, "migrating": False,
                    "disks": [{"target": "vda", "path": "/images/web1.qcow2", "format": "qcow2",
                               "virtualSizeBytes": 1 << 20, "migration": self.disk, "reason": None}]}
        return {"guest": GUEST, "state": "running", "agent": True, "agentError": None,
                "vnics": [] if not self.vnics else [{"alias": "hostdev0", "function": "0000:01:10.2", "form": "hostdev",
                           "bond": self.bond, "backup": "eth1"}],
                "bonds": [{"name": "bond0", "mode": "active-backup", "active": "eth0",
                           "primary": "eth0", "monitorIntervalMilliseconds": 100,
                           "ports": ["eth0", "eth1"]}]}

    def Check(self, daemon, parameters):
        place = f"{daemon.host} {daemon.service}"
        if parameters["role"] == "passage":
            place = f"{daemon.host} {'login' if parameters.get('login') else 'passage'}"
            self.passages[place] = self.passages.get(place, 0) + 1
        elif parameters["role"] == "address":
            place = f"{daemon.host} address"
        self.check_parameters[place] = parameters
        self._hold_call(f"{daemon.host} Check")
        return {"results": self.checks.get(place, []), "checkedAt": "2026-01-01T00:00:00Z",
                "invalidatedBy": ["a change"], "facts": {"told": place}}

    def ListGuests(self, daemon, _):
        return {"guests": [{"guest": {"name": name, "uuid": UUID}, "state": state}
                           for name, state in self.guests]}

    def DescribeHost(self, daemon, _):
        return {"processors": 8, "availableMemoryBytes": 1 << 34, "hugePages": [], "volumes": [],
                "guests": [], "maintenance": self.maintenance}

    def ListPhysicalNetworks(self, daemon, _):
        return {"networks": []}

    def StopGuest(self, daemon, parameters):
        self.stop_parameters = parameters
        return self._job(daemon, "StopGuest")

    def end_StopGuest(self, daemon):
        self.guests = [("web1", "shutoff")]
        return {"guest": GUEST}

    def StartGuest(self, daemon, parameters):
        self.guests = [("web1", "running")]
        return {}

    def RunHooks(self, daemon, parameters):
        self.hook_phases.append(parameters["phase"])
        return self._job(daemon, "RunHooks")

    def end_RunHooks(self, daemon):
        return {"count": 1}

    def BaselineProcessor(self, daemon, parameters):
        self.baselines.append((daemon.host, parameters["processors"]))
        return {"processor": "<cpu>" + "".join(parameters["processors"]) + daemon.host + "</cpu>"}

    def shared_connections(self):
        """What became of the ssh connection that all calls to host2 share."""
        return self._lines("shared")

    def _lines(self, name):
        try:
            with open(os.path.join(self.directory, name), encoding="utf-8") as log:
                return log.read().splitlines()
        except FileNotFoundError:
            return []

    def refused_connections(self):
        """How often a host was tried that is not there."""
        return len(self._lines("refused"))

    def forbid_forwarding(self):
        """As sshd of host2 does with AllowStreamLocalForwarding=no."""
        pathlib.Path(self.directory, "unforwarded").touch()

    def sessions(self):
        """How often ssh ran a program on host2 to connect to a daemon."""
        return len(self._lines("sessions"))

    def forwarded(self):
        """To which daemons of host2 ssh led by itself, each time."""
        return self._lines("forwarded")

    def commands(self):
        """What was run on host2 besides the proxy."""
        return self._lines("commands")

    def GetPolicy(self, daemon, parameters):
        return {"guest": GUEST, "cluster": "north",
                "values": [{"name": name, "value": value, "level": level, "summary": "what it is"}
                           for name, (value, level) in self.policy.items()]}

    def SetPolicy(self, daemon, parameters):
        value = parameters["value"]
        self.policy[parameters["name"]] = (value, "guest") if value else ("0", "default")
        return self.GetPolicy(daemon, parameters)

    def ListFunctions(self, daemon, _):
        return {"functions": [{"address": "0000:01:10.4", "physicalFunction": "pf0", "index": 2,
                               "physicalNetworks": ["blue"], "state": "free", "holder": None,
                               "driver": "igbvf"}]}

    def _lease(self, kind, parameters, holds):
        return {"lease": kind, "generation": 3, "kind": kind, "owner": parameters["owner"],
                "token": parameters["token"], "guest": GUEST, "state": "held", "reason": "",
                "remainingSeconds": 60, **holds}

    def _hold_call(self, name):
        """A short call that does not end before the test says so."""
        if self.hold == name:
            job = Job(name, True)
            job.method = name
            self.jobs[f"{name} {id(job)}"] = job  # several may be held
            self.reached(job)
            job.ended.wait()

    def Reserve(self, daemon, parameters):
        self._hold_call("host2 Reserve")
        return {"lease": self._lease("reservation", parameters, {"functions": ["0000:01:10.4"]})}

    def CreateTargets(self, daemon, parameters):
        self._hold_call("host2 CreateTargets")
        self.targets = parameters["targets"]
        return {"lease": self._lease("targets", parameters, {"paths": ["/images/web1.qcow2"]})}

    def Renew(self, daemon, parameters):
        return {"lease": {}}

    def OpenTargets(self, daemon, _):
        return {"targets": [{"path": "/images/web1.qcow2", "socket": "/run/a.nbd",
                             "virtualSizeBytes": 1 << 20}]}

    def CloseTargets(self, daemon, _):
        return {}

    SENT = [{"target": "vda", "path": "/images/web1.qcow2", "inode": 7, "modifiedNanoseconds": 8}]

    def SendDisks(self, daemon, parameters):
        self.send_parameters = parameters
        return self._job(daemon, "SendDisks")

    def end_SendDisks(self, daemon):
        return {"disks": self.SENT, "diskBytes": 1 << 20, "elapsedMilliseconds": 5}

    def Detach(self, daemon, parameters):
        self.detachment = self._lease("detachment", parameters, {"functions": ["0000:01:10.2"]})
        return self._job(daemon, "Detach")

    def end_Detach(self, daemon):
        return {"lease": self.detachment, "vnics": []}

    def Migrate(self, daemon, parameters):
        self.migrate_parameters = parameters
        return self._job(daemon, "Migrate")

    def end_Migrate(self, daemon):
        self.guest_on = "host2"
        return {"guest": GUEST, "downtimeMilliseconds": 120, "elapsedMilliseconds": 900,
                "memoryBytes": 1, "diskBytes": 1}

    def Attach(self, daemon, parameters):
        return self._job(daemon, "Attach")

    def end_Attach(self, daemon):
        return {"guest": GUEST, "functions": ["0000:01:10.4"], "degraded": self.degraded,
                "bonds": [{"name": "bond0", "active": "eth1" if self.degraded else "eth0"}]}

    def SetUpBond(self, daemon, parameters):
        if self.hold != "host1 SetUpBond":
            self.bond = "bond0"
        return self._job(daemon, "SetUpBond")

    def end_SetUpBond(self, daemon):
        return {"name": "bond0", "mode": "active-backup", "active": "eth0", "primary": "eth0",
                "monitorIntervalMilliseconds": 100, "ports": ["eth0", "eth1"]}

    def Release(self, daemon, parameters):
        return {"kept": False} if daemon.service == "storage" else self._job(daemon, "Release")

    def end_Release(self, daemon):
        return {"outcome": "returned" if self.guest_on == daemon.host else "freed"}

    def ForceRelease(self, daemon, parameters):
        self.force_parameters = parameters
        return self._job(daemon, "ForceRelease")

    def end_ForceRelease(self, daemon):
        return {"freed": ["0000:01:10.4"], "kept": ["0000:01:10.6"]}

    def Watch(self, daemon, _):
        return self.jobs["events"]

    def Announce(self, daemon, parameters):
        guest = parameters["guest"]
        self.announced.append((daemon.host, parameters["kind"], guest and guest["name"]))
        return {}

    def ListLeases(self, daemon, _):
        return {"leases": self.leases[daemon.service]}

    def GetMetrics(self, daemon, _):
        name = {"network": "netprep", "storage": "storprep"}[daemon.service]
        return {"text": f"# TYPE {name}_jobs counter\n{name}_jobs_total{{kind=\"Migrate\"}} 1\n# EOF\n"}

    def ListLeaks(self, daemon, _):
        return {"leaks": []}

    def ListJobs(self, daemon, _):
        return {"jobs": [job for service, job in self.running_jobs if service == daemon.service]}

    def WatchJob(self, daemon, parameters):
        return self.jobs[parameters["job"]]

    def CancelJob(self, daemon, parameters):
        self.jobs[parameters["job"]].cancel()
        return {}
