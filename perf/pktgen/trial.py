# SPDX-License-Identifier: Apache-2.0
"""Trials on two running gateways: one at a given load, and RFC 2544's search for the throughput."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from gateway import Counters, Gateway
from lab.process import SceneError
from plan import ETHERNET_BYTES

# A dataplane publishes its ports' counters every 100 ms, later when its housekeeper has to wait for a core.
LOOK_SECONDS = 0.25
MAX_LOOKS = 20
# RFC 2544 26.1 leaves the step of the search open; half a per cent is below the noise of two cores.
SEARCH_STEP = 0.005
# The least load the search tries, as a share of what the gateway takes at most.
SEARCH_FLOOR = 0.01
# Of the generator's turns: with less the generator was the slower side.
FULL_SHARE = 0.1


class Generator:
    """memif_generator.cpp as a child: commands go to its standard input, answers are JSON lines."""

    def __init__(self, argv: list[str], log: Path):
        self._log = log
        with open(log, "ab") as errors:
            self._child = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )

    def ask(self, command: str) -> dict:
        try:
            self._child.stdin.write(command + "\n")
            self._child.stdin.flush()
            answer = json.loads(self._child.stdout.readline() or '{"error": "it ended"}')
        except BrokenPipeError:
            answer = {"error": "it ended"}
        if "error" in answer:
            raise SceneError(f"generator: {answer['error']}\n{self._log.read_text()}")
        return answer

    def connected(self) -> bool:
        return self.ask("links")["connected"]

    def stop(self) -> None:
        """The end of its input ends it."""
        self._child.stdin.close()
        try:
            self._child.wait(5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


@dataclass(frozen=True)
class Load:
    frames: tuple[int, ...]  # sizes in turn, with Ethernet header and FCS
    tunnels: int
    seconds: float
    path: str  # "one" or "both" gateways

    def frame_bytes(self) -> float:
        return sum(self.frames) / len(self.frames)

    def command(self, rate: float) -> str:
        lengths = ",".join(str(size - ETHERNET_BYTES) for size in self.frames)
        return f"run {lengths} {self.tunnels} {rate:.0f} {self.seconds} {self.path}"


@dataclass(frozen=True)
class Result:
    load: Load
    offered: int
    taken: int
    received: int
    cable_refused: int
    turns: int
    full_turns: int
    near: Counters  # gw-a's, over the trial
    far: Counters

    def offered_rate(self) -> float:
        return self.offered / self.load.seconds

    def forwarded_rate(self) -> float:
        return self.received / self.load.seconds

    def gbps(self) -> float:
        """Of the clear frames, layer 2."""
        return self.forwarded_rate() * self.load.frame_bytes() * 8 / 1e9

    def loss_percent(self) -> float:
        return 100 * (self.offered - self.received) / self.offered if self.offered else 0.0

    def gateway_set_the_pace(self) -> bool:
        """Its ring was full in a good part of the generator's turns, not only after some hiccup."""
        return self.full_turns >= FULL_SHARE * self.turns

    def drops(self) -> dict[str, int]:
        names = self.near.drops.keys() | self.far.drops.keys()
        return {name: self.near.drops.get(name, 0) + self.far.drops.get(name, 0) for name in sorted(names)}

    def disagreements(self) -> list[str]:
        """Where the generator's counts and the gateways' own do not add up; empty when they do."""
        pairs = [
            ("sent into gw-a", self.taken, "its lan input", self.near.lan_in),
            (
                "received",
                self.received,
                "gw-a's input less all named drops",
                self.near.lan_in - sum(self.drops().values()) - self.cable_refused,
            ),
        ]
        if self.load.path == "both":
            far = self.far.decaps - self.far.dropped()
            pairs.append(("received", self.received, "gw-b's decaps less its drops", far))
        return [f"{ours} {n}, but {theirs} {m}" for ours, n, theirs, m in pairs if n != m]


class Bench:
    """The generator and both gateways, tunnels up."""

    def __init__(self, generator: Generator, near: Gateway, far: Gateway):
        self._generator = generator
        self._near = near
        self._far = far

    def run(self, load: Load, rate: float = 0) -> Result:
        """`rate` in frames a second; 0: as many as the gateway takes."""
        near, far, _ = self._settled()
        sent = self._generator.ask(load.command(rate))
        near_after, far_after, arrived = self._settled()
        return Result(load=load, near=near_after.since(near), far=far_after.since(far), **sent, **arrived)

    def _settled(self) -> tuple[Counters, Counters, dict]:
        """gw-a's and gw-b's counters and what arrived, when a second look finds what the first one did."""
        seen = None
        for _ in range(MAX_LOOKS):
            found = self._near.counters(), self._far.counters(), self._generator.ask("arrived")
            if found == seen:
                break
            seen = found
            time.sleep(LOOK_SECONDS)
        return found

    def run_median(self, load: Load, rate: float, repeats: int) -> Result:
        """The trial with the middle forwarding rate."""
        results = [self.run(load, rate) for _ in range(repeats)]
        middle = median(result.received for result in results)
        return min(results, key=lambda result: abs(result.received - middle))

    def throughput(self, load: Load, loss_percent: float) -> Result:
        """RFC 2544 26.1: the highest rate at which no more than that is lost."""
        ceiling = self.run(load)
        best = None
        low, high = ceiling.forwarded_rate() * SEARCH_FLOOR, ceiling.forwarded_rate()
        rate = high
        while True:
            result = self.run(load, rate)
            if result.loss_percent() <= loss_percent:
                best, low = result, rate
            else:
                high = rate
            if high - low <= SEARCH_STEP * high:
                return best or result
            rate = (low + high) / 2
