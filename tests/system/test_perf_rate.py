# SPDX-License-Identifier: Apache-2.0
"""perf/rate: its configurations, and what follows from its samples. `perf/rate --quick` runs it."""

import json
import subprocess
import sys

import pytest
from lab.adit import REPOSITORY, program

sys.path.append(str(REPOSITORY / "perf"))

from ike.figures import ADIT, RIVAL, Cell, Results, as_json, as_text, judge  # noqa: E402
from ike.gateways import CONTESTANTS  # noqa: E402
from ike.site import GROUPS, ios_config, swan_config  # noqa: E402
from ike.trial import Outcome  # noqa: E402

CELL = Cell("responder", "modp2048", ADIT)


def outcome(rate, octets=4_000):
    return Outcome(1_000, 1.0, 0, {"control": 750 / rate, "dataplane": 250 / rate}, {}, {"control": octets * 1_000})


def results(adit, rival=250.0, limit=1_250.0, octets=4_000):
    taken = Results(limits={"modp2048": [limit]}, memory={CELL: [outcome(adit, octets)]})
    taken.rates = {CELL: [outcome(adit)], CELL._replace(contestant=RIVAL): [outcome(rival)]}
    return taken


def words(taken):
    return {verdict.goal.text: verdict.word() for verdict in judge(taken)}


@pytest.mark.parametrize("peers", [0, 3])
@pytest.mark.parametrize("group", GROUPS.values(), ids=GROUPS)
def test_configuration_is_usable(tmp_path, group, peers):
    path = tmp_path / "startup-config"
    path.write_text(ios_config(group, peers))
    check = subprocess.run([program("adit-control"), "--check", path], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout
    assert swan_config(group, peers).count("version = 1") == (peers or 1)


@pytest.mark.parametrize(("adit", "lead", "share"), [(1_000, "met", "met"), (990, "MISSED", "MISSED")])
def test_rate_is_judged_by_strongswan_and_by_the_limit(adit, lead, share):
    judged = words(results(adit))
    assert judged["modp2048: against strongSwan, per CPU second"] == lead
    assert judged["modp2048: share of the limit"] == share
    assert judged["ecp256: share of the limit"] == "not measured"


@pytest.mark.parametrize(("octets", "word"), [(8_000, "met"), (8_001, "MISSED")])
def test_memory_is_judged(octets, word):
    assert words(results(1_000, octets=octets))["memory of a tunnel"] == word


def test_every_round_is_compared_with_itself():
    taken = results(1_000)
    # A machine half as fast in the other rounds changes no ratio.
    for cell, outcomes in taken.rates.items():
        outcomes += [outcome(outcomes[0].tunnels_a_cpu_second / 2)] * 2
    taken.limits["modp2048"] += [625.0] * 2
    assert taken.share(CELL) == pytest.approx(0.8)
    assert taken.adit_leads(CELL._replace(contestant=RIVAL)) == pytest.approx(4)


def test_text_and_json_carry_every_cell():
    taken = results(1_000)
    text = as_text(taken, judge(taken))
    assert all(name in text for name in (ADIT, RIVAL, "limit", "memory of a tunnel"))
    written = json.loads(json.dumps(as_json(taken, judge(taken))))
    assert [cell["contestant"] for cell in written["rates"]] == [ADIT, RIVAL]
    assert written["limits"] == {"modp2048": [1_250.0]}
