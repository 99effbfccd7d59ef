# SPDX-License-Identifier: Apache-2.0
"""Samples of all contestants, what follows from them, and the goals they are held to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import NamedTuple

from compare.goals import Goal, Verdict, judge_all
from compare.report import GOAL_HEADINGS, goal_line, percent, table, times, verdict_json
from ike.trial import Outcome

ADIT, RIVAL = "adit", "strongswan"

# Least lead over strongSwan as it comes, and least share of what bare Diffie-Hellman allows.
LEAD = 4.0
SHARE = 0.80
# Most memory of a tunnel, all processes together.
OCTETS = 8_000

RATE_HEADINGS = ("role", "group", "gateway", "per CPU s", "of limit", "adit leads", "ms a tunnel", "of which",
                 "tunnels/s", "retransmits")  # fmt: skip
MEMORY_HEADINGS = ("role", "group", "gateway", "tunnels", "octets a tunnel", "of which")


class Cell(NamedTuple):
    role: str  # of the gateway
    group: str
    contestant: str

    def __str__(self) -> str:
        return f"{self.role}, {self.group}"


@dataclass
class Results:
    """An outcome, or a limit, for each round. Limits are by group: pairs and secrets a CPU second."""

    rates: dict[Cell, list[Outcome]] = field(default_factory=dict)
    limits: dict[str, list[float]] = field(default_factory=dict)
    memory: dict[Cell, list[Outcome]] = field(default_factory=dict)

    def share(self, cell: Cell) -> float:
        """Of the limit; each taken from the limit of its own round."""
        rounds = zip(self.rates[cell], self.limits[cell.group])
        return median(outcome.tunnels_a_cpu_second / limit for outcome, limit in rounds)

    def adit_leads(self, cell: Cell) -> float | None:
        """How many times as fast Adit was in the same round. Nothing for Adit itself, or without it."""
        ours = self.rates.get(cell._replace(contestant=ADIT))
        if cell.contestant == ADIT or not ours:
            return None
        rounds = zip(ours, self.rates[cell])
        return median(adit.tunnels_a_cpu_second / other.tunnels_a_cpu_second for adit, other in rounds)


def shares(results: Results) -> dict[Cell, float]:
    return {cell: results.share(cell) for cell in results.rates if cell.contestant == ADIT}


def leads(results: Results) -> dict[Cell, float]:
    found = {cell: results.adit_leads(cell) for cell in results.rates if cell.contestant == RIVAL}
    return {cell: lead for cell, lead in found.items() if lead is not None}


def octets(results: Results) -> dict[Cell, float]:
    return {cell: octets_a_tunnel(taken) for cell, taken in results.memory.items() if cell.contestant == ADIT}


def of_group(figures: Callable[[Results], dict[Cell, float]], group: str) -> Callable[[Results], dict[Cell, float]]:
    return lambda results: {cell: value for cell, value in figures(results).items() if cell.group == group}


GOALS = (
    *(Goal(f"{group}: against strongSwan, per CPU second", LEAD, "x", True, of_group(leads, group))
      for group in ("modp2048", "ecp256")),
    *(Goal(f"{group}: share of the limit", SHARE, "%", True, of_group(shares, group))
      for group in ("modp2048", "ecp256")),
    Goal("memory of a tunnel", OCTETS, "octets", False, octets),
)  # fmt: skip


def judge(results: Results) -> list[Verdict]:
    return judge_all(results, GOALS)


# --- text and JSON


def octets_a_tunnel(outcomes: list[Outcome]) -> float:
    return median(outcome.octets_a_tunnel for outcome in outcomes)


def middle(outcomes: list[Outcome]) -> Outcome:
    """The one whose rate is the median, or next to it."""
    return sorted(outcomes, key=lambda outcome: outcome.tunnels_a_cpu_second)[len(outcomes) // 2]


def by_part(values: dict[str, float], form: str) -> str:
    """Empty when there is one part only."""
    return ", ".join(f"{part} {value:{form}}" for part, value in values.items()) if len(values) > 1 else ""


def rate_line(results: Results, cell: Cell) -> tuple[str, ...]:
    outcome = middle(results.rates[cell])
    parts = {part: outcome.ms_a_tunnel(part) for part in outcome.cpu_seconds}
    return (
        *cell,
        f"{outcome.tunnels_a_cpu_second:,.0f}",
        percent(results.share(cell)),
        times(results.adit_leads(cell)),
        f"{sum(parts.values()):.3f}",
        by_part(parts, ".3f"),
        f"{outcome.tunnels / outcome.seconds:,.0f}",
        str(outcome.retransmits),
    )


def limit_line(group: str, limits: list[float]) -> tuple[str, ...]:
    limit = median(limits)
    return ("", group, "limit", f"{limit:,.0f}", "", "", f"{1000 / limit:.3f}", "", "", "")


def memory_line(cell: Cell, outcomes: list[Outcome]) -> tuple[str, ...]:
    outcome = outcomes[-1]
    parts = {part: grown / outcome.tunnels for part, grown in outcome.pss_growth.items()}
    return (*cell, f"{outcome.tunnels:,}", f"{octets_a_tunnel(outcomes):,.0f}", by_part(parts, ",.0f"))


def as_text(results: Results, verdicts: Iterable[Verdict]) -> str:
    rates = [rate_line(results, cell) for cell in sorted(results.rates, reverse=True)]
    rates += [limit_line(group, limits) for group, limits in results.limits.items()]
    sections = (
        ("Tunnels: main mode and quick mode, of the round with the median rate", table(RATE_HEADINGS, rates)),
        ("Memory", table(MEMORY_HEADINGS, (memory_line(*entry) for entry in results.memory.items()))),
        ("Goals: the worst cell of each, and how many of its cells meet it",
         table(GOAL_HEADINGS, map(goal_line, verdicts))),
    )  # fmt: skip
    return "\n\n".join(f"{title}\n\n{text}" for title, text in sections if text) + "\n"


def as_json(results: Results, verdicts: Iterable[Verdict]) -> dict:
    def cells(taken: dict[Cell, list[Outcome]]) -> list[dict]:
        return [cell._asdict() | {"outcomes": list(map(asdict, outcomes))} for cell, outcomes in taken.items()]

    return {
        "rates": cells(results.rates),
        "limits": results.limits,
        "memory": cells(results.memory),
        "goals": list(map(verdict_json, verdicts)),
    }
