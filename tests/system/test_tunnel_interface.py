# SPDX-License-Identifier: Apache-2.0
"""Route-based VPN: `interface Tunnel10`, what is routed into it is protected."""

import re
from dataclasses import replace

import pytest
from lab.process import wait_until
from lab.traffic import ping, ping_until_answered, transfer
from lab.tunnel import SITE_A, SITE_B, Tunnel, ios_config, swanctl_config

INNER = {SITE_A: "172.16.0.1", SITE_B: "172.16.0.2"}
EVERYTHING = replace(Tunnel(), flows=(("0.0.0.0/0", "0.0.0.0/0"),))


def tunnel_config(site, *lines, number=10, peer=None, unnumbered=False):
    """An appliance whose far networks lie behind a tunnel. `lines` go below the tunnel interface."""
    other = SITE_B if site is SITE_A else SITE_A
    phase1 = Tunnel()
    address = (
        " ip unnumbered GigabitEthernet0/1"
        if unnumbered
        else f" ip address {INNER[site]} 255.255.255.252"
    )
    text = [
        ios_config(site, other, None),
        "crypto isakmp policy 10",
        *phase1.phase1[0].ios(),
        f"crypto isakmp key {phase1.secret} address {other.wan}",
        f"crypto ipsec transform-set TS {phase1.esp[0].words}",
        " mode tunnel",
        "crypto ipsec profile VTI",
        " set transform-set TS",
        f"interface Tunnel{number}",
        address,
        *(f" {line}" for line in lines),
        " tunnel source GigabitEthernet0/0",
        " tunnel mode ipsec ipv4",
        f" tunnel destination {peer or other.wan}",
        " tunnel protection ipsec profile VTI",
    ]
    whole = "\n".join(text) + "\n"
    # What ios_config routed by the wan goes by the tunnel.
    return re.sub(r"^(ip route \S+ \S+) \S+$", rf"\1 Tunnel{number}", whole, flags=re.MULTILINE)


def two_appliances(scene, *lines, workers=1):
    left = scene.adit(None, SITE_A, config=tunnel_config(SITE_A, *lines), workers=workers)
    right = scene.adit(None, SITE_B, config=tunnel_config(SITE_B, *lines), workers=workers)
    for adit in (left, right):
        adit.wait_for("show ip interface brief", r"^Tunnel10 .* up +up$", 20)
    return left, right


@pytest.mark.parametrize("workers", [1, 2])
def test_two_appliances(scene, workers):
    """Nobody sends anything, and the tunnel comes up; then both ways, to hosts and inner addresses."""
    left, right = two_appliances(scene, workers=workers)
    wan = scene.capture(scene.gw_b)
    ping_until_answered(scene.host_a, SITE_B.host)
    assert ping(scene.host_b, SITE_A.host, count=20).lost == 0
    assert ping(scene.host_a, INNER[SITE_A], count=5).lost == 0
    assert ping(scene.host_a, INNER[SITE_B], count=5).lost == 0
    assert ping(scene.host_b, INNER[SITE_A], count=5).lost == 0
    sent, received = transfer(scene.host_a, scene.host_b, SITE_B.host, 2, scene.folder)
    assert sent == received
    assert wan.cleartext() == []
    text = left.cli("show crypto ipsec sa")
    assert "interface: Tunnel10" in text
    assert "Crypto map tag: Tunnel10-head-0, local addr 192.0.2.1" in text
    assert text.count("ident (addr/mask/prot/port): (0.0.0.0/0.0.0.0/0/0)") == 2
    assert "Interface: Tunnel10\nSession status: UP-ACTIVE" in left.cli("show crypto session")
    routes = left.cli("show ip route")
    assert re.search(r"^S +10\.2\.0\.0/16 is directly connected, Tunnel10$", routes, re.M)
    left.wait_for_log("%LINEPROTO-5-UPDOWN: Line protocol on Interface Tunnel10, changed state to up")
    assert (left.failures(), right.failures()) == ({}, {})


def test_control_killed_under_a_tunnel(scene):
    """Its line protocol does not flap, and its routes stay."""
    left, _ = two_appliances(scene)
    ping_until_answered(scene.host_a, SITE_B.host)
    before = left.inbound_spis()
    left.kill_control()
    assert ping(scene.host_a, SITE_B.host, count=5).lost == 0
    left.start_control()
    left.wait_for_log("SYS-5-RESUMED")
    assert ping(scene.host_b, SITE_A.host, count=20).lost == 0
    assert re.search(r"^Tunnel10 .* up +up$", left.cli("show ip interface brief"), re.M)
    assert re.search(r"^S +10\.2\.0\.0/16 is directly connected, Tunnel10$", left.cli("show ip route"), re.M)
    assert left.inbound_spis() == before
    assert "LINEPROTO" not in left.log().split("RESUMED")[1]


def test_shutdown_and_back(scene):
    """Its routes go with it: here nothing else leads there. Nothing leaves in clear."""
    left, right = two_appliances(scene)
    ping_until_answered(scene.host_a, SITE_B.host)
    wan = scene.capture(scene.gw_b)
    left.configure("interface Tunnel10", "shutdown")
    left.wait_for("show ip interface brief", r"^Tunnel10 .* administratively down +down$")
    right.wait_for("show ip interface brief", r"^Tunnel10 .* up +down$")
    assert "Tunnel10" not in left.cli("show ip route")
    assert "Tunnel10" not in right.cli("show ip route")
    text = ping(scene.host_a, SITE_B.host, count=1).text
    assert re.search(r"From 10\.1\.0\.1 .*Destination Net Unreachable", text), text
    assert (left.children(), right.children()) == (0, 0)
    left.configure("interface Tunnel10", "no shutdown")
    for adit in (left, right):
        adit.wait_for("show ip interface brief", r"^Tunnel10 .* up +up$", 35)
    ping_until_answered(scene.host_a, SITE_B.host)
    assert wan.cleartext() == []


def test_floating_route_takes_over(scene):
    """While the tunnel is down packets follow the next best route, as on a router."""
    left, _ = two_appliances(scene)
    left.configure(f"ip route 10.2.0.0 255.255.0.0 {SITE_B.wan} 200")
    assert re.search(r"10\.2\.0\.0.* directly connected, Tunnel10", left.cli("show ip route"))
    left.configure("interface Tunnel10", "shutdown")
    left.wait_for("show ip route", r"10\.2\.0\.0.*\[200/0\] via 192\.0\.2\.20")
    left.configure("interface Tunnel10", "no shutdown")
    left.wait_for("show ip route", r"10\.2\.0\.0.* directly connected, Tunnel10", 35)


def test_ip_mtu_and_segments(scene):
    """A 1400 tunnel: too big with DF is answered, without DF cut, and TCP is told of segments that fit."""
    left, right = two_appliances(scene, "ip mtu 1400", "ip tcp adjust-mss 1360")
    ping_until_answered(scene.host_a, SITE_B.host)
    text = ping(scene.host_a, SITE_B.host, count=1, size=1450, options=("-M", "do")).text
    assert re.search(r"From 10\.1\.0\.1 .*[Ff]rag needed and DF set \(mtu = 1400\)", text), text
    assert ping(scene.host_a, SITE_B.host, count=5, size=1450).lost == 0
    scene.host_a.run("ip", "route", "flush", "cache")
    lans = [scene.capture(host, "eth0") for host in (scene.host_a, scene.host_b)]
    sent, received = transfer(scene.host_a, scene.host_b, SITE_B.host, 4, scene.folder)
    assert sent == received
    # Each host hears of 1360 from the other.
    for capture, far in zip(lans, (SITE_B.host, SITE_A.host)):
        rows = capture.fields(f"tcp.flags.syn == 1 && ip.src == {far}", "tcp.options.mss_val")
        assert rows and {row[0] for row in rows} == {"1360"}


def test_peer_comes_back(scene):
    """A peer that lost everything at once is found again without traffic."""
    left, right = two_appliances(scene)
    right.stop()
    left.wait_for("show ip interface brief", r"^Tunnel10 .* up +down$")
    right.start()
    for adit in (left, right):
        adit.wait_for("show ip interface brief", r"^Tunnel10 .* up +up$", 45)
    ping_until_answered(scene.host_b, SITE_A.host)


def test_unnumbered(scene):
    left = scene.adit(None, SITE_A, config=tunnel_config(SITE_A, unnumbered=True))
    scene.adit(None, SITE_B, config=tunnel_config(SITE_B, unnumbered=True))
    ping_until_answered(scene.host_a, SITE_B.host, 20)
    assert ping(scene.host_b, SITE_A.host, count=5).lost == 0
    text = left.cli("show interfaces Tunnel10")
    assert "Interface is unnumbered. Using address of GigabitEthernet0/1 (10.1.0.1)" in text


LOOPBACKS = {SITE_A: "198.51.100.1", SITE_B: "198.51.100.2"}


def from_loopback(site):
    """Source and destination are addresses on no link; the wan leads there."""
    other = SITE_B if site is SITE_A else SITE_A
    text = tunnel_config(site, peer=LOOPBACKS[other])
    text = text.replace("tunnel source GigabitEthernet0/0", "tunnel source Loopback0")
    text = text.replace(f"address {other.wan}", f"address {LOOPBACKS[other]}")
    return text + "\n".join(
        (
            "interface Loopback0",
            f" ip address {LOOPBACKS[site]} 255.255.255.255",
            f"ip route {LOOPBACKS[other]} 255.255.255.255 {other.wan}",
            "",
        )
    )


def test_between_loopback_interfaces(scene):
    left = scene.adit(None, SITE_A, config=from_loopback(SITE_A))
    right = scene.adit(None, SITE_B, config=from_loopback(SITE_B))
    for adit in (left, right):
        adit.wait_for("show ip interface brief", r"^Tunnel10 .* up +up$", 20)
        adit.wait_for("show ip interface brief", r"^Loopback0 .* up +up$")
    wan = scene.capture(scene.gw_b)
    assert ping(scene.host_a, SITE_B.host, count=20).lost == 0
    assert ping(scene.host_a, LOOPBACKS[SITE_A], count=3).lost == 0
    assert f"local crypto endpt.: {LOOPBACKS[SITE_A]}" in left.cli("show crypto ipsec sa")
    assert {row[0] for row in wan.fields("esp", "ip.src")} == {LOOPBACKS[SITE_A]}
    assert wan.cleartext() == []


# --- with strongSwan ---------------------------------------------------------------------------------


def routed_swan(scene, tunnel=EVERYTHING):
    """strongSwan whose SA takes everything, and whose kernel routes site A's networks into it. The route that
    it makes for 0.0.0.0/0 leads its own network into the tunnel, too: ours come before it."""
    peer = scene.strongswan(None, config=swanctl_config(SITE_B, SITE_A, tunnel))
    scene.gw_b.run("ip", "rule", "add", "pref", "100", "lookup", "main")
    for network in SITE_A.networks + (f"{INNER[SITE_A]}/32",):
        scene.gw_b.run("ip", "route", "replace", network, "dev", "ipsec0")
    return peer


def test_with_strongswan(scene, role):
    peer = routed_swan(scene)
    if role == "responder":
        adit = scene.adit(None, config=tunnel_config(SITE_A, "shutdown"))
        # The peer calls until it is answered; ours would call a second later by itself.
        adit.configure("interface Tunnel10", "no shutdown")
        peer.initiate()
    else:
        adit = scene.adit(None, config=tunnel_config(SITE_A))
    adit.wait_for("show ip interface brief", r"^Tunnel10 .* up +up$", 40)
    wait_until(lambda: peer.children() >= 1, 5, "an SA pair at strongSwan")
    wan = scene.capture(scene.gw_b)
    ping_until_answered(scene.host_a, SITE_B.host)
    assert ping(scene.host_b, SITE_A.host, count=20).lost == 0
    sent, received = transfer(scene.host_a, scene.host_b, SITE_B.host, 2, scene.folder)
    assert sent == received
    assert wan.cleartext() == []
    assert "Tunnel UDP-Encaps" in adit.cli("show crypto ipsec sa")


def test_strongswan_deletes_and_is_asked_again(scene):
    peer = routed_swan(scene)
    adit = scene.adit(None, config=tunnel_config(SITE_A))
    adit.wait_for("show ip interface brief", r"^Tunnel10 .* up +up$", 20)
    peer.swanctl("--terminate", "--child", "net0")
    adit.wait_for_log("Interface Tunnel10, changed state to down")
    adit.wait_for("show ip interface brief", r"^Tunnel10 .* up +up$", 20)
    ping_until_answered(scene.host_a, SITE_B.host)


# --- beside a crypto map -----------------------------------------------------------------------------


def beside_map(site):
    """10.3.0.0/16 goes by the crypto map, everything else by the tunnel."""
    other = SITE_B if site is SITE_A else SITE_A
    policy = Tunnel(flows=(("10.1.0.0/16", "10.3.0.0/16"),))
    mapped = ios_config(site, other, policy)
    own = tunnel_config(site).split("crypto ipsec transform-set TS ")[1]
    text = mapped + "crypto ipsec transform-set TS " + own
    # 10.3 stays routed by the wan, where the map is.
    return re.sub(r"^(ip route 10\.[12]\.0\.0 \S+) [\d.]+$", r"\1 Tunnel10", text, flags=re.M)


def test_beside_a_policy(scene):
    left = scene.adit(None, SITE_A, config=beside_map(SITE_A))
    flows = (("0.0.0.0/0", "0.0.0.0/0"), ("10.1.0.0/16", "10.3.0.0/16"))
    peer = routed_swan(scene, replace(Tunnel(), flows=flows))
    left.wait_for("show ip interface brief", r"^Tunnel10 .* up +up$", 40)
    wan = scene.capture(scene.gw_b)
    ping_until_answered(scene.host_a, SITE_B.host)
    ping_until_answered(scene.host_a, "10.3.0.10")
    assert (left.children(), peer.children()) == (2, 2)
    text = left.cli("show crypto ipsec sa")
    assert "interface: GigabitEthernet0/0" in text and "interface: Tunnel10" in text
    assert wan.cleartext() == []
