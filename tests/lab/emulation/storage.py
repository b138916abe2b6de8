# SPDX-License-Identifier: LGPL-2.1-or-later
"""storprepd of a host as its callers see it, through systemd's varlinkctl."""

import json
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from .daemon import Daemon
from .error import LabError

NAME = "io.migprep.Storage"
SOCKET = f"/run/storprep/{NAME}"


class Refused(LabError):
    """A Varlink error: its last part is the code."""

    def __init__(self, text):
        super().__init__(text)
        self.text = text


class Storage:
    """The calls that prepare shared storage; each lease made is remembered for release()."""

    def __init__(self, host):
        self.host = host
        self.seconds = 0.0  # of the last call

    def call(self, method, **parameters):
        """One call; its reply, or Refused."""
        begin = time.monotonic()
        done = self.host.run(["varlinkctl", "call", "-j", SOCKET, f"{NAME}.{method}",
                              json.dumps(parameters)], check=False, seconds=90)
        self.seconds = time.monotonic() - begin
        if done.returncode:
            raise Refused(done.stdout + done.stderr)
        return json.loads(done.stdout)

    def job(self, method, seconds=300, **parameters):
        """Long work, to its end; its result, or Refused."""
        done = self.host.run(["varlinkctl", "call", "--more", "-j", SOCKET, f"{NAME}.{method}",
                              json.dumps(parameters)], check=False, seconds=seconds)
        if done.returncode:
            raise Refused(done.stdout + done.stderr)
        # One object a line; a sequence of JSON texts (RFC 7464) has a separator before each.
        return json.loads(done.stdout.strip().splitlines()[-1].lstrip("\x1e"))["result"]

    def refused(self, code, method, **parameters):
        """A call that must fail with this code; everything that it says."""
        try:
            reply = self.call(method, **parameters)
        except Refused as error:
            assert code in error.text, f"expected {code}, got {error.text}"
            return error.text
        raise AssertionError(f"expected {code}, got {reply}")

    def _lease(self, method, **parameters):
        return self.call(method, owner="lab", token=uuid.uuid4().hex, timeoutSeconds=3600,
                         **parameters)

    def export(self, directory, *hosts, squash="none"):
        return self._lease("Export", directory=directory, hosts=list(hosts), squash=squash)

    def mount(self, server, export_path, path, **more):
        return self._lease("Mount", server=server, exportPath=export_path, path=path, **more)

    def create_targets(self, guest, targets):
        return self._lease("CreateTargets", guest=guest, targets=targets)

    def place(self, directory):
        return self._lease("PlaceProbe", directory=directory)

    def finds(self, placed, directory):
        """Whether a probe that a host placed is in this directory."""
        return self.call("FindProbe", directory=directory, name=placed["name"],
                         nonce=placed["nonce"])["found"]

    def release(self, reply):
        return self.call("Release", **key(reply))

    def leases(self):
        return self.call("ListLeases")["leases"]


def key(reply):
    """What calls on the lease of a reply take."""
    return {name: reply["lease"][name] for name in ("lease", "generation")}


class Connected(Storage):
    """The same over a connection that stays open, as migprep has it; a context manager."""

    def __init__(self, host):
        super().__init__(host)
        self._daemon = Daemon(host, "storage")
        self.call("ListLeases")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._daemon.close()

    def call(self, method, **parameters):
        return self._daemon.call(method, **parameters)


def share_seconds(server, client, directory, path):
    """Export, mount and proof both ways: seconds as a caller sees them whose connections are open,
    and who asks at once for what does not need the other's answer. Then all is undone.

    `server` exports `directory`, which `client` mounts at `path`."""
    with Connected(server.host) as exporter, Connected(server.host) as looker, \
         Connected(client.host) as mounter, Connected(client.host) as finder, \
         ThreadPoolExecutor() as pool:
        begin = time.monotonic()
        back = pool.submit(looker.place, directory)
        exported = exporter.export(directory, client.host.name)
        mounted = mounter.mount(server.host.name, exported["exportPath"], path)
        returned = pool.submit(finder.finds, back.result(), path)
        placed = mounter.place(path)
        assert looker.finds(placed, directory), "the client's probe is not seen"
        assert returned.result(), "the server's probe is not seen"
        took = time.monotonic() - begin
    assert "vers=4.2" in mounted["options"], mounted
    leases = (client, placed), (server, back.result()), (client, mounted), (server, exported)
    for storage, reply in leases:
        assert storage.release(reply) == {"kept": False}
    return round(took, 3)
