# SPDX-License-Identifier: Apache-2.0
"""What hosts do: ping and move files."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from lab.net import Namespace
from lab.process import SceneError, wait_until

IP_ICMP_HEADERS = 28  # ping -s counts octets after the ICMP header
TCP_TOOL = Path(__file__).with_name("tcp_transfer.py")


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
    wait: int = 2,
) -> PingResult:
    """`size` is the length of the IP packet. Never fails by itself: look at the result."""
    result = host.run(
        *("ping", "-n", "-c", str(count), "-i", f"{interval:g}", "-W", str(wait)),
        *("-s", str(size - IP_ICMP_HEADERS), *options, target),
        check=False,
        timeout=count * interval + wait + 20,
    )
    counts = re.search(r"(\d+) packets transmitted, (\d+) received", result.stdout)
    if not counts:
        raise SceneError(f"ping says:\n{result.stdout}")
    return PingResult(int(counts[1]), int(counts[2]), result.stdout)


def ping_until_answered(host: Namespace, target: str, timeout: float = 10) -> PingResult:
    """Single pings until one comes back: what brings a tunnel up on demand."""
    return wait_until(
        lambda: (lambda result: result if result.received else None)(
            ping(host, target, count=1, wait=1)
        ),
        timeout,
        f"an answer to a ping from {host.label} to {target}",
    )


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
