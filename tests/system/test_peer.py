# SPDX-License-Identifier: Apache-2.0
"""The peer class proves itself: strongSwan against strongSwan, before an appliance is blamed."""

from lab.traffic import ping, transfer
from lab.tunnel import SITE_A, SITE_B, Esp, Phase1, Tunnel


def test_strongswan_reaches_strongswan(scene):
    tunnel = Tunnel(phase1=(Phase1("aes 256", "sha256", 14),), esp=(Esp("esp-gcm 256"),))
    left = scene.strongswan(tunnel, SITE_A)
    right = scene.strongswan(tunnel, SITE_B)
    wan = scene.capture(scene.gw_b)

    left.initiate()

    assert (left.established(), right.established()) == (1, 1)
    assert (left.children(), right.children()) == (1, 1)
    assert ping(scene.host_a, SITE_B.host, count=20).lost == 0
    assert ping(scene.host_a, SITE_B.host, count=2, size=2000).lost == 0
    sent, received = transfer(scene.host_a, scene.host_b, SITE_B.host, 5, scene.folder)
    assert sent == received
    assert wan.count("esp") >= 40
    assert wan.cleartext() == []
