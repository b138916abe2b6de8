# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a malicious local user may do to a socket: hostile_client.py SOCKET KIND.

Prints "ready" once the daemon has all of it, and keeps its connections until standard input ends.
"""

import socket
import sys

CONNECTIONS = 10_000
KEPT = 200  # connections at once that are tried to be kept
MESSAGE = 64 * 1024 * 1024
DEPTH = 100_000
SERVICE = b'{"method":"org.varlink.service.'
INFO = SERVICE + b'GetInfo"}\0'


def connect(path):
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)
    client.settimeout(60)
    return client


def send(client, data):
    """As much as the daemon takes; it may hang up at any time."""
    try:
        client.sendall(data)
    except (BrokenPipeError, ConnectionResetError, TimeoutError):
        pass


def send_at_once(client, data):
    """As much as fits into the socket now."""
    client.setblocking(False)
    try:
        while True:
            client.send(data)
    except (BlockingIOError, BrokenPipeError, ConnectionResetError):
        pass


def connections(path):
    """Opens thousands, and keeps as many as it may."""
    kept = [connect(path) for _ in range(KEPT)]
    for _ in range(CONNECTIONS - KEPT):
        connect(path).close()
    return kept


def slow(path):
    """Says a little of a message on each, and no more."""
    clients = [connect(path) for _ in range(KEPT)]
    for client in clients:
        send(client, SERVICE)
    return clients


def torn(path):
    """Ends each message in its middle."""
    for length in range(1, 1000):
        client = connect(path)
        send(client, (INFO * 40)[:length])
        client.close()
    return []


def large(path):
    """One message that has no end, on each."""
    clients = [connect(path) for _ in range(4)]
    for client in clients:
        send(client, SERVICE + b"x" * MESSAGE)
    return clients


def full(path):
    """Messages as large as they may be but without their last byte, so that they have to be kept."""
    clients = [connect(path) for _ in range(KEPT)]
    for client in clients:
        send(client, SERVICE + b"x" * (1024 * 1024 - len(SERVICE)))
    return clients


def deep(path):
    for opening in (b"[", b'{"a":', b"[{"):
        client = connect(path)
        send(client, SERVICE + b'GetInfo","parameters":' + opening * DEPTH + b"\0")
        client.close()
    return []


def flood(path):
    """As many calls as fit, on each connection, and reads none of the answers."""
    clients = [connect(path) for _ in range(KEPT)]
    call = SERVICE + b'GetInterfaceDescription","parameters":{"interface":"org.varlink.service"}}\0'
    for _ in range(20):
        for client in clients:
            send_at_once(client, call * 100)
    return clients


def main():
    path, kind = sys.argv[1:]
    kept = globals()[kind](path)
    print("ready", flush=True)
    sys.stdin.read()
    for client in kept:
        client.close()


main()
