# SPDX-License-Identifier: Apache-2.0
"""A network on the way drops ESP and lets IKE pass: a tunnel comes up and carries nothing, unless it is told to go in
UDP."""

from lab.process import wait_until
from lab.traffic import ping, ping_until_answered
from lab.tunnel import SITE_A, SITE_B, Tunnel

DROP_ESP = """table netdev filter {
  chain from_a { type filter hook ingress device "to-a" priority 0; ip protocol esp counter drop; }
  chain from_b { type filter hook ingress device "to-b" priority 0; ip protocol esp counter drop; }
}"""
FORCE = "crypto ipsec nat-transparency udp-encapsulation force"


def test_esp_that_is_dropped_goes_in_udp_when_told(scene):
    scene.bridge().run("nft", DROP_ESP)
    left = scene.adit(Tunnel())
    right = scene.adit(Tunnel(), SITE_B)
    assert ping(scene.host_a, SITE_B.host, count=3, interval=0.5, wait=1).received == 0
    assert (left.children(), right.children()) == (1, 1)
    assert left.counters("encaps") > 0 and right.counters("decaps") == 0

    # What is up stays as it is; what begins from here on goes in UDP. One end is enough.
    left.configure(FORCE)
    left.cli("clear crypto isakmp")
    wait_until(lambda: left.children() == right.children() == 0, 5, "no SA of before")
    ping_until_answered(scene.host_a, SITE_B.host)
    assert ping(scene.host_b, SITE_A.host, count=20).lost == 0
    for adit in (left, right):
        assert adit.cli("show crypto ipsec sa").count("Tunnel UDP-Encaps") == 2
    assert FORCE in left.cli("show running-config")
