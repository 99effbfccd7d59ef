# SPDX-License-Identifier: Apache-2.0
"""Negotiations that must fail: each with a reason of its own, in the log and as a counter, and no state
stays. The far end is strongSwan, so a reason as initiator is what a refusal on the wire can tell."""

import re
from dataclasses import replace

from lab.process import wait_until
from lab.traffic import ping
from lab.tunnel import SITE_B, Esp, Phase1, Tunnel

BASE = Tunnel()


def attempt(scene, peer, role):
    """One try from the side that `role` names; it must not lead to traffic."""
    if role == "initiator":
        assert ping(scene.host_a, SITE_B.host, count=2, interval=0.5, wait=1).received == 0
    else:
        peer.initiate(check=False)


def expect_reason(adit, reasons):
    """One of `reasons` is counted, and nothing else is called the cause before it."""
    counted = wait_until(
        lambda: set(adit.failures()) & set(reasons), 20, f"a failure counted as {' or '.join(reasons)}"
    )
    assert counted


def expect_no_state(adit, peer):
    wait_until(lambda: adit.isakmp_states() in ([], ["QM_IDLE"]), 45, "no negotiation is left")
    assert (adit.children(), peer.children()) == (0, 0)


def expect_no_phase1(adit, peer):
    expect_no_state(adit, peer)
    assert (adit.established(), peer.established()) == (0, 0)


def test_wrong_pre_shared_key(scene, role):
    adit, peer = scene.pair(BASE, replace(BASE, secret="another-secret-than-theirs"))
    attempt(scene, peer, role)
    # As initiator the only evidence is an unauthenticated complaint, or silence after message 5.
    expect_reason(adit, ["psk-mismatch"])
    adit.wait_for_log(rf"VPNDIAG-\d-\w+: .*{SITE_B.wan}.*pre-shared key")
    expect_no_phase1(adit, peer)


def test_no_common_phase1_policy(scene, role):
    ours, theirs = Phase1("aes 256", "sha256", 19), Phase1("aes", "sha", 14)
    adit, peer = scene.pair(replace(BASE, phase1=(ours,)), replace(BASE, phase1=(theirs,)))
    attempt(scene, peer, role)
    expect_reason(adit, ["p1-policy"] if role == "responder" else ["p1-notify"])
    if role == "responder":
        line = adit.wait_for_log(r"VPNDIAG-\d-\w+: .*(?:polic|proposal|offer).*")
        for value in ("sha256", "sha1|sha\\b", "19", "14"):
            assert re.search(value, line), f"{value} is not in: {line}"
    expect_no_phase1(adit, peer)


def test_no_common_transform(scene, role):
    ours, theirs = Esp("esp-aes 256 esp-sha256-hmac"), Esp("esp-gcm 128")
    adit, peer = scene.pair(replace(BASE, esp=(ours,)), replace(BASE, esp=(theirs,)))
    attempt(scene, peer, role)
    expect_reason(adit, ["p2-transform"] if role == "responder" else ["p2-notify"])
    if role == "responder":
        line = adit.wait_for_log(r"VPNDIAG-\d-\w+: .*(?:transform|proposal|offer).*")
        for value in ("gcm", "sha256"):
            assert value in line.lower(), f"{value} is not in: {line}"
    expect_no_state(adit, peer)


def test_mismatched_proxy_identities(scene, role):
    wider = replace(BASE, flows=(("10.1.0.0/16", "10.2.0.0/15"),))
    adit, peer = scene.pair(BASE, wider)
    attempt(scene, peer, role)
    expect_reason(adit, ["p2-proxy"] if role == "responder" else ["p2-proxy-refused"])
    if role == "responder":
        line = adit.wait_for_log(r"VPNDIAG-\d-\w+: .*10\.2\.0\.0.*")
        for value in ("10.2.0.0/15", "10.2.0.0/16", "10.1.0.0/16"):
            assert value in line, f"{value} is not in: {line}"
    expect_no_state(adit, peer)


def test_missing_pfs(scene):
    """We ask for PFS, the peer offers none: refused by us as responder, with the group in the log."""
    adit, peer = scene.pair(replace(BASE, pfs=14), BASE)
    attempt(scene, peer, "responder")
    expect_reason(adit, ["p2-pfs"])
    expect_no_state(adit, peer)


def test_a_peer_without_a_key(scene):
    """Somebody who is not in the configuration: no state, a reason, no answer that helps."""
    stranger = "192.0.2.99"
    adit, peer = scene.pair(BASE)
    scene.gw_b.address("wan", f"{stranger}/24")
    scene.gw_b.run(
        *("ike-scan", "--sport=0", "--retry=1", f"--bindip={stranger}"), "192.0.2.1", check=False
    )
    expect_reason(adit, ["no-key", "local-config"])
    expect_no_phase1(adit, peer)
