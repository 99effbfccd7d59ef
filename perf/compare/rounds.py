# SPDX-License-Identifier: Apache-2.0
"""Measures a plan. Contestants take turns in every setting, and a round goes through all settings before the next
one begins: a slow minute of the machine costs one sample of some cells, not all samples of one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from compare.contestants import ContestantError, measure_adit, measure_secgw
from compare.figures import Results
from compare.plan import Plan, Setting, setting_seconds

CLEAR_LINE = "\r\033[K"


def minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Progress:
    """On a terminal one line that changes, elsewhere a line a round."""

    def __init__(self, plan: Plan):
        self._plan = plan
        self._started = time.monotonic()
        self._done = 0.0  # of the planned seconds
        self._shown_round = -1

    def elapsed(self) -> float:
        return time.monotonic() - self._started

    def left(self) -> float:
        """At the pace so far."""
        pace = self.elapsed() / self._done if self._done else 1
        return pace * (self._plan.seconds() - self._done)

    def show(self, number: int, setting: Setting) -> None:
        text = f"{minutes(self.left())} left, round {number + 1} of {self._plan.repeats}: {setting}"
        if sys.stderr.isatty():
            print(f"{CLEAR_LINE}{text}", end="", file=sys.stderr, flush=True)
        elif number != self._shown_round:
            print(text, file=sys.stderr, flush=True)
        self._shown_round = number

    def add(self, planned_seconds: float) -> None:
        self._done += planned_seconds

    def end(self) -> None:
        if sys.stderr.isatty():
            print(CLEAR_LINE, end="", file=sys.stderr, flush=True)


@dataclass
class Comparison:
    results: Results = field(default_factory=dict)
    failures: dict[tuple[str, Setting], str] = field(default_factory=dict)
    interrupted: bool = False

    def measure(self, plan: Plan, core: int) -> None:
        """Until its end or the operator's."""
        progress = Progress(plan)
        try:
            for number in range(plan.repeats):
                if not plan.has_time_for_round(number, progress.elapsed()):
                    break
                for setting in plan.settings:
                    progress.show(number, setting)
                    self._take_turns(plan, setting, core)
                    progress.add(setting_seconds(setting, plan.sample_ms))
        except KeyboardInterrupt:
            self.interrupted = True
        finally:
            progress.end()

    def _take_turns(self, plan: Plan, setting: Setting, core: int) -> None:
        self._try("adit", measure_adit, plan, setting, core)
        if setting.secgw_loads:
            self._try("secgw", measure_secgw, plan, setting, core)

    def _try(self, name: str, measure: Callable[..., None], plan: Plan, setting: Setting, core: int) -> None:
        """Who failed at a setting is not asked again."""
        if (name, setting) in self.failures:
            return
        try:
            measure(self.results, setting, plan.sample_ms, core)
        except ContestantError as error:
            self.failures[name, setting] = str(error)
