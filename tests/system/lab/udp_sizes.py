# SPDX-License-Identifier: Apache-2.0
"""Datagrams of every size, once. Runs inside a scene's namespace.

    udp_sizes.py receive ADDRESS PORT
        until SIGTERM; then prints JSON: {"intact": [octets of payload ...], "damaged": n}
    udp_sizes.py send ADDRESS PORT FIRST LAST {df|free} PER_SECOND
        prints JSON: {"refused": [sizes that our own link cannot carry], "told": {mtu: times}} of ICMP errors
"""

import json
import signal
import socket
import struct
import sys
import time

# <linux/in.h>, <linux/errqueue.h>
IP_MTU_DISCOVER, IP_PMTUDISC_DONT, IP_PMTUDISC_PROBE = 10, 0, 3
IP_RECVERR = 11
SO_RCVBUFFORCE = 33
EXTENDED_ERROR = struct.Struct("=IBBBBII")
ORIGIN_ICMP = 2
FRAGMENTATION_NEEDED = (3, 4)


def content(octets: int) -> bytes:
    return bytes((octets * 31 + i * 7 + (i >> 8)) & 0xFF for i in range(octets))


def receive(address: str, port: str) -> dict:
    intact, damaged = [], 0
    running = True

    def stop(*_):
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 24)
        receiver.bind((address, int(port)))
        receiver.settimeout(0.1)
        print("listening", flush=True)
        while running:
            try:
                datagram = receiver.recv(65536)
            except TimeoutError:
                continue
            if datagram == content(len(datagram)):
                intact.append(len(datagram))
            else:
                damaged += 1
    return {"intact": intact, "damaged": damaged}


def take_errors(sender: socket.socket, told: dict[int, int]) -> None:
    while True:
        try:
            _, ancillary, _, _ = sender.recvmsg(4096, 512, socket.MSG_ERRQUEUE)
        except BlockingIOError:
            return
        for _, kind, data in ancillary:
            error = EXTENDED_ERROR.unpack_from(data)
            if kind == IP_RECVERR and error[1] == ORIGIN_ICMP and error[2:4] == FRAGMENTATION_NEEDED:
                told[error[5]] = told.get(error[5], 0) + 1


def send(address: str, port: str, first: str, last: str, how: str, per_second: str) -> dict:
    refused, told = [], {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        discover = IP_PMTUDISC_PROBE if how == "df" else IP_PMTUDISC_DONT
        sender.setsockopt(socket.IPPROTO_IP, IP_MTU_DISCOVER, discover)
        sender.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
        sender.setblocking(False)
        started = time.monotonic()
        for number, octets in enumerate(range(int(first), int(last) + 1)):
            for attempt in (1, 2):  # an error that waits is given to the next call, whatever it is
                try:
                    sender.sendto(content(octets), (address, int(port)))
                    break
                except OSError:
                    take_errors(sender, told)
                    if attempt == 2:
                        refused.append(octets)
            ahead = started + number / int(per_second) - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
        time.sleep(0.5)
        take_errors(sender, told)
    return {"refused": refused, "told": told}


print(json.dumps({"receive": receive, "send": send}[sys.argv[1]](*sys.argv[2:])))
