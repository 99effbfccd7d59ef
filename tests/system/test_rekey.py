# SPDX-License-Identifier: Apache-2.0
"""New SAs in place of old ones while numbered datagrams run both ways: none is lost, none comes twice, and
old pairs go."""

from __future__ import annotations

import re
import threading
import time

from lab.meter import Meter, expect_all
from lab.process import wait_until
from lab.traffic import ping_until_answered
from lab.tunnel import SITE_A, SITE_B, Tunnel, ios_config

KILOBYTES = "crypto ipsec security-association lifetime kilobytes 2560\n"  # the least there is
PAIRS_STAY = 30  # seconds that more than two pairs may all live for


class PairWatch:
    """Looks at an appliance's pairs of SAs twice a second."""

    def __init__(self, adit):
        self._adit = adit
        self._since: dict[str, float] = {}  # of those there now
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.seen: set[str] = set()
        self.complaints: list[str] = []

    def __enter__(self) -> PairWatch:
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(0.5):
            there, now = self._adit.inbound_spis(), time.monotonic()
            self._since = {spi: self._since.get(spi, now) for spi in there}
            self.seen |= there
            old = [spi for spi, since in self._since.items() if now - since > PAIRS_STAY]
            if len(old) > 2:
                self.complaints.append(f"{len(old)} pairs for more than {PAIRS_STAY} s: {old}")


def quick_modes(peer) -> tuple[int, int]:
    """Begun by strongSwan, begun by the appliance."""
    log = peer.log()
    return (
        len(re.findall(r"generating QUICK_MODE request \d+ \[ HASH SA", log)),
        len(re.findall(r"parsed QUICK_MODE request \d+ \[ HASH SA", log)),
    )


def main_modes(peer) -> tuple[int, int]:
    log = peer.log()
    return (
        len(re.findall(r"generating ID_PROT request 0 \[ SA", log)),
        len(re.findall(r"parsed ID_PROT request 0 \[ SA", log)),
    )


def meter_between_hosts(scene, per_second=400, octets=1400) -> Meter:
    return Meter(scene.host_a, SITE_A.host, scene.host_b, SITE_B.host, scene.folder, per_second, octets)


def test_strongswan_renews_everything(scene):
    """Children every 2 s, ISAKMP SAs every 5 s."""
    tunnel = Tunnel(
        lifetime=30,
        swan_rekey="rekey_time = 2s\nrand_time = 0s",
        swan_renewal="rekey_time = 5s\nover_time = 20s\nrand_time = 0s",
    )
    peer = scene.strongswan(tunnel)
    adit = scene.adit(Tunnel())
    peer.initiate()
    ping_until_answered(scene.host_a, SITE_B.host)
    with meter_between_hosts(scene) as meter, PairWatch(adit) as pairs:
        wait_until(lambda: quick_modes(peer)[0] >= 9, 60, "nine quick modes of strongSwan's")
        wait_until(lambda: main_modes(peer)[0] >= 4, 30, "four main modes of strongSwan's")
        expect_all(meter)
    assert pairs.complaints == []
    assert adit.failures() == {}


def short_lived(site, other):
    """Volume and ISAKMP lifetime are the least that can be configured: 2560 kilobytes, a minute."""
    text = ios_config(site, other, Tunnel(), KILOBYTES)
    return text.replace(" authentication pre-share", " authentication pre-share\n lifetime 60")


def test_volume_with_strongswan(scene):
    """The appliance renews pairs after nine tenths of 2560 kilobytes, and its ISAKMP SA within a minute."""
    peer = scene.strongswan(Tunnel())
    adit = scene.adit(None, config=short_lived(SITE_A, SITE_B))
    ping_until_answered(scene.host_a, SITE_B.host)
    with meter_between_hosts(scene) as meter, PairWatch(adit) as pairs:
        wait_until(lambda: main_modes(peer)[1] >= 2, 62, "a second main mode of the appliance's")
        quick = quick_modes(peer)
        wait_until(lambda: quick_modes(peer)[1] > quick[1], 10, "a quick mode under the new ISAKMP SA")
        expect_all(meter)
    assert quick_modes(peer)[1] >= 10
    assert main_modes(peer)[0] == 0
    assert pairs.complaints == []
    assert adit.failures() == {}


def test_volume_when_ike_is_late(scene):
    """strongSwan takes its SA into use with message 3: ESP must not overtake it."""
    scene.lose(0, seed=1, delay_milliseconds=150)
    peer = scene.strongswan(Tunnel())
    adit = scene.adit(Tunnel(), extra=KILOBYTES)
    ping_until_answered(scene.host_a, SITE_B.host)
    with meter_between_hosts(scene) as meter, PairWatch(adit) as pairs:
        wait_until(lambda: quick_modes(peer)[1] >= 4, 60, "four quick modes of the appliance's")
        expect_all(meter)
    assert pairs.complaints == []
    assert adit.failures() == {}


def beginners(*captures) -> set[str]:
    """Who began quick modes. What an appliance sends is captured at the other end only."""
    rows = [
        row
        for capture in captures
        for row in capture.fields(
            "isakmp.exchangetype == 32", "frame.time_epoch", "ip.src", "isakmp.messageid"
        )
    ]
    first = {}
    for _, source, message in sorted(rows):
        first.setdefault(message, source)
    return set(first.values())


def test_two_appliances_renew_everything(scene):
    """Both count the same packets, so both begin at once, again and again; and then phase 1 ends."""
    left = scene.adit(None, SITE_A, config=short_lived(SITE_A, SITE_B))
    right = scene.adit(None, SITE_B, config=short_lived(SITE_B, SITE_A))
    wires = scene.capture(scene.gw_a), scene.capture(scene.gw_b)
    ping_until_answered(scene.host_a, SITE_B.host)
    conn_id = re.search(r"QM_IDLE +(\d+) ACTIVE", left.cli("show crypto isakmp sa"))[1]
    with meter_between_hosts(scene) as meter, PairWatch(left) as ours, PairWatch(right) as theirs:
        left.wait_for("show crypto isakmp sa", rf"QM_IDLE +(?!{conn_id})\d+ ACTIVE$", 65)
        wait_until(lambda: conn_id not in left.cli("show crypto isakmp sa"), 15, "the old one is gone")
        expect_all(meter)
    assert len(ours.seen) >= 12
    assert ours.complaints == theirs.complaints == []
    assert beginners(*wires) == {SITE_A.wan, SITE_B.wan}
    # Both ends may say at one moment that the old ISAKMP SA has ended.
    for adit in (left, right):
        assert {**adit.failures(), "unknown-cookies": 0} == {"unknown-cookies": 0}
