# SPDX-License-Identifier: Apache-2.0
"""Frames of 9000 octets, between two appliances: whole through the tunnel, whole on the wire."""

import re

import pytest
from lab.traffic import ping, ping_until_answered, transfer
from lab.tunnel import SITE_A, SITE_B, Esp, Tunnel, ios_config

MTU = 9000

ESPS = [Esp("esp-gcm 128"), Esp("esp-aes 256 esp-sha256-hmac")]


def with_ip_mtu(text: str) -> str:
    return text.replace("interface GigabitEthernet0/0\n", f"interface GigabitEthernet0/0\n ip mtu {MTU}\n")


@pytest.mark.parametrize("esp", ESPS, ids=str)
def test_jumbo_frames_stay_whole_in_a_tunnel(scene, esp):
    scene.set_mtu(MTU)
    tunnel = Tunnel(esp=(esp,))
    near = scene.adit(tunnel, config=with_ip_mtu(ios_config(SITE_A, SITE_B, tunnel)))
    scene.adit(tunnel, SITE_B)
    ping_until_answered(scene.host_a, SITE_B.host)
    assert f"MTU {MTU} bytes" in near.cli("show interfaces GigabitEthernet0/0")

    shown = re.search(rf"plaintext mtu (\d+), path mtu {MTU}", near.cli("show crypto ipsec sa"))
    assert shown and int(shown[1]) > MTU - 100
    before = near.counters("encaps")
    largest = ping(scene.host_a, SITE_B.host, 20, size=int(shown[1]), options=("-M", "do"))
    assert largest.lost == 0, largest.text
    assert near.counters("encaps") - before == 20  # one ESP packet each: nothing was cut
    sent, received = transfer(scene.host_a, scene.host_b, SITE_B.host, 20, scene.folder)
    assert sent == received


def test_too_big_with_df_is_answered_with_the_jumbo_mtu(scene):
    scene.set_mtu(MTU)
    scene.adit(Tunnel())
    scene.adit(Tunnel(), SITE_B)
    ping_until_answered(scene.host_a, SITE_B.host)
    refused = ping(scene.host_a, SITE_B.host, count=1, size=MTU, options=("-M", "do"))
    assert refused.received == 0
    assert "DF set (mtu = 89" in refused.text, refused.text
