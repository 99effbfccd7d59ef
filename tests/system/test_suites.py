# SPDX-License-Identifier: Apache-2.0
"""Main mode and quick mode with each kind of suite, the appliance on either side."""

import pytest
from lab.traffic import ping
from lab.tunnel import SITE_A, SITE_B, Esp, Phase1, Tunnel

PHASE1_SUITES = [
    Phase1("aes", "sha", 2),
    Phase1("3des", "md5", 5),
    Phase1("aes 256", "sha256", 14),
    Phase1("aes 192", "sha384", 15),
    Phase1("aes 256", "sha512", 16),
    Phase1("aes", "sha256", 19),
    Phase1("aes 256", "sha384", 20),
    Phase1("aes 256", "sha512", 21),
]

ESP_SUITES = [
    Esp("esp-gcm 128"),
    Esp("esp-gcm 256"),
    Esp("esp-aes 256 esp-sha256-hmac"),
    Esp("esp-aes esp-sha-hmac"),
]


def expect_working_tunnel(scene, adit, peer, wan):
    """Pings pass both ways, both ends count one SA of each kind, nothing crosses the wan in the clear."""
    assert ping(scene.host_a, SITE_B.host).lost == 0
    assert ping(scene.host_b, SITE_A.host).lost == 0
    assert (adit.established(), peer.established()) == (1, 1)
    assert (adit.children(), peer.children()) == (1, 1)
    assert adit.counters("encaps") >= 6
    assert adit.counters("decaps") >= 6
    assert wan.count("esp") >= 12
    assert wan.cleartext() == []


@pytest.mark.parametrize("suite", PHASE1_SUITES, ids=str)
def test_main_mode(scene, role, suite):
    adit, peer = scene.pair(Tunnel(phase1=(suite,)))
    wan = scene.capture(scene.gw_b)
    scene.bring_up(adit, peer, role)
    expect_working_tunnel(scene, adit, peer, wan)
    # dst is the responder, src the initiator.
    initiator, responder = (SITE_A, SITE_B) if role == "initiator" else (SITE_B, SITE_A)
    rows = adit.cli("show crypto isakmp sa")
    assert f"{responder.wan:<15} {initiator.wan:<15} QM_IDLE" in rows


# One suite shows a MODP group as well as four.
QUICK_MODES = [(esp, pfs) for esp in ESP_SUITES for pfs in (None, 19)] + [(ESP_SUITES[0], 14)]


@pytest.mark.parametrize("esp, pfs", QUICK_MODES, ids=str)
def test_quick_mode(scene, role, esp, pfs):
    adit, peer = scene.pair(Tunnel(esp=(esp,), pfs=pfs))
    wan = scene.capture(scene.gw_b)
    scene.bring_up(adit, peer, role)
    expect_working_tunnel(scene, adit, peer, wan)
    assert f"PFS (Y/N): {'Y' if pfs else 'N'}" in adit.cli("show crypto ipsec sa")


def test_choice_among_several_proposals(scene, role):
    """The responder takes the first of its own that was offered; both ends agree on it."""
    strong, weak = Phase1("aes 256", "sha256", 19), Phase1("aes", "sha", 2)
    odd = Phase1("3des", "md5", 5)
    ours = Tunnel(phase1=(odd, strong, weak), esp=(ESP_SUITES[3], ESP_SUITES[1]))
    theirs = Tunnel(phase1=(strong, weak), esp=(ESP_SUITES[1],))
    adit, peer = scene.pair(ours, theirs)
    scene.bring_up(adit, peer, role)
    assert "AES_CBC-256/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/ECP_256" in peer.sas()
    assert "AES_GCM_16-256" in peer.sas()
    assert "esp-gcm 256" in adit.cli("show crypto ipsec sa")
    assert ping(scene.host_a, SITE_B.host).lost == 0
