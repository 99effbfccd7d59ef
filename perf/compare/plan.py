# SPDX-License-Identifier: Apache-2.0
"""What is measured, how often, and how long that takes.

A factor that hardly interacts with another is not crossed with it: fifteen minutes are too short for every
suite x size x number of tunnels x direction x form. COMPARE says what is left, FULL is everything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import NamedTuple

# Names and order of perf/topology.h and perf/loads.h.
SUITES = (
    "aes128-gcm",
    "aes256-gcm",
    "aes128-cbc-sha1",
    "aes128-cbc-sha256",
    "aes256-cbc-sha1",
    "aes256-cbc-sha256",
)
DIRECTIONS = ("out", "in")
TUNNELS = (1, 100, 1_000, 10_000, 100_000)
FORMS = ("native", "udp")
LOADS = ("64", "128", "256", "512", "1024", "1400", "imix")

FEW_LOADS = ("64", "imix", "512", "1400")  # those the goals name
ONE_OF_EITHER_KIND = ("aes128-gcm", "aes128-cbc-sha1")
SECGW_TUNNELS = (1, 1_000)

MIN_REPEATS = 5  # fewer have no median worth the name
SAMPLE_MS = 20  # some 200,000 packets of 64 octets


class Cell(NamedTuple):
    """One row of the tables."""

    suite: str
    direction: str
    tunnels: int
    form: str
    load: str

    def __str__(self) -> str:
        return f"{self.suite} {self.direction} {self.tunnels:,} {self.form} {self.load}"


@dataclass(frozen=True)
class Setting:
    """What a contestant is started for: it measures all loads in one process."""

    suite: str
    direction: str
    tunnels: int
    form: str
    loads: tuple[str, ...]
    secgw_loads: tuple[str, ...] = ()

    def cell(self, load: str) -> Cell:
        return Cell(self.suite, self.direction, self.tunnels, self.form, load)

    def __str__(self) -> str:
        plural = "" if self.tunnels == 1 else "s"
        return f"{self.suite} {self.direction}, {self.tunnels:,} tunnel{plural}, {self.form}"


@dataclass(frozen=True)
class Part:
    """A cross product; a plan is the union of several."""

    suites: tuple[str, ...] = SUITES
    tunnels: tuple[int, ...] = TUNNELS
    forms: tuple[str, ...] = FORMS
    loads: tuple[str, ...] = LOADS
    with_secgw: bool = False


COMPARE = (
    Part(tunnels=(1,), forms=("native",)),
    Part(suites=ONE_OF_EITHER_KIND, forms=("native",), loads=FEW_LOADS),
    Part(suites=("aes128-gcm",), tunnels=(1, 10_000), forms=("udp",), loads=("64", "imix", "1400")),
    Part(tunnels=SECGW_TUNNELS, forms=("native",), loads=FEW_LOADS, with_secgw=True),
)
# ipsec-secgw has no UDP encapsulation but in hardware.
FULL = (
    Part(),
    Part(tunnels=SECGW_TUNNELS, forms=("native",), with_secgw=True),
)
QUICK = (
    Part(suites=("aes128-gcm",), tunnels=(1, 10_000), forms=("native",), loads=FEW_LOADS),
    Part(suites=("aes128-gcm",), tunnels=(1,), forms=("native",), loads=FEW_LOADS, with_secgw=True),
)


@dataclass(frozen=True)
class Scope:
    parts: tuple[Part, ...]
    repeats: int
    limit_seconds: float = math.inf  # a busy machine gets fewer repeats, but not less than MIN_REPEATS


SCOPES = {
    "compare": Scope(COMPARE, repeats=7, limit_seconds=13 * 60),  # of fifteen minutes two are left for building
    "full": Scope(FULL, repeats=MIN_REPEATS),
    "quick": Scope(QUICK, repeats=MIN_REPEATS),
}


@dataclass(frozen=True)
class Plan:
    settings: tuple[Setting, ...]
    repeats: int
    sample_ms: int = SAMPLE_MS
    limit_seconds: float = math.inf

    def has_time_for_round(self, number: int, elapsed: float) -> bool:
        """`number` rounds have taken `elapsed` seconds: one more?"""
        return number < MIN_REPEATS or elapsed * (number + 1) / number <= self.limit_seconds

    def without_secgw(self) -> Plan:
        return replace(self, settings=tuple(replace(s, secgw_loads=()) for s in self.settings))

    def wants_secgw(self) -> bool:
        return any(setting.secgw_loads for setting in self.settings)

    def seconds(self) -> float:
        return self.repeats * sum(setting_seconds(setting, self.sample_ms) for setting in self.settings)


# Keys of --only, and the words each may have.
FACTORS: dict[str, tuple[str, ...]] = {
    "suite": SUITES,
    "direction": DIRECTIONS,
    "tunnels": tuple(map(str, TUNNELS)),
    "form": FORMS,
    "load": LOADS,
}


def parse_filter(text: str) -> dict[str, set[str]]:
    """`suite=aes128-gcm,direction=out,load=64,load=imix`: of one key any value, of all keys one."""
    wanted: dict[str, set[str]] = {}
    for word in text.split(","):
        key, _, value = word.partition("=")
        if key not in FACTORS:
            raise ValueError(f"'{word}': the keys are {', '.join(FACTORS)}")
        if value not in FACTORS[key]:
            raise ValueError(f"'{word}': {key} is one of {', '.join(FACTORS[key])}")
        wanted.setdefault(key, set()).add(value)
    return wanted


def cells_of(part: Part) -> Iterable[Cell]:
    return map(Cell._make, product(part.suites, DIRECTIONS, part.tunnels, part.forms, part.loads))


def is_wanted(cell: Cell, wanted: Mapping[str, set[str]]) -> bool:
    return all(str(getattr(cell, key)) in values for key, values in wanted.items())


def in_order(loads: set[str]) -> tuple[str, ...]:
    return tuple(load for load in LOADS if load in loads)


def make_settings(parts: Iterable[Part], wanted: Mapping[str, set[str]]) -> tuple[Setting, ...]:
    """Every cell of the parts once, cells of one process together, in the order of the parts."""
    loads: dict[tuple, set[str]] = {}
    secgw_loads: dict[tuple, set[str]] = {}
    for part in parts:
        for cell in cells_of(part):
            if is_wanted(cell, wanted):
                loads.setdefault(cell[:-1], set()).add(cell.load)
                if part.with_secgw:
                    secgw_loads.setdefault(cell[:-1], set()).add(cell.load)
    return tuple(
        Setting(*key, loads=in_order(of_key), secgw_loads=in_order(secgw_loads.get(key, set())))
        for key, of_key in loads.items()
    )


# Seconds on the machine of perf/README.md. A sample takes more than its clock: warming up, and writing frames
# while the clock stands; of bench-worker it is one for each of four contestants.
ADIT_START = 0.3
ADIT_PER_TUNNEL = 11e-6
ADIT_WALL_PER_SAMPLE = 8
SECGW_START = 0.5
SECGW_PER_TUNNEL = 5e-5
SECGW_WALL_PER_SAMPLE = 2
SECGW_MODES = {"out": 3, "in": 2}  # perf/secgw/run tries each


def adit_seconds(setting: Setting, sample_ms: int) -> float:
    samples = len(setting.loads) * sample_ms / 1000
    return ADIT_START + ADIT_PER_TUNNEL * setting.tunnels + ADIT_WALL_PER_SAMPLE * samples


def secgw_seconds(setting: Setting, sample_ms: int) -> float:
    if not setting.secgw_loads:
        return 0
    samples = len(setting.secgw_loads) * sample_ms / 1000
    mode = SECGW_START + SECGW_PER_TUNNEL * setting.tunnels + SECGW_WALL_PER_SAMPLE * samples
    return SECGW_MODES[setting.direction] * mode


def setting_seconds(setting: Setting, sample_ms: int) -> float:
    return adit_seconds(setting, sample_ms) + secgw_seconds(setting, sample_ms)
