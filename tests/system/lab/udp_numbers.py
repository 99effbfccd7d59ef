# SPDX-License-Identifier: Apache-2.0
"""Sends or receives numbered datagrams of several flows, one flow a source port. Runs inside a scene's namespace.

    udp_numbers.py send ADDRESS PORT FLOWS COUNT PER_SECOND
    udp_numbers.py receive PORT FLOWS COUNT      prints {"received": n, "misplaced": n} as JSON
"""

import json
import socket
import struct
import sys
import time

SILENCE_SECONDS = 5
RECEIVE_BUFFER = 1 << 23
SO_RCVBUFFORCE = 33  # <asm-generic/socket.h>; Python does not name it
NUMBER = struct.Struct("!II")  # flow, number within it
PADDING = bytes(192)


def send(address: str, port: int, flows: int, count: int, per_second: int) -> None:
    sockets = []
    for _ in range(flows):
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.connect((address, port))
        sockets.append(sender)
    started = time.monotonic()
    for number in range(count):
        for flow, sender in enumerate(sockets):
            sender.send(NUMBER.pack(flow, number) + PADDING)
        ahead = started + (number + 1) * flows / per_second - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)


def receive(port: int, flows: int, count: int) -> dict[str, int]:
    received = misplaced = 0
    following = [0] * flows
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        receiver.bind(("", port))
        print("listening", flush=True)
        receiver.settimeout(SILENCE_SECONDS)
        while received < flows * count:
            try:
                flow, number = NUMBER.unpack(receiver.recv(2048)[: NUMBER.size])
            except TimeoutError:
                break
            received += 1
            misplaced += number < following[flow]
            following[flow] = max(following[flow], number + 1)
    return {"received": received, "misplaced": misplaced}


if sys.argv[1] == "send":
    send(sys.argv[2], *map(int, sys.argv[3:7]))
else:
    print(json.dumps(receive(*map(int, sys.argv[2:5]))))
