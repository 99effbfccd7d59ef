# SPDX-License-Identifier: Apache-2.0
"""Aggressive mode with strongSwan: every kind of name, both roles, and whom it is refused."""

import re

import pytest
from lab.process import wait_until
from lab.traffic import ping
from lab.tunnel import SECRET, SITE_A, SITE_B, Tunnel, ios_config, swanctl_config

OPT_IN = "i_dont_care_about_security_and_use_aggressive_mode_psk = yes"

# What the appliance calls itself: the words of its configuration, strongSwan's spelling, what shows print.
NAMES = {
    "fqdn": ("fqdn gw-a.example.net", "gw-a.example.net"),
    "user-fqdn": ("user-fqdn admin@example.net", "admin@example.net"),
    "key-id": ("key-id SITE-A", "keyid:SITE-A"),
    "address": (f"ipv4-address {SITE_A.wan}", SITE_A.wan),
}


def named(swan: str, here: str, there: str) -> str:
    """The tunnel's swanctl text with other names on the two sides, spoken aggressively."""
    text = swan.replace(f"id = {SITE_B.wan}\n    }}\n    remote", f"id = {here}\n    }}\n    remote")
    text = text.replace(f"auth = psk\n      id = {SITE_A.wan}", f"auth = psk\n      id = {there}")
    text = text.replace("version = 1", "version = 1\n    aggressive = yes")
    return re.sub(r"(ike-peer \{\n    id = )\S+", rf"\g<1>{there}", text)


def peer_lines(name: str) -> str:
    return "\n".join(
        [
            f"crypto isakmp peer address {SITE_B.wan}",
            f" set aggressive-mode password {SECRET}",
            f" set aggressive-mode client-endpoint {name}",
            "",
        ]
    )


@pytest.mark.parametrize("kind", NAMES)
def test_initiates_under_its_name(scene, kind):
    words, swan_name = NAMES[kind]
    tunnel = Tunnel()
    config = named(swanctl_config(SITE_B, SITE_A, tunnel), SITE_B.wan, swan_name)
    peer = scene.strongswan(tunnel, options=OPT_IN, config=config)
    adit = scene.adit(tunnel, extra=peer_lines(words))
    scene.bring_up(adit, peer, "initiator")
    assert ping(scene.host_a, SITE_B.host, count=5).lost == 0
    assert "parsed AGGRESSIVE request" in peer.log()


@pytest.mark.parametrize(
    ("name", "swan_name"),
    [
        ("gw-b.example.net", "gw-b.example.net"),
        ("admin@example.net", "admin@example.net"),
        ("SITE-B", "keyid:SITE-B"),
    ],
)
def test_answers_a_name_that_has_a_key(scene, name, swan_name):
    tunnel = Tunnel()
    config = named(swanctl_config(SITE_B, SITE_A, tunnel), swan_name, SITE_A.wan)
    peer = scene.strongswan(tunnel, config=config)
    text = ios_config(SITE_A, SITE_B, tunnel)
    by_name = text.replace(f"address {SITE_B.wan}\n", f"hostname {name}\n", 1)
    assert by_name != text
    adit = scene.adit(tunnel, config=by_name)
    scene.bring_up(adit, peer, "responder")
    assert ping(scene.host_b, SITE_A.host, count=5).lost == 0


def test_a_profile_matches_the_name_and_answers_under_its_own(scene):
    tunnel = Tunnel()
    config = named(swanctl_config(SITE_B, SITE_A, tunnel), "gw-b.example.net", "hub.example.net")
    peer = scene.strongswan(tunnel, config=config)
    text = ios_config(SITE_A, SITE_B, tunnel).replace(
        f"crypto isakmp key {SECRET} address {SITE_B.wan}",
        f"crypto keyring SPOKES\n pre-shared-key address 0.0.0.0 0.0.0.0 key {SECRET}\n"
        "crypto isakmp profile SPOKES\n keyring SPOKES\n self-identity fqdn hub.example.net\n"
        " match identity host domain example.net",
    )
    text = text.replace(f" set peer {SITE_B.wan}", f" set peer {SITE_B.wan}\n set isakmp-profile SPOKES")
    adit = scene.adit(tunnel, config=text)
    scene.bring_up(adit, peer, "responder")
    assert ping(scene.host_b, SITE_A.host, count=5).lost == 0
    assert "gw-b.example.net" in adit.cli("show crypto isakmp peers")


def test_off_for_keys_by_address_unless_enabled(scene):
    tunnel = Tunnel()
    config = named(swanctl_config(SITE_B, SITE_A, tunnel), SITE_B.wan, SITE_A.wan)
    peer = scene.strongswan(tunnel, config=config)
    adit = scene.adit(tunnel)
    peer.initiate(check=False)
    adit.wait_for("show logging", r"IKMP_MODE_FAILURE: Processing of Aggressive mode failed")
    assert peer.children() == 0
    adit.configure("crypto isakmp aggressive-mode enable")
    peer.initiate()
    wait_until(lambda: adit.children() == 1, 5, "an SA pair")


def test_a_wrong_key_is_named(scene):
    tunnel = Tunnel()
    config = named(swanctl_config(SITE_B, SITE_A, tunnel), "gw-b.example.net", SITE_A.wan)
    peer = scene.strongswan(tunnel, config=config)
    text = ios_config(SITE_A, SITE_B, tunnel).replace(
        f"key {SECRET} address {SITE_B.wan}", "key another hostname gw-b.example.net"
    )
    adit = scene.adit(tunnel, config=text)
    peer.initiate(check=False)
    assert peer.children() == 0
    assert adit.children() == 0
