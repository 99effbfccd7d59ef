# SPDX-License-Identifier: Apache-2.0
"""One end of a traffic meter: sends numbered datagrams and counts those of the other end, until told to end.
Runs inside a scene's namespace; meter.py starts two of them.

    udp_meter.py NEAR_ADDRESS FAR_ADDRESS PORT PER_SECOND OCTETS

SIGUSR1 begins sending and, the second time, ends it; SIGTERM ends receiving. Five times a second and at the end prints a line of JSON:
{"sent": n, "received": n, "duplicated": n, "misplaced": n, "damaged": n, "longest_gap": seconds,
 "holes": [[first, last], ...]}   holes: what did not come, of all up to the newest that came
"""

import contextlib
import json
import selectors
import signal
import socket
import struct
import sys
import time

IP_UDP_HEADERS = 28
NUMBER = struct.Struct("!Q")
RECEIVE_BUFFER = 1 << 23
SO_RCVBUFFORCE = 33  # <asm-generic/socket.h>; Python does not name it
TELL_EVERY = 0.2
MAX_HOLES = 1000


def filling(length: int) -> bytes:
    """Not all alike, so that a datagram put together wrongly shows."""
    return bytes(i * 7 & 0xFF for i in range(length))


class Received:
    """What came, by number."""

    def __init__(self, rest: bytes):
        self._rest = rest
        self._seen = bytearray()  # 1: came
        self._last_arrival = 0.0
        self.received = self.duplicated = self.misplaced = self.damaged = 0
        self.longest_gap = 0.0

    def take(self, datagram: bytes, now: float) -> None:
        if len(datagram) < NUMBER.size or datagram[NUMBER.size :] != self._rest:
            self.damaged += 1
            return
        (number,) = NUMBER.unpack_from(datagram)
        if number < len(self._seen):
            if self._seen[number]:
                self.duplicated += 1
                return
            self.misplaced += 1
        else:
            self._seen.extend(bytes(number + 1 - len(self._seen)))
        self._seen[number] = 1
        self.received += 1
        if self._last_arrival:
            self.longest_gap = max(self.longest_gap, now - self._last_arrival)
        self._last_arrival = now

    def holes(self) -> list[tuple[int, int]]:
        found, at = [], self._seen.find(0)
        while at >= 0 and len(found) < MAX_HOLES:
            end = self._seen.find(1, at)
            found.append((at, end - 1))
            at = self._seen.find(0, end)
        return found


class End:
    def __init__(self, near: str, far: str, port: int, per_second: int, octets: int):
        self.sent = 0
        self._far = (far, port)
        self._gap = 1 / per_second
        self._rest = filling(octets - IP_UDP_HEADERS - NUMBER.size)
        self._counts = Received(self._rest)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        self._socket.bind((near, port))
        self._socket.setblocking(False)
        self.sending = False
        self.running = True

    def toggle(self) -> None:
        self.sending = not self.sending
        self._started = time.monotonic()

    def _send_due(self) -> None:
        """What a late turn of this loop has missed is caught up with, gently."""
        for _ in range(20):
            if not self.sending or time.monotonic() < self._started + self.sent * self._gap:
                return
            # One that this host itself knows no way for is as lost as any other.
            with contextlib.suppress(OSError):
                self._socket.sendto(NUMBER.pack(self.sent) + self._rest, self._far)
            self.sent += 1

    def _receive_all(self) -> None:
        while True:
            try:
                datagram = self._socket.recv(65536)
            except BlockingIOError:
                return
            self._counts.take(datagram, time.monotonic())

    def tell(self) -> None:
        counts = {name: value for name, value in vars(self._counts).items() if name[0] != "_"}
        print(json.dumps({"sent": self.sent, **counts, "holes": self._counts.holes()}), flush=True)

    def run(self) -> None:
        ready = selectors.DefaultSelector()
        ready.register(self._socket, selectors.EVENT_READ)
        told = 0.0
        print("ready", flush=True)
        while self.running:
            ready.select(self._gap if self.sending else TELL_EVERY)
            self._receive_all()
            self._send_due()
            if time.monotonic() > told + TELL_EVERY:
                told = time.monotonic()
                self.tell()
        self._receive_all()
        self.tell()


def main() -> None:
    end = End(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))

    def toggle(*_):
        end.toggle()

    def stop(*_):
        end.running = False

    signal.signal(signal.SIGUSR1, toggle)
    signal.signal(signal.SIGTERM, stop)
    end.run()


main()
