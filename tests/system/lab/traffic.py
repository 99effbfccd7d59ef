# SPDX-License-Identifier: Apache-2.0
"""What hosts do: ping, move files, and count datagrams."""

from __future__ import annotations

import json
import re
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lab.net import Namespace
from lab.process import Process, SceneError, wait_until

IP_ICMP_HEADERS = 28  # ping -s counts octets after the ICMP header
TCP_TOOL = Path(__file__).with_name("tcp_transfer.py")
UDP_TOOL = Path(__file__).with_name("udp_numbers.py")
FIRST_UDP_PORT = 6001


@dataclass(frozen=True)
class PingResult:
    sent: int
    received: int
    text: str

    @property
    def lost(self) -> int:
        return self.sent - self.received


def ping(
    host: Namespace,
    target: str,
    count: int = 3,
    size: int = 84,
    interval: float = 0.05,
    options: tuple[str, ...] = ("-M", "dont"),
    wait: float = 2,
) -> PingResult:
    """`size` is the length of the IP packet. Never fails by itself: look at the result."""
    result = host.run(
        *("ping", "-n", "-c", str(count), "-i", f"{interval:g}", "-W", f"{wait:g}"),
        *("-s", str(size - IP_ICMP_HEADERS), *options, target),
        check=False,
        timeout=count * interval + wait + 20,
    )
    counts = re.search(r"(\d+) packets transmitted, (\d+) received", result.stdout)
    if not counts:
        raise SceneError(f"ping says:\n{result.stdout}")
    return PingResult(int(counts[1]), int(counts[2]), result.stdout)


def ping_until_answered(
    host: Namespace, target: str, timeout: float = 10, source: str = ""
) -> PingResult:
    """Single pings until one comes back: what brings a tunnel up on demand."""
    options = ("-M", "dont", *(("-I", source) if source else ()))

    def answered() -> PingResult | None:
        result = ping(host, target, count=1, wait=0.2, options=options)
        return result if result.received else None

    return wait_until(answered, timeout, f"an answer to a ping from {host.label} to {target}")


def transfer(sender: Namespace, receiver: Namespace, target: str, megabytes: int, folder: Path):
    """Moves random octets over TCP. Returns (sha256 sent, sha256 received)."""
    log = folder / f"{receiver.label}.tcp.out"
    log.unlink(missing_ok=True)
    sink = receiver.start("tcp receiver", [sys.executable, str(TCP_TOOL), "receive", "5001"], log)
    try:
        sink.wait_for_output("listening")
        sent = sender.run(
            *(sys.executable, str(TCP_TOOL), "send", target, "5001", str(megabytes)), timeout=120
        )
        sink.wait(20)
        return sent.stdout.split()[-1], sink.output().split()[-1]
    finally:
        sink.stop()


@dataclass(frozen=True)
class Stream:
    """Numbered datagrams of several flows (source ports) from one host to an address of another."""

    sender: Namespace
    receiver: Namespace
    target: str


@dataclass(frozen=True)
class StreamResult:
    sent: int
    received: int
    misplaced: int  # came behind a later one of its flow

    @property
    def lost(self) -> int:
        return self.sent - self.received


def stream_all(
    streams: list[Stream], folder: Path, flows: int = 4, count: int = 1000, per_second: int = 1000
) -> list[StreamResult]:
    """All streams at once: `count` datagrams of each flow, `per_second` of all flows of a stream."""

    def start(stream: Stream, number: int, *words: str | int) -> Process:
        host = stream.sender if words[0] == "send" else stream.receiver
        argv = [sys.executable, str(UDP_TOOL), *map(str, words)]
        log = folder / f"{host.label}.udp{number}-{words[0]}.out"
        log.unlink(missing_ok=True)
        process = host.start(f"udp {words[0]} {number}", argv, log)
        ends.callback(process.stop)
        return process

    with ExitStack() as ends:
        receivers, senders = [], []
        for port, stream in enumerate(streams, FIRST_UDP_PORT):
            receivers.append(start(stream, port, "receive", port, flows, count))
            receivers[-1].wait_for_output("listening")
        for port, stream in enumerate(streams, FIRST_UDP_PORT):
            words = ("send", stream.target, port, flows, count, per_second)
            senders.append(start(stream, port, *words))
        longest = flows * count / per_second + 30
        for process in [*senders, *receivers]:
            if process.wait(longest) != 0:
                raise SceneError(f"{process.name} failed:\n{process.output()}")
        return [
            StreamResult(flows * count, **json.loads(receiver.output().splitlines()[-1]))
            for receiver in receivers
        ]
