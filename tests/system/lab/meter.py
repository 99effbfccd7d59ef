# SPDX-License-Identifier: Apache-2.0
"""Numbered datagrams both ways between two hosts for as long as a scene lasts, every one accounted for.

    with Meter(scene.host_a, SITE_A.host, scene.host_b, SITE_B.host, scene.folder) as meter:
        ...                                 # what happens to the tunnel
        expect_all(meter)
"""

from __future__ import annotations

import itertools
import json
import signal
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lab.net import Namespace
from lab.process import Process, wait_until

TOOL = Path(__file__).with_name("udp_meter.py")
FIRST_PORT = 7001
_ports = itertools.count(FIRST_PORT)


@dataclass(frozen=True)
class Direction:
    """What became of the datagrams that one end sent."""

    sent: int
    received: int
    duplicated: int
    misplaced: int  # came behind a later one
    damaged: int
    longest_gap: float  # seconds without any
    holes: tuple[tuple[int, int], ...]  # numbers that did not come, from and to

    @property
    def lost(self) -> int:
        return self.sent - self.received

    def __str__(self) -> str:
        return (
            f"{self.sent} sent, {self.lost} lost {list(self.holes)[:10]}, {self.duplicated} duplicated, "
            f"{self.misplaced} misplaced, {self.damaged} damaged, longest gap {self.longest_gap:.2f} s"
        )


class Meter:
    """Between `near` and `far`; `octets` is the length of the IP packets."""

    def __init__(
        self,
        near: Namespace,
        near_address: str,
        far: Namespace,
        far_address: str,
        folder: Path,
        per_second: int = 200,
        octets: int = 200,
    ):
        port = next(_ports)
        self._ends: list[Process] = []
        with ExitStack() as undo:
            for host, own, other in ((near, near_address, far_address), (far, far_address, near_address)):
                words = [own, other, str(port), str(per_second), str(octets)]
                log = folder / f"{host.label}.meter{port}"
                end = host.start(f"meter {port}", [sys.executable, str(TOOL), *words], log)
                undo.callback(end.stop)
                self._ends.append(end)
            for end in self._ends:
                end.wait_for_output("ready")
            undo.pop_all()
        self._toggle_sending()

    def __enter__(self) -> Meter:
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def stop(self) -> None:
        for end in self._ends:
            end.stop()

    def so_far(self) -> tuple[Direction, Direction]:
        """From near to far, and back. What is on its way counts as lost."""
        near, far = (self._told(end) for end in self._ends)
        return _direction(near, far), _direction(far, near)

    def wait_for(self, packets: int, timeout: float) -> None:
        """Until so many more have come at both ends."""
        before = [way.received for way in self.so_far()]

        def came() -> bool:
            now = [way.received for way in self.so_far()]
            return all(b + packets <= n for b, n in zip(before, now))

        wait_until(came, timeout, f"{packets} datagrams at both ends, after {before}")

    def finish(self) -> tuple[Direction, Direction]:
        """Ends sending, waits for what is on its way, and gives the account of both directions."""
        self._toggle_sending()
        quiet = [-1, -1]

        def settled() -> bool:
            nonlocal quiet
            before, quiet = quiet, [self._told(end) for end in self._ends]
            return before == quiet

        wait_until(settled, 10, "no more datagrams arrive", step=0.6)
        self.stop()
        return self.so_far()

    def _toggle_sending(self) -> None:
        for end in self._ends:
            end.signal(signal.SIGUSR1)

    @staticmethod
    def _told(end: Process) -> dict:
        lines = [line for line in end.output().splitlines(keepends=True) if line.endswith("\n")]
        last = lines[-1]
        return json.loads(last) if last.startswith("{") else dict.fromkeys(_NAMES, 0) | {"holes": []}


_NAMES = ("sent", "received", "duplicated", "misplaced", "damaged", "longest_gap")


def _direction(sender: dict, receiver: dict) -> Direction:
    counts = {**receiver, "sent": sender["sent"], "holes": tuple(map(tuple, receiver["holes"]))}
    return Direction(**counts)


def expect_all(meter: Meter) -> tuple[Direction, Direction]:
    """Ends the meter: nothing was lost, nothing came twice, nothing was changed."""
    there, back = meter.finish()
    for way, name in ((there, "there"), (back, "back")):
        assert (way.lost, way.duplicated, way.damaged) == (0, 0, 0), f"{name}: {way}"
    return there, back
