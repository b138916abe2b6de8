# SPDX-License-Identifier: LGPL-2.1-or-later
"""Varlink daemons in memory, on real sockets: they answer as told and record what they were asked."""

import json
import socket
import threading


class Refusal(Exception):
    """A Varlink error, as the daemons send it."""

    def __init__(self, code, object_="guest 'web1'", cause="refused on purpose", remedy="mend it"):
        super().__init__(code)
        self.code = code
        self.parameters = {"object": object_, "cause": cause, "remedy": remedy}


class Job:
    """Long work that ends when told to or when it is cancelled."""

    def __init__(self, name, held):
        self.name = name
        self.ended = threading.Event()
        self.cancelled = False
        if not held:
            self.ended.set()

    def cancel(self):
        self.cancelled = True
        self.ended.set()


class Events(Job):
    """What Watch tells: the first at once, the others when it is ended; then the daemon leaves."""

    def __init__(self, name, first, late=()):
        super().__init__(name, True)
        self.first, self.late = first, late


class FakeDaemon:
    """One daemon of one host. Answers come from methods named after Varlink's on @world."""

    def __init__(self, world, host, service, path):
        self.world, self.host, self.service = world, host, service
        self.interface = f"io.migprep.{service.capitalize()}"
        self.connections = set()
        self.lock = threading.Lock()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        # shutdown() wakes the accepting thread, close() alone would not.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for connection in self.connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        pending = b""
        try:
            while chunk := connection.recv(65536):
                pending += chunk
                while b"\0" in pending:
                    message, pending = pending.split(b"\0", 1)
                    self._answer(connection, json.loads(message))
        except OSError:
            pass
        finally:
            with self.lock:
                self.connections.discard(connection)
            connection.close()
            self.world.connection_closed()

    def _answer(self, connection, call):
        def send(parameters, **more):
            connection.sendall(json.dumps({"parameters": parameters, **more}).encode() + b"\0")

        if call["method"] == "org.varlink.service.GetInfo":
            send({"product": "migprep", "interfaces": [self.interface]})
            return
        method = call["method"].removeprefix(self.interface + ".")
        parameters = call.get("parameters", {})
        try:
            reply = self.world.call(self, method, parameters)
            if isinstance(reply, Events):
                self._tell(reply, send)
                connection.shutdown(socket.SHUT_RDWR)
                return
            if isinstance(reply, Job):
                reply = self._watch(reply, call, send)
            send(reply)
        except Refusal as refusal:
            send(refusal.parameters, error=f"{self.interface}.{refusal.code}")

    def _tell(self, events, send):
        for event in events.first:
            send({"event": event}, continues=True)
        self.world.reached(events)
        events.ended.wait()
        for event in events.late:
            send({"event": event}, continues=True)

    def _watch(self, job, call, send):
        assert call.get("more"), "long work is watched"
        send({"job": job.name}, continues=True)
        for progress in self.world.progress(job):
            send({"job": job.name, "progress": progress}, continues=True)
        self.world.reached(job)
        job.ended.wait()
        if job.cancelled:
            raise Refusal("Cancelled", f"job {job.name}", "was cancelled, all is back", "")
        return {"job": job.name, "result": self.world.job_result(self, job)}
