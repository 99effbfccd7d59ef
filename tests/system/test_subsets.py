# SPDX-License-Identifier: Apache-2.0
"""A peer that asks for less than our access list line: it gets SAs for that part, and the rest of the
line is negotiated by itself."""

import re
from dataclasses import replace

from lab.branches import Branch, hub_of, swanctl
from lab.process import wait_until
from lab.traffic import ping, ping_until_answered, transfer
from lab.tunnel import SITE_A, SITE_B, Tunnel

LINE = ("10.1.0.0/16", "10.2.0.0/16")
PART = ("10.1.0.0/24", "10.2.0.0/24")
SERVICE = ("10.1.0.0/16[tcp]", "10.2.0.0/16[tcp/5001]")
BEYOND = "10.2.9.9"  # in the line, not in the part


def encaps(adit, remote: str) -> int:
    """Packets that left under the identity with this remote end; -1 when there is none."""
    text = adit.cli("show crypto ipsec sa")
    _, _, behind = text.partition(f"remote ident (addr/mask/prot/port): ({remote})")
    found = re.search(r"#pkts encaps: (\d+)", behind)
    return int(found[1]) if found else -1


def pair_for(scene, *flows):
    """Our line is the whole; the peer's children are these, and it has a host beyond the part."""
    scene.host_b.address("eth0", f"{BEYOND}/16")
    peer = scene.strongswan(replace(Tunnel(), flows=flows))
    return scene.adit(Tunnel()), peer


def test_part_of_a_line_has_its_own_sas_and_the_rest_its_own(scene):
    adit, peer = pair_for(scene, PART, LINE)
    wan = scene.capture(scene.gw_b)
    peer.initiate("net0")
    wait_until(lambda: adit.children() == 1, 5, "the part's pair")
    assert ping(scene.host_a, SITE_B.host, count=5).lost == 0
    assert ping(scene.host_b, SITE_A.host, count=5).lost == 0
    text = adit.cli("show crypto ipsec sa")
    assert "local  ident (addr/mask/prot/port): (10.1.0.0/255.255.255.0/0/0)" in text
    assert encaps(adit, "10.2.0.0/255.255.255.0/0/0") == 10
    assert encaps(adit, "10.2.0.0/255.255.0.0/0/0") == 0

    ping_until_answered(scene.host_a, BEYOND)  # our own negotiation, of the whole line
    assert (adit.children(), peer.children()) == (2, 2)
    assert (adit.established(), peer.established()) == (1, 1)
    assert ping(scene.host_a, SITE_B.host, count=5).lost == 0
    assert encaps(adit, "10.2.0.0/255.255.255.0/0/0") == 15
    assert encaps(adit, "10.2.0.0/255.255.0.0/0/0") > 0
    assert wan.cleartext() == []


def test_part_that_is_one_service(scene):
    """TCP to one port, out of a line about everything; pings need a pair of their own."""
    adit, peer = pair_for(scene, SERVICE, LINE)
    wan = scene.capture(scene.gw_b)
    peer.initiate("net0")
    sent, received = transfer(scene.host_a, scene.host_b, SITE_B.host, 1, scene.folder)
    assert sent == received
    assert adit.children() == 1
    assert encaps(adit, "10.2.0.0/255.255.0.0/6/5001") > 100
    ping_until_answered(scene.host_a, SITE_B.host)
    assert (adit.children(), peer.children()) == (2, 2)
    assert wan.cleartext() == []


def test_line_that_carries_traffic_loses_none_when_a_part_is_split_off(scene):
    adit, peer = pair_for(scene, PART, LINE)
    scene.bring_up(adit, peer, "initiator")
    pings = scene.host_a.start(
        "ping", ["ping", "-n", "-i", "0.01", "-c", "300", SITE_B.host], scene.folder / "ping.out"
    )
    peer.initiate("net0")
    wait_until(lambda: adit.children() == 2, 5, "both pairs")
    pings.wait(20)
    assert "300 packets transmitted, 300 received" in pings.output()
    assert encaps(adit, "10.2.0.0/255.255.255.0/0/0") > 50


def test_part_is_rekeyed_cleared_and_deleted_like_a_line(scene):
    adit, peer = pair_for(scene, PART, LINE)
    part = "10.2.0.0/255.255.255.0/0/0"
    peer.initiate("net0")
    peer.swanctl("--rekey", "--child", "net0")
    assert ping(scene.host_a, SITE_B.host, count=20, interval=0.1).lost == 0
    assert encaps(adit, part) == 20
    adit.cli("clear crypto sa counters")
    assert encaps(adit, part) == 0

    adit.cli(f"clear crypto sa peer {SITE_B.wan}")
    wait_until(lambda: (adit.children(), peer.children()) == (0, 0), 5, "no SA at either end")
    assert encaps(adit, part) == -1
    peer.initiate("net0")
    wait_until(lambda: encaps(adit, part) == 0, 5, "the part again")
    peer.swanctl("--terminate", "--child", "net0")
    wait_until(lambda: adit.children() == 0, 5, "no SA is left")
    ping_until_answered(scene.host_a, SITE_B.host)  # now by the line
    assert encaps(adit, part) == -1
    assert encaps(adit, "10.2.0.0/255.255.0.0/0/0") > 0


def test_part_goes_with_the_line_that_held_it(scene):
    adit, peer = pair_for(scene, PART)
    peer.initiate("net0")
    adit.configure("ip access-list extended VPN", "permit ip 10.1.0.0 0.0.255.255 10.9.0.0 0.0.255.255")
    assert adit.children() == 1
    assert ping(scene.host_a, SITE_B.host, count=5).lost == 0
    adit.configure("ip access-list extended VPN", "no permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255")
    wait_until(lambda: (adit.children(), peer.children()) == (0, 0), 5, "no SA at either end")


def test_nobody_gets_part_of_what_is_another_peers(scene):
    """The thief's own line holds the other's network, which stands before it."""
    first = Branch("first", "192.0.2.20", "10.2.0.0/16")
    thief = Branch("thief", "192.0.2.21", "10.2.0.0/24")
    peers = scene.strongswan(None, config=swanctl(first, thief))
    scene.gw_b.address("wan", f"{thief.wan}/24")
    adit = scene.adit(None, config=hub_of([first, replace(thief, network="10.0.0.0/8")]))
    peers.initiate("first")
    peers.initiate("thief", check=False)
    line = adit.wait_for_log(r"%VPNDIAG-\d-CAUSE: peer 192.0.2.21: p2-proxy: .*")
    assert "overlaps what VPNMAP 10" in line
    assert adit.children() == 1
    assert ping(scene.host_a, SITE_B.host, count=5).lost == 0
