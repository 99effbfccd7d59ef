# SPDX-License-Identifier: Apache-2.0
"""An appliance without a line of `crypto isakmp policy`: the built-in ones are offered and accepted."""

import pytest
from lab.process import wait_until
from lab.traffic import ping
from lab.tunnel import SITE_B, Phase1, Tunnel
from test_refusals import attempt, expect_nothing, expect_reason

NO_POLICY = Tunnel(phase1=())
MODP_2048 = Tunnel(phase1=(Phase1("aes", "sha256", 14),))
MANY = Tunnel(
    phase1=(Phase1("3des", "sha", 2), Phase1("aes", "sha256", 14), Phase1("aes 256", "sha256", 19))
)
OLD = Tunnel(phase1=(Phase1("3des", "sha", 2), Phase1("aes 256", "sha256", 5)))


@pytest.mark.parametrize("theirs", (MODP_2048, MANY), ids=("one-suite", "many-suites"))
def test_built_in_policies_bring_a_tunnel_up(scene, role, theirs):
    adit, peer = scene.pair(NO_POLICY, theirs)
    assert "crypto isakmp policy" not in adit.cli("show running-config")
    scene.bring_up(adit, peer, role)
    assert ping(scene.host_a, SITE_B.host, count=5).lost == 0
    # Who answers chooses: charon by its order, we by ours.
    group = 19 if theirs is MANY and role == "responder" else 14
    assert f"aes  sha256 psk  {group}" in adit.cli("show crypto isakmp sa detail")
    assert "Default protection suite of priority 65514" in adit.cli("show crypto isakmp policy")


def test_they_are_no_weaker_than_112_bits(scene, role):
    adit, peer = scene.pair(NO_POLICY, OLD)
    attempt(scene, peer, role)
    counter, cause = {
        "initiator": ("phase1-refused", "p1-notify"),
        "responder": ("no-phase1-proposal", "p1-policy"),
    }[role]
    expect_reason(adit, counter, cause, "AES-CBC-128/SHA2-256/MODP-2048/pre-shared key")
    assert "signature" not in adit.wait_for_log(rf"VPNDIAG-\d-CAUSE: peer \S+: {cause}: .*")
    expect_nothing(adit, peer)


def test_they_can_be_switched_off(scene):
    adit, peer = scene.pair(NO_POLICY, MODP_2048)
    scene.bring_up(adit, peer, "responder")
    adit.configure("no crypto isakmp default policy")
    wait_until(lambda: peer.established() == 0, 10, "the end of what no policy allows")
    assert "Switched off" in adit.cli("show crypto isakmp default policy")
    peer.initiate(check=False)
    expect_reason(adit, "no-phase1-proposal", "p1-policy")
    expect_nothing(adit, peer)
