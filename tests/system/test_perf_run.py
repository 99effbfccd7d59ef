# SPDX-License-Identifier: Apache-2.0
"""The parts of perf/run that measure nothing: plan, figures, goals, tables, and what it borrows of the machine."""

import json
import sys
from pathlib import Path

import pytest
from lab.adit import REPOSITORY
from lab.process import wait_until

sys.path.append(str(REPOSITORY / "perf"))

from compare import contestants, machine, report  # noqa: E402
from compare.contestants import Call, ContestantError  # noqa: E402
from compare.figures import Samples, make_rows, summarize  # noqa: E402
from compare.goals import GOALS, judge, judge_all  # noqa: E402
from compare.plan import (  # noqa: E402
    DIRECTIONS,
    FORMS,
    LOADS,
    MIN_REPEATS,
    SCOPES,
    SUITES,
    TUNNELS,
    Cell,
    Plan,
    Setting,
    make_settings,
    parse_filter,
)

GCM_64 = Cell("aes128-gcm", "out", 1, "native", "64")


def plan_of(name, only=""):
    scope = SCOPES[name]
    return Plan(make_settings(scope.parts, parse_filter(only) if only else {}), scope.repeats)


def cells_of(plan):
    return [setting.cell(load) for setting in plan.settings for load in setting.loads]


def samples(adit, raw=30.0, ends=1.0, secgw=None):
    made = Samples(octets=64)
    for name, ns in (("adit", adit), ("raw", raw), ("ends", ends), ("secgw", secgw)):
        if ns is not None:
            made.add(name, ns)
    return made


def verdict_of(text, results):
    (goal,) = (goal for goal in GOALS if goal.text == text)
    return judge(goal, make_rows(results))


# plan


@pytest.mark.parametrize(("name", "minutes"), [("compare", 15), ("quick", 2)])
def test_plan_keeps_to_its_time(name, minutes):
    assert plan_of(name).seconds() < minutes * 60


@pytest.mark.parametrize("name", SCOPES)
def test_plan_measures_no_cell_twice_and_each_often_enough(name):
    cells = cells_of(plan_of(name))
    assert len(cells) == len(set(cells))
    assert plan_of(name).repeats >= MIN_REPEATS


def test_comparison_leaves_no_level_of_any_factor_out():
    cells = cells_of(plan_of("compare"))
    for factor, levels in enumerate((SUITES, DIRECTIONS, TUNNELS, FORMS, LOADS)):
        assert {cell[factor] for cell in cells} == set(levels)


def test_full_plan_crosses_everything():
    expected = len(SUITES) * len(DIRECTIONS) * len(TUNNELS) * len(FORMS) * len(LOADS)
    assert len(cells_of(plan_of("full"))) == expected


@pytest.mark.parametrize("name", SCOPES)
def test_secgw_competes_on_cells_of_adit_without_udp(name):
    competing = [setting for setting in plan_of(name).settings if setting.secgw_loads]
    assert competing
    for setting in competing:
        assert set(setting.secgw_loads) <= set(setting.loads)
        assert setting.form == "native"


def test_plan_without_secgw_is_the_same_for_adit_and_shorter():
    plan = plan_of("compare")
    alone = plan.without_secgw()
    assert cells_of(alone) == cells_of(plan)
    assert not alone.wants_secgw()
    assert alone.seconds() < plan.seconds()


def test_busy_machine_gets_fewer_rounds_but_not_too_few():
    plan = Plan((), repeats=MIN_REPEATS + 2, limit_seconds=60)
    assert plan.has_time_for_round(MIN_REPEATS - 1, elapsed=1000)
    assert plan.has_time_for_round(MIN_REPEATS, elapsed=50)
    assert not plan.has_time_for_round(MIN_REPEATS, elapsed=51)


def test_filter_takes_any_value_of_a_key_and_all_keys():
    cells = cells_of(plan_of("compare", "suite=aes128-gcm,load=64,load=imix,direction=in,tunnels=1,form=native"))
    assert cells == [Cell("aes128-gcm", "in", 1, "native", load) for load in ("64", "imix")]


@pytest.mark.parametrize("text", ["size=64", "load=63", "suite", "tunnels=2", ""])
def test_filter_names_the_word_it_does_not_know(text):
    with pytest.raises(ValueError, match=f"'{text}'"):
        parse_filter(text)


# figures


def test_summary_of_samples():
    summary = summarize([30.0, 10.0, 20.0, 90.0])
    assert (summary.minimum, summary.median, summary.maximum) == (10, 25, 90)
    assert summary.spread() == pytest.approx(3.2)
    assert summarize([]) is None


def test_row_follows_from_medians():
    row = make_rows({GCM_64: samples(adit=51.0, raw=30.0, ends=1.0, secgw=102.0)})[GCM_64]
    assert row.own == pytest.approx(20)
    assert row.share_of_raw == pytest.approx(0.6)
    assert row.mpps == pytest.approx(1000 / 51)
    assert row.gbps == pytest.approx(64 * 8 / 51)
    assert row.lead == pytest.approx(2)


def test_cell_without_raw_speed_has_no_row():
    assert make_rows({GCM_64: samples(adit=51.0, raw=None)}) == {}


def test_bench_worker_lines_become_samples():
    about = '"suite":"aes128-gcm","form":"native","direction":"out","tunnels":1,"load":"64","octets":64.0'
    taken = Samples()
    for line in (f'{{"contestant":"adit",{about},"ns":51.5}}', f'{{"parts":"adit",{about},"receive":2.5}}'):
        contestants.add_adit_line(taken, json.loads(line))
    assert taken == Samples(octets=64, ns={"adit": [51.5]}, parts={"receive": [2.5]})


def test_secgw_line_becomes_nanoseconds_a_packet():
    taken = Samples()
    contestants.add_secgw_line(taken, {"load": "64", "ns": 2e6, "packets": 20_000, "mode": "legacy"})
    assert taken == Samples(ns={"secgw": [100.0]}, secgw_modes=["legacy"])


# goals


@pytest.mark.parametrize(("adit", "word"), [(55.0, "met"), (56.0, "MISSED")])
def test_share_of_raw_is_judged(adit, word):
    verdict = verdict_of("aes128-gcm out, 64: share of raw", {GCM_64: samples(adit, raw=29.8)})
    assert (verdict.word(), verdict.worst_cell) == (word, GCM_64)


@pytest.mark.parametrize(
    ("direction", "adit", "word"), [("out", 50, "met"), ("out", 52, "MISSED"), ("in", 55, "met"), ("in", 57, "MISSED")]
)
def test_own_work_is_judged(direction, adit, word):
    cell = GCM_64._replace(direction=direction)
    assert verdict_of(f"aes128-gcm {direction}: own work", {cell: samples(adit)}).word() == word


def test_worst_cell_decides_about_secgw():
    slower = GCM_64._replace(load="1400", suite="aes256-cbc-sha1")
    results = {GCM_64: samples(50, secgw=100), slower: samples(50, secgw=49)}
    verdict = verdict_of("against secgw, everywhere", results)
    assert (verdict.word(), verdict.worst_cell, verdict.met, verdict.cells) == ("MISSED", slower, 1, 2)
    assert verdict_of("against secgw, 64 octets, every suite", results).word() == "met"


@pytest.mark.parametrize(("tunnels", "adit", "word"), [(10_000, 65, "met"), (10_000, 66, "MISSED"),
                                                       (100_000, 100, "met"), (100_000, 101, "MISSED")])  # fmt: skip
def test_many_tunnels_are_judged_against_one(tunnels, adit, word):
    results = {GCM_64: samples(50), GCM_64._replace(tunnels=tunnels): samples(adit)}
    assert verdict_of(f"{tunnels:,} tunnels against 1: cost", results).word() == word


def test_goal_without_a_figure_is_not_met():
    assert {verdict.word() for verdict in judge_all({})} == {"not measured"}


# report


def test_tables_have_a_row_a_cell_and_leave_empty_what_is_not_known():
    with_secgw = GCM_64._replace(suite="aes256-gcm")
    results = {with_secgw: samples(50, secgw=100), GCM_64: samples(51)}
    lines = report.direction_table("out", make_rows(results)).splitlines()
    figures = [[word.strip() for word in line.strip("|").split("|")] for line in lines]
    assert len({len(line) for line in lines}) == 1
    assert [row[0] for row in figures[2:]] == ["aes128-gcm", "aes256-gcm"]
    assert [row[-2:] for row in figures[2:]] == [["", ""], ["100.0", "2.00"]]


def test_text_has_sections_only_for_what_was_measured():
    titles = [line for line in report.as_text({GCM_64: samples(50)}, judge_all({})).splitlines() if ":" in line]
    assert [title.split(":")[0] for title in titles if not title.startswith("|")] == ["Direction out", "Goals"]


def test_json_carries_every_sample():
    taken = samples(50, secgw=100)
    taken.add("adit", 52)
    verdicts = judge_all(make_rows({GCM_64: taken}))
    written = json.loads(json.dumps(report.as_json({GCM_64: taken}, verdicts)))
    assert written["cells"][0]["ns"]["adit"] == [50, 52]
    assert written["cells"][0]["load"] == "64"
    assert len(written["goals"]) == len(GOALS)


# contestants


def test_failing_contestant_gives_no_samples(monkeypatch):
    script = "echo '{\"contestant\":\"adit\",\"load\":\"64\",\"octets\":64,\"ns\":1}'; echo dropped >&2; exit 2"
    monkeypatch.setattr(contestants, "adit_call", lambda *_: Call(["sh", "-c", script], 1))
    results = {}
    with pytest.raises(ContestantError, match="status 2: dropped"):
        contestants.measure_adit(results, Setting("aes128-gcm", "out", 1, "native", ("64",)), 20, 0)
    assert results == {}


def test_hanging_contestant_is_ended_with_its_children(monkeypatch, tmp_path):
    monkeypatch.setattr(contestants, "LEAST_PATIENCE_SECONDS", 0.5)
    pid = tmp_path / "pid"
    with pytest.raises(ContestantError, match="hung"):
        contestants.run(Call(["bash", "-c", f"sleep 1000 & echo $! >{pid}; wait"], 0))
    command = Path("/proc", pid.read_text().strip(), "cmdline")  # empty when only its exit status is left
    wait_until(lambda: not command.exists() or command.read_bytes() == b"", 5, "the child of the contestant ends")


# machine


@pytest.fixture
def fake_pages(monkeypatch, tmp_path):
    def make(total, free):
        (tmp_path / "nr_hugepages").write_text(str(total))
        (tmp_path / "free_hugepages").write_text(str(free))
        monkeypatch.setattr(machine, "HUGEPAGES", tmp_path)
        return tmp_path / "nr_hugepages"

    return make


def test_hugepages_that_are_there_are_left_alone(fake_pages):
    total = fake_pages(total=200, free=150)
    with machine.hugepages(128):
        assert total.read_text() == "200"
    assert total.read_text() == "200"


def test_hugepages_are_given_back_when_interrupted(fake_pages, monkeypatch):
    total = fake_pages(total=10, free=4)

    def reserve(path):
        return 128 if path.name == "free_hugepages" and total.read_text() == "134" else int(path.read_text())

    monkeypatch.setattr(machine, "read_number", reserve)
    with pytest.raises(KeyboardInterrupt), machine.hugepages(128):
        assert total.read_text() == "134"
        raise KeyboardInterrupt
    assert total.read_text() == "10"


def test_too_little_memory_is_told_and_given_back(fake_pages):
    total = fake_pages(total=10, free=4)
    with pytest.raises(machine.MachineError, match="4 of 128 hugepages"), machine.hugepages(128):
        pytest.fail("there are not enough")
    assert total.read_text() == "10"
