# SPDX-License-Identifier: Apache-2.0
"""Two branches behind one address, and a NAT that forgets: numbered datagrams run on, and nobody who cannot
authenticate a packet leads ESP astray."""

import re
import sys
from pathlib import Path

from lab.branches import Branch, hub, swanctl
from lab.meter import Meter
from lab.process import wait_until
from lab.strongswan import Strongswan
from lab.tunnel import SITE_A, SITE_B, WAN_LENGTH

INJECT = Path(__file__).parent / "lab" / "inject.py"
PER_SECOND = 100
BRANCHES = {
    Branch("west", "172.16.1.2", "10.2.0.0/16", "west.example.net"): "10.2.0.77",
    Branch("east", "172.16.2.2", "10.3.0.0/16", "east.example.net"): "10.3.0.77",
}


def remap(scene, ports: str) -> None:
    """The NAT takes other ports, and loses its table with its address, as after a power cut."""
    rules = f"""flush chain ip nat out
    add rule ip nat out oifname wan ip protocol udp masquerade to :{ports}
    """
    (scene.folder / "nat.rules").write_text(rules)
    scene.gw_b.run("nft", "-f", str(scene.folder / "nat.rules"))
    scene.gw_b.run("ip", "address", "delete", f"{SITE_B.wan}/{WAN_LENGTH}", "dev", "wan")
    scene.gw_b.address("wan", f"{SITE_B.wan}/{WAN_LENGTH}")


def ports_of_peers(adit) -> list[int]:
    return sorted(map(int, re.findall(r"current_peer \S+ port (\d+)", adit.cli("show crypto ipsec sa"))))


def test_mapping_changes_twice(scene):
    adit = scene.adit(None, config=hub())
    meters = []
    for branch, host in BRANCHES.items():
        machine = scene.behind_nat(branch.name)
        machine.address("lo", f"{host}/32")
        peer = Strongswan(machine, scene.folder, swanctl(branch))
        scene.on_close(peer.stop)
        peer.start()
        peer.initiate(branch.name)
        meter = Meter(scene.host_a, SITE_A.host, machine, host, scene.folder, PER_SECOND)
        scene.on_close(meter.stop)
        meters.append(meter)
    for first, last in ((20_000, 20_999), (30_000, 30_999)):
        for meter in meters:
            meter.wait_for(100, 10)
        remap(scene, f"{first}-{last}")
        wait_until(
            lambda: all(first <= port <= last for port in ports_of_peers(adit)), 10, "new ports"
        )
    forge_from_elsewhere(scene, adit)
    for meter in meters:
        meter.wait_for(300, 10)
        for way in meter.finish():
            print(way)
            # One hole for each change: until the first packet has come by the new mapping and a new
            # pair of SAs leads there.
            assert len(way.holes) <= 2 and way.lost <= 2 * PER_SECOND, str(way)
            assert (way.duplicated, way.damaged) == (0, 0), str(way)
    assert adit.established() == 2
    # The pairs before the last change stay for what is under way.
    assert 2 <= adit.children() <= 4


def forge_from_elsewhere(scene, adit) -> None:
    """ESP by the SPIs that are in use, from another port, as anybody on the path can send it."""
    before = ports_of_peers(adit)
    spis = re.findall(r"inbound esp sas:\n +spi: (0x[0-9A-F]+)", adit.cli("show crypto ipsec sa"))
    assert spis
    for spi in spis:
        scene.gw_b.run(sys.executable, str(INJECT), "esp", "5555", SITE_A.wan, spi, "50")
    adit.wait_for("show dataplane drops", r"esp-icv +(?!0\b)\d+")
    assert ports_of_peers(adit) == before
