# SPDX-License-Identifier: Apache-2.0
"""Negotiations that must fail: each with a reason of its own, in the log and as a counter, and no state
stays. The far end is strongSwan, so what we know as initiator is what its notify tells."""

from dataclasses import replace

from lab.process import wait_until
from lab.traffic import ping
from lab.tunnel import SITE_A, SITE_B, Esp, Phase1, Tunnel

BASE = Tunnel()


def attempt(scene, peer, role):
    """One try from the side that `role` names; it must not lead to traffic."""
    if role == "initiator":
        assert ping(scene.host_a, SITE_B.host, count=2, interval=0.5, wait=1).received == 0
    else:
        peer.initiate(check=False)


def expect_reason(adit, counter, cause, *values):
    """`counter` of `show crypto isakmp failures` moved, and the log names the cause with both values."""
    wait_until(lambda: adit.failures().get(counter), 20, f"{counter} among {adit.failures()}")
    line = adit.wait_for_log(rf"%VPNDIAG-\d-CAUSE: peer \S+: {cause}: .*")
    missing = [value for value in values if value not in line]
    assert not missing, f"{missing} not in: {line}"


def expect_no_child(adit, peer):
    """At most the ISAKMP SA itself is left."""
    wait_until(lambda: adit.isakmp_states() in ([], ["QM_IDLE"]), 45, "no negotiation is left")
    assert (adit.children(), peer.children()) == (0, 0)


def expect_nothing(adit, peer):
    expect_no_child(adit, peer)
    assert (adit.established(), peer.established()) == (0, 0)


def test_wrong_pre_shared_key(scene, role):
    adit, peer = scene.pair(BASE, replace(BASE, secret="another-secret-than-theirs"))
    attempt(scene, peer, role)
    expect_reason(adit, "psk-mismatch", "psk-mismatch", "pre-shared key")
    expect_nothing(adit, peer)


def test_no_common_phase1_policy(scene, role):
    ours, theirs = Phase1("aes 256", "sha256", 19), Phase1("aes", "sha", 14)
    adit, peer = scene.pair(replace(BASE, phase1=(ours,)), replace(BASE, phase1=(theirs,)))
    attempt(scene, peer, role)
    our_values = "AES-CBC-256/SHA2-256/ECP-256"
    if role == "initiator":
        expect_reason(adit, "phase1-refused", "p1-notify", our_values)
    else:
        expect_reason(adit, "no-phase1-proposal", "p1-policy", our_values, "AES-CBC-128/SHA/MODP-2048")
    expect_nothing(adit, peer)


def test_no_common_transform(scene, role):
    ours, theirs = Esp("esp-aes 256 esp-sha256-hmac"), Esp("esp-gcm 128")
    adit, peer = scene.pair(replace(BASE, esp=(ours,)), replace(BASE, esp=(theirs,)))
    attempt(scene, peer, role)
    our_values = "ESP_AES-256/HMAC-SHA2-256"
    if role == "initiator":
        expect_reason(adit, "phase2-refused", "p2-transform", our_values)
    else:
        expect_reason(adit, "no-phase2-proposal", "p2-transform", our_values, "ESP_AES-GCM_16-128")
    expect_no_child(adit, peer)


def test_pfs_on_one_side_only(scene):
    """We want a group, the peer offers none: refused, and the log shows the difference."""
    adit, peer = scene.pair(replace(BASE, pfs=14), BASE)
    attempt(scene, peer, "responder")
    expect_reason(adit, "pfs-mismatch", "p2-transform", "pfs none", "pfs MODP-2048")
    expect_no_child(adit, peer)


def test_mismatched_proxy_identities_as_responder(scene):
    """The peer asks for more than our ACL line says: what it asked and the nearest line are named."""
    adit, peer = scene.pair(BASE, replace(BASE, flows=(("10.1.0.0/16", "10.2.0.0/15"),)))
    attempt(scene, peer, "responder")
    expect_reason(
        adit, "proxy-mismatch", "p2-proxy", "10.2.0.0/255.254.0.0", "10.2.0.0/255.255.0.0", "VPN, line 10"
    )
    expect_no_child(adit, peer)


def test_mismatched_proxy_identities_as_initiator(scene):
    """strongSwan would narrow an overlap, so the peer's network is another one altogether."""
    adit, peer = scene.pair(BASE, replace(BASE, flows=(("10.1.0.0/16", "10.3.0.0/16"),)))
    attempt(scene, peer, "initiator")
    expect_reason(adit, "proxy-refused", "p2-proxy", "10.1.0.0/255.255.0.0", "10.2.0.0/255.255.0.0")
    expect_no_child(adit, peer)


def test_a_peer_without_a_key(scene):
    """Somebody who is not in the configuration: no state, a reason, no answer that helps."""
    adit, peer = scene.pair(BASE)
    stranger = "192.0.2.99"
    scene.gw_b.address("wan", f"{stranger}/24")
    text = scene.gw_b.run(
        *("ike-scan", "--sport=0", "--retry=1", f"--bindip={stranger}"), SITE_A.wan, check=False
    ).stdout
    assert "0 returned handshake" in text
    expect_reason(adit, "no-preshared-key", "local-config", "no pre-shared key", "3DES-CBC/SHA/MODP-1024")
    expect_nothing(adit, peer)
