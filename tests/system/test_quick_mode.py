# SPDX-License-Identifier: Apache-2.0
"""What quick mode agrees to, seen in traffic: selectors, modes, sequence numbers, groups, volumes."""

import re
import sys
from dataclasses import replace
from pathlib import Path

from lab.process import wait_until
from lab.traffic import ping, ping_until_answered, transfer
from lab.tunnel import SITE_A, SITE_B, Esp, Tunnel, ios_config, wildcard
from test_refusals import expect_no_child, expect_reason
from test_wire import key_options

INJECT = Path(__file__).parent / "lab" / "inject.py"


def config_with(site, *lines, tunnel=Tunnel(), mode="tunnel"):
    """An appliance's configuration with other permit lines (as this site sees them) and mode."""
    other = SITE_B if site is SITE_A else SITE_A
    near, far = tunnel.flows_of(site)[0]
    text = ios_config(site, other, tunnel)
    if lines:
        whole = f" permit ip {wildcard(near)} {wildcard(far)}"
        assert whole in text
        text = text.replace(whole, "\n".join(f" {line}" for line in lines))
    return text.replace(" mode tunnel", f" mode {mode}")


def inbound_spis(adit):
    text = adit.cli("show crypto ipsec sa")
    return re.findall(r"^ +spi: (0x[0-9A-F]+)", text.split("outbound esp sas")[0], re.MULTILINE)


# --- with strongSwan ---------------------------------------------------------------------------------


def test_protocol_and_port_selectors(scene, role):
    """One TCP service is protected; both ends show it in their selectors."""
    peer = scene.strongswan(replace(Tunnel(), flows=(("10.1.0.0/16[tcp]", "10.2.0.0/16[tcp/5001]"),)))
    line = f"permit tcp {wildcard('10.1.0.0/16')} {wildcard('10.2.0.0/16')} eq 5001"
    adit = scene.adit(None, config=config_with(SITE_A, line))
    wan = scene.capture(scene.gw_b)
    if role == "responder":
        peer.initiate()
    sent, received = transfer(scene.host_a, scene.host_b, SITE_B.host, 1, scene.folder)
    assert sent == received
    assert (adit.children(), peer.children()) == (1, 1)
    text = adit.cli("show crypto ipsec sa")
    assert "(10.1.0.0/255.255.0.0/6/0)" in text
    assert "(10.2.0.0/255.255.0.0/6/5001)" in text
    assert adit.counters("encaps") > 100
    assert wan.cleartext() == []


def test_each_line_is_a_pair_of_its_own(scene, role):
    """A host, a network and a service, side by side under one ISAKMP SA."""
    flows = (
        ("10.1.0.10/32", "10.3.0.0/16"),
        ("10.1.0.0/16[tcp]", "10.2.0.0/16[tcp/5001]"),
        ("10.1.0.0/16[icmp]", "10.2.0.0/16[icmp]"),
    )
    peer = scene.strongswan(replace(Tunnel(), flows=flows))
    networks = f"{wildcard('10.1.0.0/16')} {wildcard('10.2.0.0/16')}"
    adit = scene.adit(
        None,
        config=config_with(
            SITE_A,
            f"permit ip host 10.1.0.10 {wildcard('10.3.0.0/16')}",
            f"permit tcp {networks} eq 5001",
            f"permit icmp {networks}",
        ),
    )
    if role == "responder":
        for child in ("net0", "net1", "net2"):
            peer.initiate(child)
    ping_until_answered(scene.host_a, "10.3.0.10")
    ping_until_answered(scene.host_a, SITE_B.host)
    sent, received = transfer(scene.host_a, scene.host_b, SITE_B.host, 1, scene.folder)
    assert sent == received
    assert (adit.established(), peer.established()) == (1, 1)
    assert (adit.children(), peer.children()) == (3, 3)


def test_pfs_group_24_when_both_name_it(scene, role):
    adit, peer = scene.pair(Tunnel(pfs=24))
    scene.bring_up(adit, peer, role)
    assert "PFS (Y/N): Y, DH group: group24" in adit.cli("show crypto ipsec sa")
    assert ping(scene.host_a, SITE_B.host).lost == 0


def test_a_weak_group_that_we_did_not_name_is_refused(scene):
    adit, peer = scene.pair(Tunnel(), Tunnel(pfs=2))
    peer.initiate(check=False)
    expect_reason(adit, "pfs-mismatch", "p2-transform", "pfs MODP-1024")
    expect_no_child(adit, peer)


def test_a_sound_group_that_we_did_not_name_is_taken(scene):
    adit, peer = scene.pair(Tunnel(), Tunnel(pfs=20))
    scene.bring_up(adit, peer, "responder")
    assert "PFS (Y/N): Y, DH group: group20" in adit.cli("show crypto ipsec sa")
    assert ping(scene.host_b, SITE_A.host).lost == 0


def test_volume_makes_a_new_pair_without_loss(scene, role):
    """2560 kilobytes, the least that can be configured: new SAs come before the old ones are spent."""
    adit, peer = scene.pair(Tunnel())
    adit.stop()
    text = adit.config_path.read_text()
    adit.config_path.write_text(
        text.replace(" match address VPN", " set security-association lifetime kilobytes 2560\n match address VPN")
    )
    adit.start()
    scene.bring_up(adit, peer, role)
    before = inbound_spis(adit)
    # 1400 octets, 200 a second each way: nine tenths of the volume in about eight seconds.
    result = ping(scene.host_a, SITE_B.host, count=2500, size=1400, interval=0.005, wait=3)
    assert result.lost == 0
    assert len(before) == 1
    assert before[0] not in inbound_spis(adit)[-1:]
    assert adit.failures() == {}
    left = re.findall(r"\(k/sec\): \((\d+)/", adit.cli("show crypto ipsec sa"))
    assert left and all(int(kilobytes) <= 2560 for kilobytes in left)


# --- between two appliances --------------------------------------------------------------------------

ESN = Tunnel(esp=(Esp("esp-gcm 256"),))


def with_esn(site):
    return config_with(site, tunnel=ESN).replace(" mode tunnel", " mode tunnel\n esn")


def test_extended_sequence_numbers(scene):
    left = scene.adit(None, SITE_A, config=with_esn(SITE_A))
    right = scene.adit(None, SITE_B, config=with_esn(SITE_B))
    ping_until_answered(scene.host_a, SITE_B.host)
    assert ping(scene.host_b, SITE_A.host, count=20).lost == 0
    for adit in (left, right):
        assert adit.cli("show crypto ipsec sa").count("in use settings ={Tunnel, esn}") == 2


def test_extended_against_short_sequence_numbers_is_refused(scene):
    left = scene.adit(None, SITE_A, config=with_esn(SITE_A))
    right = scene.adit(ESN, SITE_B)
    assert ping(scene.host_a, SITE_B.host, count=2, interval=0.5, wait=1).received == 0
    expect_reason(right, "no-phase2-proposal", "p2-transform", "ESP_AES-GCM_16-256", "/ESN")
    assert (left.children(), right.children()) == (0, 0)


def gateways_only(site, mode="transport"):
    other = SITE_B if site is SITE_A else SITE_A
    return config_with(site, f"permit ip host {site.wan} host {other.wan}", mode=mode)


def ask_in_the_name_of_the_peer(scene, host, site, count=5):
    """Pings from behind a gateway that seem to come from its peer: the answers are the gateway's own."""
    other = SITE_B if site is SITE_A else SITE_A
    gateway = site.gateways()[0].split("/")[0]
    ping(host, gateway, count=1)  # learns its MAC address
    host.run(sys.executable, str(INJECT), "spoof", "eth0", gateway, other.wan, site.wan, str(count))


def test_transport_mode_between_gateways(scene):
    """What a gateway itself says to its peer, in transport mode: no second IP header on the wire."""
    left = scene.adit(None, SITE_A, config=gateways_only(SITE_A))
    right = scene.adit(None, SITE_B, config=gateways_only(SITE_B))
    wan = scene.capture(scene.gw_b)
    for adit, name in ((left, "left"), (right, "right")):
        adit.cli(f"debug crypto isakmp keys {scene.folder}/{name}.keys")
    ask_in_the_name_of_the_peer(scene, scene.host_a, SITE_A)
    wait_until(lambda: left.children() and right.children(), 10, "a pair of SAs")
    ask_in_the_name_of_the_peer(scene, scene.host_a, SITE_A)
    ask_in_the_name_of_the_peer(scene, scene.host_b, SITE_B)
    for adit in (left, right):
        wait_until(lambda: adit.counters("decaps") >= 5, 5, "packets out of the SA")
        assert adit.counters("encaps") >= 5
        assert adit.cli("show crypto ipsec sa").count("in use settings ={Transport, }") == 2
    options = key_options(scene.folder / "left.keys") + key_options(scene.folder / "right.keys")
    rows = wan.fields("esp && icmp.type == 0", "frame.protocols", "ip.src", "ip.proto", options=options)
    assert len(rows) >= 10
    # What an appliance sends past the queues of its own port is captured at the other end only.
    assert {row[1] for row in rows} == {SITE_A.wan}
    assert {row[2] for row in rows} == {"50"}, "one IP header each"
    assert wan.cleartext() == []


def test_transport_sets_give_tunnels_to_networks(scene):
    """The sets say transport; the ACL is about networks, so tunnel mode it is."""
    left = scene.adit(None, SITE_A, config=config_with(SITE_A, mode="transport"))
    scene.adit(None, SITE_B, config=config_with(SITE_B, mode="transport"))
    ping_until_answered(scene.host_a, SITE_B.host)
    assert ping(scene.host_b, SITE_A.host).lost == 0
    assert left.cli("show crypto ipsec sa").count("in use settings ={Tunnel, }") == 2
