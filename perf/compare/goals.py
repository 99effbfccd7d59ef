# SPDX-License-Identifier: Apache-2.0
"""The goals a comparison can judge: each is a limit that the figures of some cells keep or do not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from compare.figures import Row
from compare.plan import Cell

# Least share of raw IPsec-MB speed, AES-128-GCM outwards, by load.
SHARES = {"64": 0.55, "imix": 0.70, "512": 0.75, "1400": 0.85}
# Most nanoseconds a packet of work around the library's, AES-128-GCM, by direction.
OWN_NS = {"out": 20, "in": 25}
# Least lead over ipsec-secgw: everywhere, and with small packets or a thousand tunnels.
LEAD = 1.0
GREAT_LEAD = 1.7
# Most cost of a packet, against one tunnel.
TUNNEL_COSTS = {10_000: 1.3, 100_000: 2.0}

GCM = "aes128-gcm"

Rows = dict[Cell, Row]
Figures = dict[Cell, float]


@dataclass(frozen=True)
class Goal:
    text: str
    limit: float
    unit: str  # "%", "ns", "x" or "octets"
    at_least: bool  # else at most
    figures: Callable[[Rows], Figures]

    def is_met_by(self, figure: float) -> bool:
        return figure >= self.limit if self.at_least else figure <= self.limit


@dataclass(frozen=True)
class Verdict:
    goal: Goal
    cells: int  # that were judged
    met: int
    worst: float | None
    worst_cell: Cell | None

    def word(self) -> str:
        if self.cells == 0:
            return "not measured"
        return "met" if self.met == self.cells else "MISSED"


def is_plain_gcm(cell: Cell) -> bool:
    return cell.suite == GCM and cell.form == "native" and cell.tunnels == 1


def shares(load: str) -> Callable[[Rows], Figures]:
    def figures(rows: Rows) -> Figures:
        return {
            cell: row.share_of_raw
            for cell, row in rows.items()
            if is_plain_gcm(cell) and cell.direction == "out" and cell.load == load
        }

    return figures


def own_work(direction: str) -> Callable[[Rows], Figures]:
    def figures(rows: Rows) -> Figures:
        return {
            cell: row.own
            for cell, row in rows.items()
            if is_plain_gcm(cell) and cell.direction == direction
        }

    return figures


def leads(wanted: Callable[[Cell], bool]) -> Callable[[Rows], Figures]:
    def figures(rows: Rows) -> Figures:
        return {cell: row.lead for cell, row in rows.items() if row.lead is not None and wanted(cell)}

    return figures


def tunnel_costs(tunnels: int) -> Callable[[Rows], Figures]:
    def figures(rows: Rows) -> Figures:
        one = {cell: rows.get(cell._replace(tunnels=1)) for cell in rows if cell.tunnels == tunnels}
        return {
            cell: rows[cell].adit.median / base.adit.median
            for cell, base in one.items()
            if base is not None
        }

    return figures


def is_small(cell: Cell) -> bool:
    return cell.load == "64"


def has_many_tunnels(cell: Cell) -> bool:
    return cell.tunnels == 1_000


GOALS = (
    *(Goal(f"{GCM} out, {load}: share of raw", least, "%", True, shares(load)) for load, least in SHARES.items()),
    *(Goal(f"{GCM} {way}: own work", most, "ns", False, own_work(way)) for way, most in OWN_NS.items()),
    Goal("against secgw, everywhere", LEAD, "x", True, leads(lambda cell: True)),
    Goal(f"against secgw, 64 octets, {GCM}", GREAT_LEAD, "x", True,
         leads(lambda cell: is_small(cell) and cell.suite == GCM)),
    Goal("against secgw, 64 octets, every suite", GREAT_LEAD, "x", True, leads(is_small)),
    Goal(f"against secgw, 1,000 tunnels, {GCM}", GREAT_LEAD, "x", True,
         leads(lambda cell: has_many_tunnels(cell) and cell.suite == GCM)),
    Goal("against secgw, 1,000 tunnels, every suite", GREAT_LEAD, "x", True, leads(has_many_tunnels)),
    *(Goal(f"{count:,} tunnels against 1: cost", most, "x", False, tunnel_costs(count))
      for count, most in TUNNEL_COSTS.items()),
)  # fmt: skip


def judge(goal: Goal, rows: Rows) -> Verdict:
    figures = goal.figures(rows)
    if not figures:
        return Verdict(goal, 0, 0, None, None)
    pick = min if goal.at_least else max
    worst_cell = pick(figures, key=figures.__getitem__)
    met = sum(map(goal.is_met_by, figures.values()))
    return Verdict(goal, len(figures), met, figures[worst_cell], worst_cell)


def judge_all(rows: Rows, goals: Iterable[Goal] = GOALS) -> list[Verdict]:
    return [judge(goal, rows) for goal in goals]
