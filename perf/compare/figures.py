# SPDX-License-Identifier: Apache-2.0
"""Samples of all contestants, and what follows from them. Times are nanoseconds a packet."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from compare.plan import Cell

CONTESTANTS = ("adit", "forward", "ends", "raw", "secgw")


@dataclass(frozen=True)
class Summary:
    minimum: float
    median: float
    maximum: float

    def spread(self) -> float:
        """As harness.h: (maximum - minimum) / median."""
        return (self.maximum - self.minimum) / self.median


def summarize(samples: list[float]) -> Summary | None:
    return Summary(min(samples), median(samples), max(samples)) if samples else None


@dataclass
class Samples:
    """Of one cell."""

    octets: float = 0  # of the inner packet, on average
    ns: dict[str, list[float]] = field(default_factory=dict)  # by contestant
    parts: dict[str, list[float]] = field(default_factory=dict)  # of a turn of adit's worker
    secgw_modes: list[str] = field(default_factory=list)  # the fastest, once a sample

    def add(self, contestant: str, ns: float) -> None:
        self.ns.setdefault(contestant, []).append(ns)

    def add_parts(self, parts: dict[str, float]) -> None:
        for name, ns in parts.items():
            self.parts.setdefault(name, []).append(ns)

    def summary(self, contestant: str) -> Summary | None:
        return summarize(self.ns.get(contestant, []))


Results = dict[Cell, Samples]


@dataclass(frozen=True)
class Row:
    """A cell's figures, from medians."""

    cell: Cell
    octets: float
    adit: Summary
    ends: float
    raw: float
    secgw: float | None

    @property
    def mpps(self) -> float:
        return 1e3 / self.adit.median

    @property
    def gbps(self) -> float:
        """Of inner packets."""
        return self.octets * 8 / self.adit.median

    @property
    def worker(self) -> float:
        """The worker without source and sink."""
        return self.adit.median - self.ends

    @property
    def own(self) -> float:
        """What the worker adds to the library's work."""
        return self.worker - self.raw

    @property
    def share_of_raw(self) -> float:
        return self.raw / self.worker

    @property
    def lead(self) -> float | None:
        """How many times as fast as secgw; both with the same ends."""
        return self.secgw / self.adit.median if self.secgw else None


def make_rows(results: Results) -> dict[Cell, Row]:
    """Cells that adit, ends and raw have all measured."""
    rows = {}
    for cell, samples in results.items():
        adit, ends, raw, secgw = (samples.summary(name) for name in ("adit", "ends", "raw", "secgw"))
        if adit and ends and raw:
            other = secgw.median if secgw else None
            rows[cell] = Row(cell, samples.octets, adit, ends.median, raw.median, other)
    return rows
