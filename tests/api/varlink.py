# SPDX-License-Identifier: LGPL-2.1-or-later
"""A raw Varlink client, and just enough of the interface language to spoil calls."""

import json
import re
import socket

NUL = b"\0"


class Closed(Exception):
    """The service closed the connection."""


class Refused(Exception):
    """The service answered with an error."""

    def __init__(self, name, parameters):
        super().__init__(f"{name} {json.dumps(parameters)}")
        self.name = name
        self.parameters = parameters


class Connection:
    """One connection; sends bytes as they are given."""

    def __init__(self, path, timeout):
        self.socket = socket.socket(socket.AF_UNIX)
        # Before it has a timeout: then it would not wait for a place in the daemon's queue.
        self.socket.connect(path)
        self.socket.settimeout(timeout)
        self.received = b""

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        """The next message, decoded."""
        while NUL not in self.received:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError as error:
                raise Closed from error
            if not data:
                raise Closed
            self.received += data
        message, self.received = self.received.split(NUL, 1)
        return json.loads(message)

    def ask(self, method, parameters=None, **flags):
        request = {"method": method, "parameters": parameters or {}, **flags}
        self.send(json.dumps(request).encode() + NUL)

    def call(self, method, parameters=None):
        """The parameters of the reply; Refused if it is an error."""
        self.ask(method, parameters)
        return self.result(self.receive())

    def call_more(self, method, parameters=None):
        """All replies of a call with more."""
        self.ask(method, parameters, more=True)
        replies = []
        while True:
            reply = self.receive()
            replies.append(self.result(reply))
            if not reply.get("continues"):
                return replies

    @staticmethod
    def result(reply):
        if "error" in reply:
            raise Refused(reply["error"], reply.get("parameters", {}))
        return reply.get("parameters", {})


class Interface:
    """The methods and types of a description, as trees of Python values.

    A type is "string", "int", "bool", "float", "object", ("maybe", T), ("list", T), ("map", T),
    ("enum", [name...]) or ("struct", {field: T}).
    """

    def __init__(self, description):
        text = re.sub(r"#[^\n]*", "", description)
        self.tokens = re.findall(r"\[string\]|\[\]|->|[\w.\-]+|[?:(),]", text)
        self.types, self.methods, self.errors = {}, {}, []
        self.name = None
        while self.tokens:
            self._member()

    def _next(self):
        return self.tokens.pop(0)

    def _member(self):
        keyword, name = self._next(), self._next()
        if keyword == "interface":
            self.name = name
        elif keyword == "type":
            self.types[name] = self._type()
        elif keyword == "error":
            self.errors.append(name)
            self._type()
        elif keyword == "method":
            parameters = self._type()
            assert self._next() == "->"
            self._type()
            self.methods[name] = parameters
        else:
            raise ValueError(keyword)

    def _type(self):
        token = self._next()
        if token == "?":
            return ("maybe", self._type())
        if token in ("[]", "[string]"):
            return ("list" if token == "[]" else "map", self._type())
        return self._group() if token == "(" else token

    def _group(self):
        fields, names = {}, []
        while self.tokens[0] != ")":
            name = self._next()
            if self.tokens[0] == ":":
                self._next()
                fields[name] = self._type()
            else:
                names.append(name)
            if self.tokens[0] == ",":
                self._next()
        self._next()
        return ("enum", names) if names else ("struct", fields)

    def resolve(self, kind):
        return self.types[kind] if isinstance(kind, str) and kind in self.types else kind

    def sample(self, kind):
        """A value of the type, with every field there."""
        kind = self.resolve(kind)
        plain = {"string": "x", "int": 1, "bool": True, "float": 1.5, "object": {}}
        if isinstance(kind, str):
            return plain[kind]
        shape, inner = kind
        if shape == "maybe":
            return self.sample(inner)
        if shape == "list":
            return [self.sample(inner)]
        if shape == "map":
            return {"x": self.sample(inner)}
        return inner[0] if shape == "enum" else {k: self.sample(v) for k, v in inner.items()}

    def spoilt(self, kind, path=""):
        """(path, value) for each way in which one place of a sample has a wrong type, misses a
        field or has one too many; path is that of the place."""
        kind = self.resolve(kind)
        if isinstance(kind, str):
            wrong = {"string": [7, None, [], {}], "int": ["1", 1.5, None, True, []],
                     "bool": ["true", 1, None], "float": ["1"], "object": ["x", 1, None, []]}
            for value in wrong[kind]:
                yield path, value
            return
        shape, inner = kind
        if shape == "maybe":
            for place, value in self.spoilt(inner, path):
                if value is not None:
                    yield place, value
        elif shape == "list":
            for value in ("x", {}, None):
                yield path, value
            for place, value in self.spoilt(inner, f"{path}[0]"):
                yield place, [value]
        elif shape == "enum":
            for value in ("nonesuch", "", 1, None):
                yield path, value
        elif shape == "struct":
            yield from self._spoilt_struct(inner, path)

    def _spoilt_struct(self, fields, path):
        prefix = f"{path}." if path else ""
        sample = {name: self.sample(kind) for name, kind in fields.items()}
        if path:
            for value in ("x", [], None):
                yield path, value
        yield f"{prefix}surplus", {**sample, "surplus": 1}
        for name, kind in fields.items():
            if not (isinstance(kind, tuple) and kind[0] == "maybe"):
                yield f"{prefix}{name}", {k: v for k, v in sample.items() if k != name}
            for place, value in self.spoilt(kind, f"{prefix}{name}"):
                yield place, {**sample, name: value}
