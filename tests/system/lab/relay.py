# SPDX-License-Identifier: Apache-2.0
"""A wire that loses and delays IKE: what comes in at one port leaves by the other, later or not at all.

    relay.py LEFT RIGHT PER_CENT SEED DELAY_MILLISECONDS

Runs inside a namespace of its own, with a cable to each gateway. Only IKE is lost, each datagram by itself, or
delayed; ESP and ARP pass at once. Ends on SIGTERM and prints how many datagrams passed and how many were lost,
each way.
"""

import collections
import random
import selectors
import signal
import socket
import struct
import sys
import time

OUTGOING = 4  # packet type of what we sent ourselves
FRAME = 65_536
RECEIVE_BUFFER = 1 << 23
SO_RCVBUFFORCE = 33  # <asm-generic/socket.h>; Python does not name it


def is_ike(frame: bytes) -> bool:
    if frame[12:14] != b"\x08\x00" or frame[23] != socket.IPPROTO_UDP:
        return False
    udp = 14 + (frame[14] & 15) * 4
    ports = struct.unpack_from("!HH", frame, udp)
    return 500 in ports or (4500 in ports and frame[udp + 8 : udp + 12] == bytes(4))


def main(left: str, right: str, per_cent: int, seed: int, delay_milliseconds: int) -> None:
    rng = random.Random(seed)
    delay = delay_milliseconds / 1000
    waiting = collections.deque()  # (when, wire, frame)
    counts = {left: [0, 0], right: [0, 0]}
    wires = {}
    for port in (left, right):
        wires[port] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))  # ETH_P_ALL
        wires[port].setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        wires[port].bind((port, 0))
        wires[port].setblocking(False)

    def stop(*_) -> None:
        for port, (passed, lost) in counts.items():
            print(f"from {port}: {passed} passed, {lost} lost", flush=True)
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    ready = selectors.DefaultSelector()
    for port, other in ((left, right), (right, left)):
        ready.register(wires[port], selectors.EVENT_READ, (port, wires[other]))
    print("relaying", flush=True)
    while True:
        pause = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for key, _ in ready.select(pause):
            port, other = key.data
            frame, (*_, kind, _, _) = key.fileobj.recvfrom(FRAME)
            if kind == OUTGOING:
                continue
            if is_ike(frame):
                lost = rng.randrange(100) < per_cent
                counts[port][lost] += 1
                if lost:
                    continue
                if delay:
                    waiting.append((time.monotonic() + delay, other, frame))
                    continue
            other.send(frame)
        while waiting and waiting[0][0] <= time.monotonic():
            _, other, frame = waiting.popleft()
            other.send(frame)


main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6]))
