# SPDX-License-Identifier: Apache-2.0
"""A peer vanishes from the network: its fellow takes over, and gives way when traffic has ceased."""

import time

from lab.branches import Branch, swanctl
from lab.meter import Meter
from lab.process import wait_until
from lab.strongswan import Strongswan
from lab.traffic import ping_until_answered
from lab.tunnel import DEFAULT_ESP, DEFAULT_PHASE1, SECRET, SITE_A, SITE_B, wildcard

FIRST, SECOND = "192.0.2.20", "192.0.2.21"
HOST = "10.2.0.77"  # at both of them, as of one network with two gateways
DPD = 10 + 5 * 2  # keepalive 10 2: asked after ten seconds of silence, five times
IDLE = 60  # the least that can be configured


def config() -> str:
    return f"""hostname gw-a
crypto isakmp policy 10
{chr(10).join(DEFAULT_PHASE1.ios())}
crypto isakmp key {SECRET} address {FIRST}
crypto isakmp key {SECRET} address {SECOND}
crypto isakmp keepalive 10 2
crypto ipsec transform-set TS {DEFAULT_ESP.words}
 mode tunnel
ip access-list extended VPN
 permit ip {wildcard("10.1.0.0/16")} {wildcard("10.2.0.0/16")}
crypto map VPNMAP 10 ipsec-isakmp
 set peer {FIRST} default
 set peer {SECOND}
 set security-association idle-time {IDLE} default
 set transform-set TS
 match address VPN
interface GigabitEthernet0/0
 ip address {SITE_A.wan} 255.255.255.0
 crypto map VPNMAP
interface GigabitEthernet0/1
 ip address 10.1.0.1 255.255.0.0
ip route 10.2.0.0 255.255.0.0 {FIRST}
"""


def gateway(scene, machine, address: str) -> Strongswan:
    """strongSwan with the host's address on its own loopback."""
    machine.make_router()
    machine.address("wan", f"{address}/24")
    machine.address("lo", f"{HOST}/32")
    machine.route("10.1.0.0/16", SITE_A.wan)
    peer = Strongswan(machine, scene.folder, swanctl(Branch("peer", address, "10.2.0.0/16")))
    scene.on_close(peer.stop)
    peer.start()
    return peer


def test_the_second_takes_over_and_the_first_returns(scene):
    wan = scene.bridge()
    first = gateway(scene, scene.gw_b, FIRST)
    machine = scene.machine("gw-c")
    scene.plug(machine, "to-c")
    second = gateway(scene, machine, SECOND)
    adit = scene.adit(None, config=config())
    ping_until_answered(scene.host_a, HOST)
    assert (first.children(), second.children()) == (1, 0)

    with Meter(scene.host_a, SITE_A.host, machine, HOST, scene.folder, per_second=100) as meter:
        wan.run("ip", "link", "set", "to-b", "down")
        vanished = time.monotonic()
        meter.wait_for(100, DPD + 10)
        took = time.monotonic() - vanished
        assert took < DPD + 5, f"{took:.1f} s"
        adit.wait_for("show crypto isakmp failures", r"dead-peer +1\b")
        adit.wait_for_log(rf"PEER_SWITCH: VPNMAP 10 .*: peer {FIRST} does not answer, .* {SECOND}")
        wan.run("ip", "link", "set", "to-b", "up")
        meter.wait_for(100, 5)  # it stays where it is while it carries anything
        there, _ = meter.finish()
        assert len(there.holes) <= 2, str(there)
    assert adit.children() == 1

    wait_until(lambda: adit.children() == 0 and second.children() == 0, IDLE + 5, "no idle pair")
    ping_until_answered(scene.host_a, HOST)
    wait_until(lambda: first.children() == 1, 5, "the first has the tunnel again")
    assert second.children() == 0 and adit.children() == 1
