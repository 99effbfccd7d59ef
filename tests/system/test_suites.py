# SPDX-License-Identifier: Apache-2.0
"""Main mode and quick mode with every suite, the appliance on either side."""

import re

import pytest
from lab.process import wait_until
from lab.traffic import ping, ping_until_answered
from lab.tunnel import (
    GROUP_NAMES,
    SITE_A,
    SITE_B,
    Esp,
    Phase1,
    Tunnel,
    ios_config,
    swanctl_config,
    wildcard,
)

# A few with all that can be seen of them; every other one further down.
PHASE1_SUITES = [Phase1("3des", "md5", 5), Phase1("aes", "sha", 14), Phase1("aes 256", "sha384", 20)]

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


QUICK_MODES = list(zip(ESP_SUITES, (None, 14, 19, None)))


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


# --- all of them, one after the other under one pair of gateways ---------------------------------------

CIPHERS = ("aes", "aes 192", "aes 256", "3des")
HASHES = ("md5", "sha", "sha256", "sha384", "sha512")
EVERY_GROUP = [Phase1("aes", "sha256", group) for group in GROUP_NAMES]
EVERY_PHASE1 = {
    "responder": [Phase1(cipher, digest, 19) for cipher in CIPHERS for digest in HASHES] + EVERY_GROUP,
    # A policy asks for a tunnel once a second: no more than each word once.
    "initiator": [Phase1(*words, 19) for words in zip((*CIPHERS, "aes"), HASHES)] + EVERY_GROUP,
}
ESP_CIPHERS = ("esp-aes", "esp-aes 192", "esp-aes 256", "esp-3des", "esp-null")
MACS = ("esp-md5-hmac", "esp-sha-hmac", "esp-sha256-hmac", "esp-sha384-hmac", "esp-sha512-hmac")
EVERY_ESP = [(Esp(f"{cipher} {mac}"), None) for cipher in ESP_CIPHERS for mac in MACS]
EVERY_ESP += [(Esp(f"esp-gcm {bits}"), None) for bits in (128, 192, 256)]
EVERY_ESP += [(Esp("esp-gcm 128"), group) for group in GROUP_NAMES]


def swan_name(suite: Phase1) -> str:
    """As strongSwan shows an SA: "AES_CBC-256/HMAC_SHA1_96/PRF_HMAC_SHA1/MODP_2048"."""
    cipher = "3DES_CBC" if suite.encryption == "3des" else f"AES_CBC-{suite.encryption[4:] or 128}"
    macs = {"md5": "MD5_96", "sha": "SHA1_96", "sha256": "SHA2_256_128"}
    mac = (macs | {"sha384": "SHA2_384_192", "sha512": "SHA2_512_256"})[suite.hash]
    group = re.sub("(MODP|ECP)", r"\1_", GROUP_NAMES[suite.group].upper()).replace("S256", "_256")
    return f"{cipher}/HMAC_{mac}/PRF_HMAC_{mac.rpartition('_')[0]}/{group}"


def test_every_phase1_suite(scene, role):
    """The appliance has them all, strongSwan one at a time."""
    adit, peer = scene.pair(Tunnel(phase1=tuple(EVERY_PHASE1["responder"])), Tunnel())
    for suite in EVERY_PHASE1[role]:
        peer.load(swanctl_config(SITE_B, SITE_A, Tunnel(phase1=(suite,))))
        scene.bring_up(adit, peer, role)
        assert swan_name(suite) in peer.sas(), f"{suite}: {peer.sas()}"
        assert ping(scene.host_a, SITE_B.host, count=1).lost == 0, suite
        peer.swanctl("--terminate", "--ike", "peer")
        wait_until(lambda: adit.isakmp_states() == [], 5, f"the end of {suite}")


def every_esp_config(networks: list[str]) -> tuple[str, str]:
    """An entry of the crypto map, and a child of strongSwan's one connection, for each."""
    theirs = iter(EVERY_ESP)

    def proposal(_) -> str:
        esp, group = next(theirs)
        return f"esp_proposals = {esp.swan()}{'-' + GROUP_NAMES[group] if group else ''}"

    tunnel = Tunnel(flows=tuple((network, "10.2.0.0/16") for network in networks))
    swan = re.sub("esp_proposals = .*", proposal, swanctl_config(SITE_B, SITE_A, tunnel))
    lines = []
    for number, (network, (esp, group)) in enumerate(zip(networks, EVERY_ESP), start=10):
        lines += [f"crypto ipsec transform-set TS{number} {esp.words}", " mode tunnel"]
        lines += [f"ip access-list extended VPN{number}"]
        lines += [f" permit ip {wildcard(network)} {wildcard('10.2.0.0/16')}"]
        lines += [f"crypto map VPNMAP {number} ipsec-isakmp", f" set peer {SITE_B.wan}"]
        lines += [f" set transform-set TS{number}", f" match address VPN{number}"]
        lines += [f" set pfs group{group}"] if group else []
    return "\n".join(lines) + "\n", swan


def test_every_esp_suite_and_every_group(scene, role):
    """Side by side under one ISAKMP SA."""
    networks = [f"10.1.{number}.0/24" for number in range(len(EVERY_ESP))]
    extra, swan = every_esp_config(networks)
    peer = scene.strongswan(None, config=swan)
    base = ios_config(SITE_A, SITE_B, Tunnel(flows=()))
    base = re.sub(r"crypto map VPNMAP 10 .*\n( .*\n)+|ip access-list .*\n", "", base)
    adit = scene.adit(None, config=base.replace("interface", extra + "interface", 1))
    for number, network in enumerate(networks):
        host = network.replace(".0/24", ".10")
        if host != SITE_A.host:
            scene.host_a.address("eth0", f"{host}/16")
        if role == "responder":
            peer.initiate(f"net{number}")
        ping_until_answered(scene.host_a, SITE_B.host, source=host)
    assert (adit.children(), peer.children()) == (len(EVERY_ESP), len(EVERY_ESP))
    assert adit.cli("show crypto ipsec sa").count("PFS (Y/N): Y") == len(GROUP_NAMES)
    assert (adit.established(), peer.established()) == (1, 1)
    assert not adit.failures()
