# SPDX-License-Identifier: LGPL-2.1-or-later
"""A connection to one daemon of a host, the way migprep makes it from afar: ssh and a proxy."""

import contextlib
import json
import subprocess
import time

from .deadline import scaled
from .error import LabError

INTERFACES = {"network": "io.migprep.Network", "storage": "io.migprep.Storage"}


class Refused(LabError):
    """The daemon answered with an error; `code` is its short name."""

    def __init__(self, method, name, parameters):
        self.code = name.rpartition(".")[2]
        self.parameters = parameters or {}
        words = "; ".join(str(self.parameters[key]) for key in ("object", "cause", "remedy")
                          if key in self.parameters)
        super().__init__(f"{method}: {self.code}: {words or self.parameters}")


class Daemon:
    """`room` is network or storage. One call at a time; use as a context manager."""

    def __init__(self, host, room):
        self.host = host
        self._interface = INTERFACES[room]
        self._child = subprocess.Popen(host.argv(["migprep", "proxy", room]),
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL)
        self._rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Hangs up. A job that was started goes on."""
        with contextlib.suppress(OSError):  # what was not sent has nobody to read it any more
            self._child.stdin.close()
        try:
            self._child.wait(scaled(5))
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _send(self, method, parameters, more):
        request = {"method": f"{self._interface}.{method}", "parameters": parameters}
        if more:
            request["more"] = True
        try:
            self._child.stdin.write(json.dumps(request).encode() + b"\0")
            self._child.stdin.flush()
        except OSError:
            raise LabError(f"{self.host.name}: {self._interface} does not listen") from None

    def _receive(self, method):
        while b"\0" not in self._rest:
            data = self._child.stdout.read1(65536)
            if not data:
                raise LabError(f"{self.host.name}: {self._interface} hung up during {method}")
            self._rest += data
        text, _, self._rest = self._rest.partition(b"\0")
        reply = json.loads(text)
        if "error" in reply:
            raise Refused(method, reply["error"], reply.get("parameters"))
        return reply.get("parameters", {}), reply.get("continues", False)

    def call(self, method, **parameters):
        """One request, one reply."""
        self._send(method, parameters, False)
        return self._receive(method)[0]

    def start(self, method, **parameters):
        """Starts long work; iterate the Work for its progress, then read its result."""
        self._send(method, parameters, True)
        return Work(self, method)


class Work:
    """A job as its caller sees it: (time.monotonic(), progress) until it is over."""

    def __init__(self, daemon, method):
        self._daemon = daemon
        self._method = method
        self.job = None
        self.result = None
        self.over = None  # when the last reply came

    def __iter__(self):
        continues = True
        while continues:
            reply, continues = self._daemon._receive(self._method)
            self.job = reply.get("job", self.job)
            if reply.get("progress"):
                yield time.monotonic(), reply["progress"]
        self.over = time.monotonic()
        self.result = reply.get("result")

    def until(self, step):
        """Reads until this step of the job begins; False when the job ended without it."""
        return any(progress["step"] == step for _, progress in self)

    def finish(self):
        """Reads to the end; the result. Raises Refused when the job failed."""
        for _ in self:
            pass
        return self.result
