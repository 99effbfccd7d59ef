# SPDX-License-Identifier: Apache-2.0
"""Deletes: whoever says so, both ends let go of the same SAs, and traffic brings them back."""

from lab.process import wait_until
from lab.traffic import ping_until_answered
from lab.tunnel import SITE_B, Tunnel


def counts(adit, peer):
    return (adit.established(), peer.established(), adit.children(), peer.children())


def expect_counts(adit, peer, wanted):
    wait_until(
        lambda: counts(adit, peer) == wanted,
        5,
        f"(our ISAKMP SAs, theirs, our SA pairs, theirs) = {wanted}, now {counts(adit, peer)}",
    )


def test_peer_deletes_the_child_then_the_isakmp_sa(scene, role):
    adit, peer = scene.pair(Tunnel())
    scene.bring_up(adit, peer, role)
    peer.swanctl("--terminate", "--child", "net0", "--timeout", "5")
    expect_counts(adit, peer, (1, 1, 0, 0))
    peer.swanctl("--terminate", "--ike", "peer", "--timeout", "5")
    expect_counts(adit, peer, (0, 0, 0, 0))


def test_we_delete_the_child_then_the_isakmp_sa(scene, role):
    adit, peer = scene.pair(Tunnel())
    scene.bring_up(adit, peer, role)
    adit.cli(f"clear crypto sa peer {SITE_B.wan}")
    expect_counts(adit, peer, (1, 1, 0, 0))
    adit.cli("clear crypto isakmp")
    expect_counts(adit, peer, (0, 0, 0, 0))


def test_traffic_brings_a_deleted_tunnel_back(scene):
    adit, peer = scene.pair(Tunnel())
    scene.bring_up(adit, peer, "initiator")
    adit.cli("clear crypto isakmp")
    adit.cli("clear crypto sa")
    expect_counts(adit, peer, (0, 0, 0, 0))
    ping_until_answered(scene.host_a, SITE_B.host)
    expect_counts(adit, peer, (1, 1, 1, 1))


def test_a_clean_stop_tells_the_peer(scene):
    adit, peer = scene.pair(Tunnel())
    scene.bring_up(adit, peer, "initiator")
    assert adit.control.stop() == 0
    wait_until(lambda: peer.established() == 0 and peer.children() == 0, 5, "the peer holds no SA")
