# SPDX-License-Identifier: Apache-2.0
"""First messages of nobody, thousands a second, while many peers want their tunnels."""

import os
import re
import time
from dataclasses import replace
from pathlib import Path

from lab.branches import hub_of, many, swanctl
from lab.process import wait_until
from lab.traffic import ping_until_answered
from lab.tunnel import SITE_A, SITE_B, Phase1
from test_hostile_ike import ANYBODY, hardware_address, resident_kib, start_assault

PEERS = many(20)
VICTIM = PEERS[7]
PER_SECOND = 10_000
AGGRESSIVE_PER_SECOND = 3_000
SECONDS = 12
GROWTH_LIMIT_KIB = 96 * 1024  # two full tables of half-open exchanges

AGGRESSIVE = "\n".join(
    ("crypto isakmp aggressive-mode enable", "crypto isakmp policy 20", *Phase1("aes 256", "sha256", 14).ios(), "")
)


def processor_seconds(process) -> float:
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def packets_dropped(adit) -> int:
    rows = re.findall(r"^\S+ +(\d+) ", adit.cli("show dataplane drops"), re.MULTILINE)
    return sum(map(int, rows))


class Attack:
    """One of lab/assault.py's floods upon a hub of many peers, and what it costs."""

    def __init__(self, scene, kind: str, config: str, per_second: int, peers=PEERS):
        self.scene = scene
        self.charon = scene.strongswan(None, config=swanctl(*peers))
        scene.gw_b.address("wan", *(f"{peer.wan}/24" for peer in PEERS[1:]))
        scene.gw_b.run("ip", "route", "add", "blackhole", "default")
        self.adit = scene.adit(None, config=hub_of(PEERS) + config)
        mac = hardware_address(scene.gw_b, SITE_A.wan)
        self.work, self.memory = processor_seconds(self.adit.control), resident_kib(self.adit.control)
        self.assault = start_assault(
            *(scene, kind, "wan", mac, SITE_A.wan, VICTIM.wan, per_second, SECONDS)
        )

    def bring_all_up(self) -> float:
        """All tunnels, begun by their peers; the seconds it took."""
        start = time.monotonic()
        for peer in PEERS:
            self.charon.swanctl("--initiate", "--child", peer.name, "--timeout", "-1", check=False)
        wait_until(lambda: self.charon.children() == len(PEERS), 30, "all tunnels")
        took = time.monotonic() - start
        assert self.assault.alive
        self.scene.host_a.address("eth0", *(f"{peer.near_host}/16" for peer in PEERS[1:]))
        for peer in PEERS:
            ping_until_answered(self.scene.host_a, SITE_B.host, source=peer.near_host)
        return took

    def end(self, took: float) -> None:
        self.assault.wait(60)
        sent, seconds = self.assault.output().splitlines()[1].split()
        growth = resident_kib(self.adit.control) - self.memory
        print(
            f"{len(PEERS)} tunnels in {took:.1f} s; sent {int(sent) / float(seconds):.0f} a second, "
            f"{packets_dropped(self.adit)} of {sent} dropped by the dataplane; "
            f"control {processor_seconds(self.adit.control) - self.work:.1f} s in {seconds} s, "
            f"{growth} KiB more"
        )
        assert self.adit.children() == len(PEERS)
        assert growth < GROWTH_LIMIT_KIB


def test_tunnels_come_up_in_a_flood(scene):
    """Half of it in the name of one of the peers. The tables of half-open exchanges are full before
    anybody begins; the answers go nowhere."""
    attack = Attack(scene, "flood", ANYBODY, PER_SECOND)
    attack.adit.wait_for("show crypto isakmp failures", r"^half-open-limit +[1-9]", timeout=15)
    attack.end(attack.bring_all_up())


def test_tunnels_come_up_in_an_aggressive_flood(scene):
    """First messages of aggressive mode, each of which would cost a Diffie-Hellman, in the name of a
    peer that has to come up as well. The last peer comes by aggressive mode itself."""
    peers = [*PEERS[:-1], replace(PEERS[-1], options="aggressive = yes")]
    attack = Attack(scene, "aggressive", AGGRESSIVE, AGGRESSIVE_PER_SECOND, peers)
    attack.adit.wait_for("show crypto isakmp failures", r"^half-open-limit +[1-9]", timeout=15)
    took = attack.bring_all_up()
    assert "AGGRESSIVE request" in attack.charon.log()
    attack.end(took)
