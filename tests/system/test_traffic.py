# SPDX-License-Identifier: Apache-2.0
"""What users do with a tunnel: small and large packets, files, several networks."""

import re

import pytest
from lab.process import wait_until
from lab.traffic import ping, ping_until_answered, transfer
from lab.tunnel import SITE_A, SITE_B, Esp, Tunnel

# From the smallest ping with a timestamp to datagrams in two fragments.
PING_SIZES = [64, 65, 128, 256, 512, 1024, 1380, 1432, 1500, 2000]


def test_1000_pings_of_mixed_sizes(scene, role):
    adit, peer = scene.pair(Tunnel())
    scene.bring_up(adit, peer, role)
    results = {
        size: ping(scene.host_a, SITE_B.host, count=100, size=size, interval=0.005)
        for size in PING_SIZES
    }
    assert {size: result.lost for size, result in results.items() if result.lost} == {}
    assert sum(result.received for result in results.values()) == 1000


@pytest.mark.parametrize("esp", [Esp("esp-gcm 128"), Esp("esp-aes 256 esp-sha256-hmac")], ids=str)
def test_100_megabytes_arrive_intact(scene, esp):
    adit, peer = scene.pair(Tunnel(esp=(esp,)))
    scene.bring_up(adit, peer, "initiator")
    sent, received = transfer(scene.host_a, scene.host_b, SITE_B.host, 100, scene.folder)
    assert sent == received


def test_100_megabytes_arrive_intact_from_the_peer(scene):
    adit, peer = scene.pair(Tunnel())
    scene.bring_up(adit, peer, "responder")
    sent, received = transfer(scene.host_b, scene.host_a, SITE_A.host, 100, scene.folder)
    assert sent == received


def test_two_acl_lines_make_two_sa_pairs(scene, role):
    """Each permit line is negotiated on demand, with exactly that line as proxy identities."""
    flows = (("10.1.0.0/16", "10.2.0.0/16"), ("10.1.0.0/16", "10.3.0.0/16"))
    adit, peer = scene.pair(Tunnel(flows=flows))
    scene.bring_up(adit, peer, role)
    assert (adit.children(), peer.children()) == (1, 1)
    if role == "initiator":
        ping_until_answered(scene.host_a, "10.3.0.10")
    else:
        peer.initiate("net1")
    wait_until(lambda: (adit.children(), peer.children()) == (2, 2), 5, "two SA pairs at both ends")
    assert (adit.established(), peer.established()) == (1, 1)

    for target in ("10.2.0.10", "10.3.0.10"):
        assert ping(scene.host_a, target, count=5).lost == 0
    shown = adit.cli("show crypto ipsec sa")
    idents = re.findall(r"remote ident \(addr/mask/prot/port\): \(([\d.]+)", shown)
    assert sorted(idents) == ["10.2.0.0", "10.3.0.0"]
    assert "10.3.0.0/16" in peer.sas()


def test_too_big_with_df_names_the_plaintext_mtu(scene):
    adit, peer = scene.pair(Tunnel())
    scene.bring_up(adit, peer, "initiator")
    shown = re.search(r"plaintext mtu (\d+), path mtu 1500", adit.cli("show crypto ipsec sa"))
    assert shown
    mtu = int(shown[1])
    assert ping(scene.host_a, SITE_B.host, count=1, size=mtu, options=("-M", "do")).lost == 0
    refused = ping(scene.host_a, SITE_B.host, count=1, size=mtu + 1, options=("-M", "do"))
    assert re.search(rf"[Ff]rag needed and DF set \(mtu = {mtu}\)", refused.text)
