# SPDX-License-Identifier: Apache-2.0
"""Gateways with several workers: packets cross between them, and no flow notices."""

import re

import pytest
from lab.process import wait_until
from lab.traffic import Stream, ping, ping_until_answered, stream_all
from lab.tunnel import SITE_A, SITE_B, Tunnel

WORKERS = 2
TARGETS = ("10.2.0.10", "10.3.0.10")
FLOWS = (("10.1.0.0/16", "10.2.0.0/16"), ("10.1.0.0/16", "10.3.0.0/16"))
# Site B has a second network behind its host.
BEHIND_HOST_B = "ip route 10.3.0.0 255.255.0.0 10.2.0.10\n"


@pytest.fixture
def gateways(scene):
    """Two appliances with two workers each, and a tunnel for each flow."""
    a = scene.adit(Tunnel(flows=FLOWS), SITE_A, workers=WORKERS)
    b = scene.adit(Tunnel(flows=FLOWS), SITE_B, extra=BEHIND_HOST_B, workers=WORKERS)
    raise_tunnels(scene)
    return a, b


def raise_tunnels(scene):
    for target in TARGETS:
        ping_until_answered(scene.host_a, target, timeout=15)


def owners(adit) -> list[int]:
    """The workers that the inbound SPIs name, by the low bits."""
    inbound = re.findall(r"inbound esp sas:\n +spi: 0x([0-9A-F]+)", adit.cli("show crypto ipsec sa"))
    return sorted(int(spi, 16) % 16 for spi in inbound)


def both_ways(scene) -> list[Stream]:
    there = [Stream(scene.host_a, scene.host_b, target) for target in TARGETS]
    return [*there, Stream(scene.host_b, scene.host_a, SITE_A.host)]


def test_no_flow_is_reordered_or_loses_packets(scene, gateways):
    assert [owners(gateway) for gateway in gateways] == [[0, 1], [0, 1]], "one tunnel a worker"
    for result in stream_all(both_ways(scene), scene.folder):
        assert (result.lost, result.misplaced) == (0, 0)
    assert gateways[0].counters("encaps") > 8000
    assert "handover-full" not in gateways[0].cli("show dataplane drops")


def test_tunnels_come_back_after_a_clear(scene, gateways):
    adit, _ = gateways
    adit.cli("clear crypto sa")
    raise_tunnels(scene)
    wait_until(lambda: owners(adit) == [0, 1], 5, "one tunnel a worker again")
    for target in TARGETS:
        assert ping(scene.host_a, target, count=20).lost == 0


def test_control_killed_and_restarted(scene, gateways):
    adit, _ = gateways
    adit.kill_control()
    for target in TARGETS:
        assert ping(scene.host_a, target, count=20).lost == 0, "ESP does not notice"
    adit.start_control()
    adit.wait_for("show interfaces", r"GigabitEthernet0/0 is up, line protocol is up")
    raise_tunnels(scene)
    wait_until(lambda: owners(adit) == [0, 1], 5, "one tunnel a worker again")
    for result in stream_all(both_ways(scene), scene.folder, count=200):
        assert (result.lost, result.misplaced) == (0, 0)
