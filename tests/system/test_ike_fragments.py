# SPDX-License-Identifier: Apache-2.0
"""IKE fragmentation: large messages in small packets, where IP fragments or large packets are lost."""

from dataclasses import replace

import pytest
from lab.process import wait_until
from lab.traffic import ping, ping_until_answered
from lab.tunnel import SITE_A, SITE_B, Phase1, Tunnel

SMALL = 400  # octets of an IP packet: even messages with pre-shared keys need several

# Group 14: the key exchange alone takes 260 octets of message 3.
TUNNEL = Tunnel(phase1=(Phase1("aes 256", "sha256", 14),), swan="fragmentation = yes")
FORCED = replace(TUNNEL, swan="fragmentation = force")

FRAGMENTS = "isakmp.typepayload == 132"


def ike_packets(wan, of_site):
    """Lengths of the IP packets with IKE in them that the site's gateway sent."""
    rows = wan.fields(f"isakmp && ip.src == {of_site.wan}", "ip.len")
    return [int(length) for (length,) in rows]


@pytest.mark.parametrize("tunnel", [TUNNEL, FORCED], ids=["offered", "forced"])
def test_tunnel_in_small_packets(scene, role, tunnel):
    peer = scene.strongswan(tunnel, options=f"fragment_size = {SMALL}")
    adit = scene.adit(tunnel, extra=f"crypto isakmp fragmentation mtu {SMALL}\n")
    wan = scene.capture(scene.gw_b)
    scene.bring_up(adit, peer, role)
    assert ping(scene.host_a, SITE_B.host, count=5).lost == 0
    adit.wait_for("show crypto session detail", r"Capabilities:\w*F connid:\d+")
    for site in (SITE_A, SITE_B):
        assert max(ike_packets(wan, site)) <= SMALL
        assert wan.count(f"{FRAGMENTS} && ip.src == {site.wan}") >= 2
    assert adit.failures() == {}


def test_switched_off_nobody_fragments(scene, role):
    peer = scene.strongswan(TUNNEL, options=f"fragment_size = {SMALL}")
    adit = scene.adit(TUNNEL, extra="no crypto isakmp fragmentation\n")
    wan = scene.capture(scene.gw_b)
    scene.bring_up(adit, peer, role)
    assert "F connid" not in adit.cli("show crypto session detail")
    assert wan.count(FRAGMENTS) == 0
    assert max(ike_packets(wan, SITE_A)) > SMALL


def drop_large_ike(gateway):
    """A path that passes no IP fragment and no IKE packet over 600 octets, either way."""
    gateway.run("nft", "add table ip small")
    for hook in ("prerouting", "postrouting"):
        gateway.run("nft", f"add chain ip small {hook} {{ type filter hook {hook} priority -500; }}")
        gateway.run("nft", f"add rule ip small {hook} ip frag-off & 0x3fff != 0 drop")
        gateway.run("nft", f"add rule ip small {hook} udp dport {{ 500, 4500 }} meta length > 600 drop")


def test_path_that_passes_only_small_packets(scene, role):
    """Group 16's key exchange makes messages of over 600 octets: they never arrive whole."""
    tunnel = replace(TUNNEL, phase1=(Phase1("aes 256", "sha256", 16),))
    peer = scene.strongswan(tunnel, options="fragment_size = 576")
    drop_large_ike(scene.gw_b)
    adit = scene.adit(tunnel, extra="crypto isakmp fragmentation mtu 576\n")
    scene.bring_up(adit, peer, role)
    assert ping(scene.host_a, SITE_B.host, count=3).lost == 0


def test_without_fragmentation_that_path_is_no_path(scene):
    """The same, and neither side cuts: the proof that it is fragmentation that passes."""
    tunnel = replace(TUNNEL, phase1=(Phase1("aes 256", "sha256", 16),), swan="fragmentation = no")
    peer = scene.strongswan(tunnel)
    drop_large_ike(scene.gw_b)
    adit = scene.adit(tunnel, extra="no crypto isakmp fragmentation\n")
    peer.initiate(check=False)
    assert (adit.established(), peer.established()) == (0, 0)


def test_lost_fragments_come_with_the_next_transmission(scene, role):
    """Every third IKE packet is lost, both ways."""
    peer = scene.strongswan(
        FORCED, options=f"fragment_size = {SMALL}\n  retransmit_tries = 8\n  retransmit_timeout = 0.5"
    )
    scene.gw_b.run("nft", "add table ip lossy")
    for hook in ("prerouting", "postrouting"):
        scene.gw_b.run("nft", f"add chain ip lossy {hook} {{ type filter hook {hook} priority -500; }}")
        third = "meta length > 150 numgen inc mod 3 0"
        scene.gw_b.run("nft", f"add rule ip lossy {hook} udp dport {{ 500, 4500 }} {third} drop")
    adit = scene.adit(FORCED, extra=f"crypto isakmp fragmentation mtu {SMALL}\n")
    if role == "initiator":
        ping_until_answered(scene.host_a, SITE_B.host, timeout=40)
    else:
        peer.swanctl("--initiate", "--child", "net0", "--timeout", "40", timeout=60)
    wait_until(lambda: adit.children() >= 1 and peer.children() >= 1, 10, "an SA pair at both ends")
