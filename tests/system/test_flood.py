# SPDX-License-Identifier: Apache-2.0
"""First messages of nobody, ten thousand a second, while many peers want their tunnels."""

import os
import re
import time
from pathlib import Path

from lab.branches import hub_of, many, swanctl
from lab.process import wait_until
from lab.traffic import ping_until_answered
from lab.tunnel import SITE_A, SITE_B
from test_hostile_ike import ANYBODY, hardware_address, resident_kib, start_assault

PEERS = many(20)
PER_SECOND = 10_000
SECONDS = 12
GROWTH_LIMIT_KIB = 96 * 1024  # two full tables of half-open exchanges


def processor_seconds(process) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def packets_dropped(adit) -> int:
    rows = re.findall(r"^\S+ +(\d+) ", adit.cli("show dataplane drops"), re.MULTILINE)
    return sum(map(int, rows))


def test_tunnels_come_up_in_a_flood(scene):
    """Half of it in the name of one of the peers. The tables of half-open exchanges are full before
    anybody begins; the answers go nowhere."""
    charon = scene.strongswan(None, config=swanctl(*PEERS))
    scene.gw_b.address("wan", *(f"{peer.wan}/24" for peer in PEERS[1:]))
    scene.gw_b.run("ip", "route", "add", "blackhole", "default")
    adit = scene.adit(None, config=hub_of(PEERS) + ANYBODY)
    mac = hardware_address(scene.gw_b, SITE_A.wan)
    work, memory = processor_seconds(adit.control), resident_kib(adit.control)
    attack = start_assault(
        *(scene, "flood", "wan", mac, SITE_A.wan, PEERS[7].wan, PER_SECOND, SECONDS)
    )
    adit.wait_for("show crypto isakmp failures", r"^half-open-limit +[1-9]", timeout=15)
    start = time.monotonic()
    for peer in PEERS:
        charon.swanctl("--initiate", "--child", peer.name, "--timeout", "-1", check=False)
    wait_until(lambda: charon.children() == len(PEERS), 30, "all tunnels")
    took = time.monotonic() - start
    assert attack.alive
    scene.host_a.address("eth0", *(f"{peer.near_host}/16" for peer in PEERS[1:]))
    for peer in PEERS:
        ping_until_answered(scene.host_a, SITE_B.host, source=peer.near_host)
    attack.wait(60)
    sent, seconds = attack.output().splitlines()[1].split()
    growth = resident_kib(adit.control) - memory
    print(
        f"{len(PEERS)} tunnels in {took:.1f} s; sent {int(sent) / float(seconds):.0f} a second, "
        f"{packets_dropped(adit)} of {sent} dropped by the dataplane; "
        f"control {processor_seconds(adit.control) - work:.1f} s in {seconds} s, {growth} KiB more"
    )
    assert adit.children() == len(PEERS)
    assert growth < GROWTH_LIMIT_KIB
