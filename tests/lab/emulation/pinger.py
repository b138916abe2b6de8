# SPDX-License-Identifier: LGPL-2.1-or-later
"""The probe's process: python3 -m emulation.pinger ADDRESS INTERVAL-MS FILE (ends on SIGTERM).

Sends ICMP echo requests on an absolute schedule. FILE holds 16 bytes a probe: when it was sent
and when its reply came, in nanoseconds of CLOCK_MONOTONIC, 0 = never; in front of them, 16 bytes
with the time of the first turn. A probe whose turn passed while this process did not get to run
stays unsent: it says nothing about the network."""

import mmap
import os
import select
import signal
import socket
import struct
import sys
import time

SLOT = struct.Struct("<QQ")
HEADER = struct.Struct("!BBHHH")
PAYLOAD = struct.Struct("!Q")
PROBES = 1 << 20
SIZE = (PROBES + 1) * SLOT.size
SOL_RAW = 255
ECHO_REQUEST, ECHO_REPLY = 8, 0
ICMP_FILTER = 1


def packet(identity, number):
    """An echo request that carries its full number behind the 16-bit one."""
    payload = PAYLOAD.pack(number)
    words = struct.unpack("!8H", HEADER.pack(ECHO_REQUEST, 0, 0, identity, number & 0xffff)
                          + payload)
    total = sum(words)
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return HEADER.pack(ECHO_REQUEST, 0, ~total & 0xffff, identity, number & 0xffff) + payload


class Pinger:
    """One destination, one file."""

    def __init__(self, address, interval_ns, memory):
        self._address = (address, 0)
        self._interval = interval_ns
        self._memory = memory
        self._identity = os.getpid() & 0xffff
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self._socket.setsockopt(SOL_RAW, ICMP_FILTER,
                                struct.pack("=I", ~(1 << ECHO_REPLY) & 0xffffffff))
        self._socket.setblocking(False)

    def run(self):
        """Sends and receives until the process is told to end or the file is full."""
        start = time.monotonic_ns()
        SLOT.pack_into(self._memory, 0, start, 0)
        number = 0
        while number < PROBES:
            now = time.monotonic_ns()
            due = start + number * self._interval
            if now < due:
                select.select([self._socket], [], [], (due - now) / 1e9)
                self._receive()
                continue
            # Turns that passed entirely are left out, not sent in a burst.
            number = max(number, (now - start) // self._interval)
            self._send(number, now)
            number += 1

    def _send(self, number, now):
        self._write(number, now, 0)
        try:
            self._socket.sendto(packet(self._identity, number), self._address)
        except OSError:
            pass  # the address does not resolve now: for whoever waits, that is a lost packet

    def _receive(self):
        while True:
            try:
                data = self._socket.recv(256)
            except BlockingIOError:
                return
            body = data[(data[0] & 15) * 4:]
            if len(body) != HEADER.size + PAYLOAD.size:
                continue
            if HEADER.unpack_from(body)[3] != self._identity:
                continue
            number = PAYLOAD.unpack_from(body, HEADER.size)[0]
            if number < PROBES:
                sent, replied = SLOT.unpack_from(self._memory, (number + 1) * SLOT.size)
                if sent and not replied:
                    self._write(number, sent, time.monotonic_ns())

    def _write(self, number, sent, replied):
        SLOT.pack_into(self._memory, (number + 1) * SLOT.size, sent, replied)


def main():
    address, interval, path = sys.argv[1:4]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    except OSError:
        pass  # not allowed here: late probes show up as unsent
    with open(path, "r+b") as file:
        memory = mmap.mmap(file.fileno(), SIZE)
    Pinger(address, int(interval) * 1_000_000, memory).run()


if __name__ == "__main__":
    main()
