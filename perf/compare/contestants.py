# SPDX-License-Identifier: Apache-2.0
"""Starts the programs that measure, and reads their JSON lines."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from dataclasses import dataclass

from compare.figures import Results, Samples
from compare.machine import BUILD, REPOSITORY
from compare.plan import Cell, Setting, adit_seconds, secgw_seconds

BENCH_WORKER = BUILD / "perf" / "bench-worker"
SECGW_RUN = REPOSITORY / "perf" / "secgw" / "run"

# A busy machine is several times slower than planned for; a program that takes longer than this hangs.
PATIENCE = 10
LEAST_PATIENCE_SECONDS = 120
CLEAN_UP_SECONDS = 5
LAST_WORDS = 5  # lines of a failed program's log


class ContestantError(Exception):
    """A contestant has no figures for a setting; the text says what it said."""


@dataclass(frozen=True)
class Call:
    words: list[str]
    seconds: float  # expected


def adit_call(setting: Setting, sample_ms: int, core: int) -> Call:
    words = [str(BENCH_WORKER), "--suite", setting.suite, "--direction", setting.direction]
    words += ["--tunnels", str(setting.tunnels), "--form", setting.form]
    words += ["--loads", ",".join(setting.loads)]
    words += ["--sample-ms", str(sample_ms), "--core", str(core)]
    return Call(words, adit_seconds(setting, sample_ms))


def secgw_call(setting: Setting, sample_ms: int, core: int) -> Call:
    words = [str(SECGW_RUN), setting.suite, setting.direction, str(setting.tunnels)]
    words += [",".join(setting.secgw_loads), str(sample_ms), "--core", str(core)]
    return Call(words, secgw_seconds(setting, sample_ms))


def stop(child: subprocess.Popen) -> None:
    """Its children too: a gateway left behind would poll a core for ever."""
    for number in (signal.SIGINT, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
            child.wait(CLEAN_UP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        except ProcessLookupError:
            return


def run(call: Call) -> tuple[int, str, str]:
    """Exit status, what it printed, and the last lines of what it complained of."""
    with tempfile.TemporaryFile("w+") as log:
        child = subprocess.Popen(call.words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=log, text=True, start_new_session=True)  # fmt: skip
        try:
            output, _ = child.communicate(timeout=max(LEAST_PATIENCE_SECONDS, PATIENCE * call.seconds))
        except subprocess.TimeoutExpired:
            raise ContestantError(f"{call.words[0]} hung; tried: {' '.join(call.words)}") from None
        finally:
            stop(child)
        log.seek(0)
        return child.returncode, output, "\n".join(log.read().splitlines()[-LAST_WORDS:])


def lines_of(output: str) -> list[dict]:
    return [json.loads(line) for line in output.splitlines()]


def measure_adit(results: Results, setting: Setting, sample_ms: int, core: int) -> None:
    """Adds a sample of adit, forward, ends and raw to every cell of the setting."""
    call = adit_call(setting, sample_ms, core)
    status, output, complaint = run(call)
    if status != 0:  # then not even the lines before its end mean anything
        raise ContestantError(f"{' '.join(call.words)} ended with status {status}: {complaint}")
    for line in lines_of(output):
        add_adit_line(results.setdefault(setting.cell(line["load"]), Samples()), line)


def add_adit_line(samples: Samples, line: dict) -> None:
    samples.octets = line["octets"]
    if "contestant" in line:
        samples.add(line["contestant"], line["ns"])
        return
    not_parts = {"parts", "octets", "load", *Cell._fields}
    samples.add_parts({name: ns for name, ns in line.items() if name not in not_parts})


def measure_secgw(results: Results, setting: Setting, sample_ms: int, core: int) -> None:
    """Adds a sample of ipsec-secgw's fastest mode to every cell of the setting that wants one."""
    call = secgw_call(setting, sample_ms, core)
    status, output, complaint = run(call)
    lines = lines_of(output)
    for line in lines:
        if "error" not in line:
            add_secgw_line(results.setdefault(setting.cell(line["load"]), Samples()), line)
    errors = [f"{line['load']}: {line['error']}" for line in lines if "error" in line]
    if status != 0:
        raise ContestantError(f"{' '.join(call.words)}: {'; '.join(errors) or complaint}")


def add_secgw_line(samples: Samples, line: dict) -> None:
    samples.add("secgw", round(line["ns"] / line["packets"], 2))  # as bench-worker prints
    samples.secgw_modes.append(line["mode"])
