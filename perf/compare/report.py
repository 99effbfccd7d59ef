# SPDX-License-Identifier: Apache-2.0
"""Results as text, in tables that are Markdown too, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable

from compare.figures import Results, Row, Samples, make_rows, summarize
from compare.goals import GCM, Verdict
from compare.plan import DIRECTIONS, FORMS, LOADS, SUITES, Cell

HEADINGS = ("suite", "tunnels", "form", "size", "adit ns", "min", "spread", "Mpps", "Gbps",
            "ends ns", "raw ns", "own ns", "share", "secgw ns", "ratio")  # fmt: skip
GOAL_HEADINGS = ("goal", "limit", "worst", "where", "cells", "verdict")
PARTS_LOADS = ("64", "1400")
PARTS_TUNNELS = (1, 10_000)

WORDS = {"suite", "form", "role", "group", "gateway", "goal", "where", "verdict"}  # columns aligned left; the others are figures

Line = tuple[str, ...]


def table(headings: Line, lines: Iterable[Line]) -> str:
    """Empty without lines."""
    lines = list(lines)
    if not lines:
        return ""
    widths = [max(map(len, column)) for column in zip(headings, *lines)]

    def row(cells: Line) -> str:
        padded = (
            cell.ljust(width) if heading in WORDS else cell.rjust(width)
            for heading, cell, width in zip(headings, cells, widths)
        )
        return f"| {' | '.join(padded)} |"

    def rule(heading: str, width: int) -> str:
        return "-" * width if heading in WORDS else "-" * (width - 1) + ":"

    return "\n".join(map(row, (headings, tuple(map(rule, headings, widths)), *lines)))


def reading_order(cell: Cell) -> tuple:
    return (SUITES.index(cell.suite), cell.tunnels, FORMS.index(cell.form), LOADS.index(cell.load))


def percent(share: float) -> str:
    return f"{share * 100:.0f} %"


def times(factor: float | None) -> str:
    return "" if factor is None else f"{factor:.2f}"


def nanoseconds(ns: float | None) -> str:
    return "" if ns is None else f"{ns:.1f}"


def row_line(row: Row) -> Line:
    cell = row.cell
    return (
        cell.suite,
        f"{cell.tunnels:,}",
        cell.form,
        cell.load,
        nanoseconds(row.adit.median),
        nanoseconds(row.adit.minimum),
        percent(row.adit.spread()),
        f"{row.mpps:.2f}",
        f"{row.gbps:.2f}",
        nanoseconds(row.ends),
        nanoseconds(row.raw),
        nanoseconds(row.own),
        percent(row.share_of_raw),
        nanoseconds(row.secgw),
        times(row.lead),
    )


def direction_table(direction: str, rows: dict[Cell, Row]) -> str:
    cells = sorted((cell for cell in rows if cell.direction == direction), key=reading_order)
    return table(HEADINGS, (row_line(rows[cell]) for cell in cells))


def has_parts_shown(cell: Cell, samples: Samples) -> bool:
    wanted = cell.suite == GCM and cell.form == "native"
    return bool(samples.parts) and wanted and cell.load in PARTS_LOADS and cell.tunnels in PARTS_TUNNELS


def parts_table(direction: str, results: Results) -> str:
    shown = {
        cell: samples.parts
        for cell, samples in results.items()
        if cell.direction == direction and has_parts_shown(cell, samples)
    }
    names = list(dict.fromkeys(name for parts in shown.values() for name in parts))

    def line(cell: Cell) -> Line:
        summaries = (summarize(shown[cell].get(name, [])) for name in names)
        figures = (nanoseconds(summary.median if summary else None) for summary in summaries)
        return (cell.suite, f"{cell.tunnels:,}", cell.load, *figures)

    return table(("suite", "tunnels", "size", *names), map(line, sorted(shown, key=reading_order)))


def quantity(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    scale, places = {"%": (100, 1), "ns": (1, 1), "x": (1, 2), "octets": (1, 0)}[unit]
    return f"{value * scale:,.{places}f} {unit}"


def goal_line(verdict: Verdict) -> Line:
    goal = verdict.goal
    return (
        goal.text,
        f"{'>=' if goal.at_least else '<='} {quantity(goal.limit, goal.unit)}",
        quantity(verdict.worst, goal.unit),
        str(verdict.worst_cell or ""),
        f"{verdict.met} of {verdict.cells}" if verdict.cells else "",
        verdict.word(),
    )


def as_text(results: Results, verdicts: Iterable[Verdict]) -> str:
    rows = make_rows(results)
    sections = (
        *((f"Direction {way}: nanoseconds a packet, medians", direction_table(way, rows)) for way in DIRECTIONS),
        *((f"Parts of a turn, {way}: nanoseconds a packet that went by", parts_table(way, results))
          for way in DIRECTIONS),
        ("Goals: the worst cell of each, and how many of its cells meet it",
         table(GOAL_HEADINGS, map(goal_line, verdicts))),
    )  # fmt: skip
    return "\n\n".join(f"{title}\n\n{text}" for title, text in sections if text) + "\n"


def cell_json(cell: Cell, samples: Samples) -> dict:
    return cell._asdict() | {
        "octets": samples.octets,
        "ns": samples.ns,
        "secgw_modes": samples.secgw_modes,
        "parts": samples.parts,
    }


def verdict_json(verdict: Verdict) -> dict:
    return {
        "goal": verdict.goal.text,
        "limit": verdict.goal.limit,
        "at_least": verdict.goal.at_least,
        "verdict": verdict.word(),
        "worst": verdict.worst,
        "worst_cell": verdict.worst_cell._asdict() if verdict.worst_cell else None,
        "cells": verdict.cells,
        "met": verdict.met,
    }


def as_json(results: Results, verdicts: Iterable[Verdict]) -> dict:
    return {
        "cells": [cell_json(cell, samples) for cell, samples in results.items()],
        "goals": [verdict_json(verdict) for verdict in verdicts],
    }
