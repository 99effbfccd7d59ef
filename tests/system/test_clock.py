# SPDX-License-Identifier: Apache-2.0
"""The wall clock leaps while a tunnel is up: SAs live by the monotonic clock, so nothing ends early or late."""

import re
import subprocess
from pathlib import Path

import pytest
from lab.adit import Adit
from lab.meter import Meter, expect_all
from lab.traffic import ping_until_answered
from lab.tunnel import SITE_A, SITE_B, Tunnel, ios_config

SOURCE = Path(__file__).parent / "lab" / "wall_clock.c"
DAY = 86_400
YEARS = 10 * 365 * DAY


@pytest.fixture
def wall_clock(folder, monkeypatch):
    """Programs started from here on read a wall clock that a function sets, in seconds from the true one."""
    library = folder / "wall_clock.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE)], check=True)
    offset = folder / "wall-clock"

    def leap(seconds: int) -> None:
        fresh = offset.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.rename(offset)

    leap(0)

    def programs_follow() -> None:
        monkeypatch.setenv("ADIT_WALL_CLOCK", str(offset))
        monkeypatch.setenv("LD_PRELOAD", str(library))

    leap.programs_follow = programs_follow
    leap.programs_do_not = lambda: monkeypatch.delenv("LD_PRELOAD")
    return leap


def year(adit) -> int:
    return int(re.search(r"\b(20\d\d)\b", adit.cli("show clock"))[1])


def seconds_left(adit) -> dict[str, int]:
    """By SPI."""
    text = adit.cli("show crypto ipsec sa")
    spis = re.findall(r"^ +spi: (0x[0-9A-F]+)", text, re.MULTILINE)
    left = re.findall(r"\(k/sec\): \(\d+/(\d+)\)", text)
    return dict(zip(spis, map(int, left), strict=True))


def isakmp_left(adit) -> int:
    hours, minutes, seconds = re.search(
        r"(\d\d):(\d\d):(\d\d)", adit.cli("show crypto isakmp sa detail")
    ).groups()
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)


def test_leaps_of_the_wall_clock(scene, wall_clock):
    peer = scene.strongswan(Tunnel())
    adit = Adit(scene.gw_a, scene.folder, ios_config(SITE_A, SITE_B, Tunnel(keepalive="10 2 periodic")))
    scene.on_close(adit.stop)
    wall_clock.programs_follow()
    adit.start_dataplane()
    adit.start_control()
    wall_clock.programs_do_not()
    adit.wait_for("show interfaces", r"GigabitEthernet0/0 is up, line protocol is up")
    ping_until_answered(scene.host_a, SITE_B.host)
    this_year = year(adit)
    before, isakmp = seconds_left(adit), isakmp_left(adit)
    assert len(before) == 2
    with Meter(scene.host_a, SITE_A.host, scene.host_b, SITE_B.host, scene.folder) as meter:
        for leap in (DAY, -DAY, YEARS, -YEARS, 0):
            wall_clock(leap)
            meter.wait_for(400, 10)
            if abs(leap) == YEARS:
                assert abs(year(adit) - this_year) in (9, 10), "the programs follow the wrong clock"
            now = seconds_left(adit)
            assert now.keys() == before.keys(), f"after {leap} s"
            assert all(0 <= before[spi] - now[spi] <= 60 for spi in now), f"after {leap} s: {now}"
            assert 0 <= isakmp - isakmp_left(adit) <= 60, f"after {leap} s"
        expect_all(meter)
    assert (adit.established(), adit.children(), peer.children()) == (1, 1, 1)
    assert adit.failures() == {}
