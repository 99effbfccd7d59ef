# SPDX-License-Identifier: Apache-2.0
"""Peers that no configuration names: a dynamic crypto map, and one pre-shared key for whoever comes.

One charon plays all peers: a connection each, from addresses of its own.
"""

import re

import pytest
from lab.branches import Branch, hub, swanctl
from lab.process import wait_until
from lab.traffic import ping
from lab.tunnel import SECRET, SITE_A

HOST_2, HOST_3 = "10.2.0.10", "10.3.0.10"

FIRST = Branch("first", "192.0.2.20", "10.2.0.0/16")
SECOND = Branch("second", "192.0.2.21", "10.3.0.0/16")
THIEF = Branch("thief", "192.0.2.22", "10.2.0.0/24")


@pytest.fixture
def peers(scene):
    """charon with all three branches, none of them up."""
    peer = scene.strongswan(None, config=swanctl(FIRST, SECOND, THIEF))
    scene.gw_b.address("wan", f"{SECOND.wan}/24", f"{THIEF.wan}/24")
    return peer


def reaches(scene, *targets):
    """From the appliance's side to these hosts and so back."""
    return all(ping(scene.host_a, target, count=5).lost == 0 for target in targets)


def test_unknown_peer_gets_what_it_asks_for(scene, peers):
    adit = scene.adit(None, config=hub())
    wan = scene.capture(scene.gw_b)
    peers.initiate("first")
    wait_until(lambda: adit.children() == 1, 5, "its SA pair")
    assert reaches(scene, HOST_2)
    assert ping(scene.host_b, SITE_A.host, count=5, options=("-I", HOST_2)).lost == 0
    assert wan.cleartext() == []

    sa = adit.cli("show crypto ipsec sa")
    assert "remote ident (addr/mask/prot/port): (10.2.0.0/255.255.0.0/0/0)" in sa
    assert "PERMIT, flags={}" in sa
    assert "origin: dynamic crypto map" in adit.cli("show crypto session")
    instance = adit.cli("show crypto map")
    assert "Dynamic map template tag: DYN" in instance
    assert "permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255" in instance
    assert "dynamic (created from dynamic map DYN/10)" in instance
    assert 'Crypto Map Template"DYN" 10' in adit.cli("show crypto dynamic-map")


def test_two_unknown_peers_at_once_and_a_third_that_claims_what_one_has(scene, peers):
    adit = scene.adit(None, config=hub())
    peers.initiate("first")
    peers.initiate("second")
    wait_until(lambda: adit.children() == 2, 5, "two SA pairs")
    assert reaches(scene, HOST_2, HOST_3)

    peers.initiate("thief", check=False)
    line = adit.wait_for_log(r"%VPNDIAG-\d-CAUSE: peer 192.0.2.22: p2-proxy: .*")
    assert "10.2.0.0/255.255.255.0" in line
    assert "192.0.2.20 at 192.0.2.20 has" in line
    assert adit.failures().get("proxy-in-use")
    assert adit.children() == 2
    assert reaches(scene, HOST_2, HOST_3)


def test_what_one_peer_gives_up_another_may_have(scene, peers):
    adit = scene.adit(None, config=hub())
    peers.initiate("first")
    assert reaches(scene, HOST_2)
    peers.swanctl("--terminate", "--ike", "first")
    wait_until(lambda: adit.children() == 0, 10, "no SA is left")
    assert "created from dynamic map" not in adit.cli("show crypto map")
    peers.initiate("thief")
    wait_until(lambda: adit.children() == 1, 5, "the other's SA pair")
    assert reaches(scene, HOST_2)


def test_access_list_bounds_what_peers_claim(scene, peers):
    """And what it permits does not leave in clear while nobody has claimed it."""
    adit = scene.adit(None, config=hub(("permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255",)))
    wan = scene.capture(scene.gw_b)
    assert ping(scene.host_a, HOST_2, count=2, wait=1).received == 0
    assert re.search(r"policy-drop +\d", adit.cli("show dataplane drops"))
    peers.initiate("second", check=False)
    line = adit.wait_for_log(r"%VPNDIAG-\d-CAUSE: peer 192.0.2.21: p2-proxy: .*")
    assert "no line of access list CLAIMS permits that" in line
    peers.initiate("first")
    wait_until(lambda: adit.children() == 1, 5, "the SA pair of the other")
    assert reaches(scene, HOST_2)
    assert wan.cleartext() == []


def test_static_and_dynamic_entries_in_one_map(scene, peers):
    static = "\n".join(
        (
            "ip access-list extended STATIC",
            " permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255",
            "crypto map VPNMAP 10 ipsec-isakmp",
            f" set peer {FIRST.wan}",
            " set transform-set TS",
            " match address STATIC",
        )
    )
    adit = scene.adit(None, config=hub(static=static))
    assert not adit.failures()
    peers.initiate("thief", check=False)
    line = adit.wait_for_log(r"%VPNDIAG-\d-CAUSE: peer 192.0.2.22: p2-proxy: .*")
    assert "VPNMAP 10" in line
    peers.initiate("first")
    peers.initiate("second")
    wait_until(lambda: adit.children() == 2, 5, "two SA pairs")
    assert reaches(scene, HOST_2, HOST_3)
    session = adit.cli("show crypto session")
    assert len(re.findall(r"origin: dynamic crypto map", session)) == 1
    assert len(re.findall(r"origin: crypto map", session)) == 1


def test_peer_comes_back_from_another_address(scene, peers):
    """A power cut, and its provider gives it a new address. Its name is the same, but whoever has
    the key could say that: the old SA goes once nobody answers for it.
    """
    before = Branch("branch", "192.0.2.20", "10.2.0.0/16", "branch.example.net")
    after = Branch("branch", "192.0.2.21", "10.2.0.0/16", "branch.example.net")
    adit = scene.adit(None, config=hub(dpd="10 2"))
    peers.load(swanctl(before))
    peers.initiate("branch")
    wait_until(lambda: adit.children() == 1, 5, "its SA pair")
    assert reaches(scene, HOST_2)

    peers.kill()
    peers.start()
    peers.load(swanctl(after))
    peers.initiate("branch", check=False)
    line = adit.wait_for_log(r"%VPNDIAG-\d-CAUSE: peer 192.0.2.21: p2-proxy: .*")
    assert "branch.example.net at 192.0.2.20 has" in line
    wait_until(lambda: adit.children() == 0, 30, "the old SA is known to be dead")
    peers.initiate("branch")
    adit.wait_for("show crypto session", r"Peer: 192\.0\.2\.21 port \d+")
    wait_until(lambda: adit.children() == 1, 5, "the new SA pair")
    assert reaches(scene, HOST_2)


def test_control_killed_and_restarted(scene, peers):
    """What peers brought along stays theirs: policies, SAs, and nobody else's claim to them."""
    adit = scene.adit(None, config=hub())
    peers.initiate("first")
    wait_until(lambda: adit.children() == 1, 5, "its SA pair")
    before = adit.inbound_spis()
    adit.kill_control()
    assert reaches(scene, HOST_2)
    adit.start_control()
    adit.wait_for_log("RESUMED: 1 ISAKMP")
    assert reaches(scene, HOST_2) and adit.inbound_spis() == before
    peers.initiate("thief", check=False)
    assert adit.inbound_spis() == before and "proxy-in-use" in adit.failures()
    peers.initiate("second")
    wait_until(lambda: adit.children() == 2, 5, "an SA pair for another peer")
    assert reaches(scene, HOST_2, HOST_3)
    peers.swanctl("--terminate", "--child", "first", "--timeout", "5")
    wait_until(lambda: adit.children() == 1, 5, "the first one's SAs are gone")
    peers.initiate("thief")
    wait_until(lambda: adit.children() == 2, 5, "what it gave up another may have")


def test_dataplane_killed_and_restarted(scene, peers):
    adit = scene.adit(None, config=hub())
    peers.initiate("first")
    assert reaches(scene, HOST_2)
    adit.dataplane.signal(9)
    adit.dataplane.wait()
    adit.start_dataplane()
    adit.wait_for("show interfaces", r"GigabitEthernet0/0 is up, line protocol is up")
    wait_until(lambda: adit.children() == 0, 5, "no SA is left")
    peers.swanctl("--terminate", "--ike", "first", check=False)
    peers.initiate("first")
    wait_until(lambda: adit.children() == 1, 5, "a new SA pair")
    assert reaches(scene, HOST_2)


def test_reconfiguration_keeps_what_its_entry_still_gives(scene, peers):
    adit = scene.adit(None, config=hub())
    peers.initiate("first")
    assert reaches(scene, HOST_2)
    adit.configure("crypto dynamic-map DYN 10", "description whoever has the key")
    assert adit.children() == 1
    assert reaches(scene, HOST_2)
    adit.configure("no crypto dynamic-map DYN 10")
    wait_until(lambda: adit.children() == 0, 5, "no SA is left")


def test_reverse_route_stands_while_the_peer_is_up(scene, peers):
    adit = scene.adit(None, config=hub(reverse_route=True))
    assert ping(scene.host_a, HOST_2, count=2, wait=1).received == 0
    assert re.search(r"no-route +\d", adit.cli("show dataplane drops"))
    peers.initiate("first")
    peers.initiate("second")
    wait_until(lambda: adit.children() == 2, 5, "two SA pairs")
    assert reaches(scene, HOST_2, HOST_3)

    # An unrelated change publishes all tables anew.
    adit.configure("crypto dynamic-map DYN 10", "description whoever has the key")
    assert reaches(scene, HOST_2, HOST_3)

    peers.swanctl("--terminate", "--ike", "first")
    wait_until(lambda: adit.children() == 1, 10, "the other's SA pair alone")
    assert ping(scene.host_a, HOST_2, count=2, wait=1).received == 0
    assert reaches(scene, HOST_3)


def profile(name: str) -> str:
    return (
        f"crypto isakmp profile {name.upper()}\n keyring COMMON\n"
        f" match identity host {name}.example.net"
    )


def test_entries_are_for_the_peers_of_their_profile(scene, peers):
    """Who a peer says it is, under a key that both have, decides which entry it gets."""
    first = Branch("first", "192.0.2.20", "10.2.0.0/16", "west.example.net")
    second = Branch("second", "192.0.2.21", "10.3.0.0/16", "east.example.net")
    thief = Branch("thief", "192.0.2.22", "10.3.0.0/24", "west.example.net")
    keys = f"crypto keyring COMMON\n pre-shared-key address 0.0.0.0 0.0.0.0 key {SECRET}\n"
    entry = " set isakmp-profile WEST\n match address WEST\n" + "\n".join(
        [
            "crypto dynamic-map DYN 20",
            " set transform-set TS",
            " set isakmp-profile EAST",
            " match address EAST",
            "ip access-list extended WEST",
            " permit ip 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255",
            "ip access-list extended EAST",
            " permit ip 10.1.0.0 0.0.255.255 10.3.0.0 0.0.255.255",
        ]
    )
    text = hub(keys=keys + profile("west") + "\n" + profile("east"), entry=entry)
    adit = scene.adit(None, config=text)
    peers.load(swanctl(first, second, thief))
    peers.initiate("thief", check=False)
    line = adit.wait_for_log(r"%VPNDIAG-\d-CAUSE: peer 192.0.2.22: p2-proxy: .*")
    assert "no line of access list WEST permits that" in line
    peers.initiate("first")
    peers.initiate("second")
    wait_until(lambda: adit.children() == 2, 5, "two SA pairs")
    assert reaches(scene, HOST_2, HOST_3)
    instances = adit.cli("show crypto map")
    assert "dynamic (created from dynamic map DYN/10)" in instances
    assert "dynamic (created from dynamic map DYN/20)" in instances
