# SPDX-License-Identifier: Apache-2.0
"""Signatures instead of pre-shared keys: RSA and ECDSA, chains, every kind of name, and each bad
certificate refused with its own reason. The far end is strongSwan, in both roles."""

import re
from dataclasses import replace

import pytest

from lab.certificates import Authority, swanctl_folder, trustpoint
from lab.process import wait_until
from lab.strongswan import Strongswan
from lab.traffic import ping
from lab.tunnel import SITE_A, SITE_B, Phase1, Tunnel, ios_config, swanctl_config

OUR_NAMES = "DNS:gw-a.example.com,email:ops@gw-a.example.com,IP:192.0.2.1"
THEIR_NAMES = "DNS:gw-b.example.com,email:ops@gw-b.example.com,IP:192.0.2.20"
HASH_OF_KEY = {"rsa": "sha256", "ec256": "sha256", "ec384": "sha384"}


class Lab:
    """Both gateways with certificates of one CA, unless told otherwise."""

    def __init__(self, scene, key="rsa", intermediate=False):
        self.scene = scene
        self.key = key
        self.root = Authority(scene.folder / "pki", "Lab Root", key=key)
        self.issuer = Authority(scene.folder / "pki", "Lab Issuer", self.root, key) if intermediate else self.root
        self.ours = self.issuer.issue("gw-a", OUR_NAMES)
        self.theirs = self.issuer.issue("gw-b", THEIR_NAMES)
        self.crl = None
        self.tunnel = Tunnel(phase1=(Phase1("aes 256", HASH_OF_KEY[key], 19),))

    def start(self, their_id="192.0.2.20", our_id="%any", mode="", extra=""):
        self.peer = self._strongswan(their_id, our_id, mode)
        text = extra + trustpoint(self.root.certificate, self.ours, self.crl) + ios_config(SITE_A, SITE_B, self.tunnel)
        method = "rsa-sig" if self.key == "rsa" else "ecdsa-sig"
        text = text.replace("authentication pre-share", f"authentication {method}")
        text = re.sub(r"crypto isakmp key .*\n", "", text)
        if "profile SIGNED" in extra:
            text = text.replace(" set transform-set", " set isakmp-profile SIGNED\n set transform-set")
        self.adit = self.scene.adit(None, config=text)
        return self.adit, self.peer

    def swan(self, their_id, our_id, mode=""):
        text = swanctl_config(SITE_B, SITE_A, self.tunnel)
        text = text.replace(f"auth = psk\n      id = {SITE_B.wan}", f'auth = pubkey\n      id = "{their_id}"')
        text = text.replace(f"auth = psk\n      id = {SITE_A.wan}", f'auth = pubkey\n      id = "{our_id}"')
        return text[: text.index("secrets {")].replace("version = 1", f"version = 1\n    {mode}")

    def _strongswan(self, their_id, our_id, mode):
        text = self.swan(their_id, our_id, mode)
        folder = swanctl_folder(self.scene.folder, self.root.certificate, self.theirs)
        peer = Strongswan(self.scene.kernel_gateway(SITE_B), self.scene.folder, text, credentials=folder)
        self.scene._cleanup.callback(peer.stop)
        peer.start()
        return peer


def expect_tunnel(lab, role):
    lab.scene.bring_up(lab.adit, lab.peer, role)
    assert (lab.adit.established(), lab.peer.established()) == (1, 1)
    assert ping(lab.scene.host_a, SITE_B.host, count=5).lost == 0


@pytest.mark.parametrize("key", ["rsa", "ec256", "ec384"])
def test_main_mode(scene, role, key):
    lab = Lab(scene, key)
    adit, _ = lab.start()
    expect_tunnel(lab, role)
    word = "rsig" if key == "rsa" else "ecsg"
    assert re.search(rf"ACTIVE aes +sha\d+ {word} 19", adit.cli("show crypto isakmp sa detail"))
    assert "cn=gw-a" in adit.cli("show crypto pki certificates")


def test_chain_of_three_with_crls(scene, role):
    lab = Lab(scene, intermediate=True)
    lab.crl = scene.folder / "both.crl"
    lab.crl.write_text(lab.root.crl.read_text() + lab.issuer.crl.read_text())
    lab.start()
    expect_tunnel(lab, role)


@pytest.mark.parametrize(
    "name",
    ["gw-b.example.com", "ops@gw-b.example.com", "192.0.2.20", "O=Example, CN=gw-b"],
    ids=["fqdn", "user-fqdn", "address", "dn"],
)
def test_names_in_the_peers_certificate(scene, role, name):
    lab = Lab(scene, "ec256")
    adit, _ = lab.start(their_id=name)
    expect_tunnel(lab, role)
    shown = "cn=gw-b,o=Example" if "CN=" in name else name
    assert shown in adit.cli("show crypto session detail")


AGGRESSIVE = f"""\
crypto isakmp aggressive-mode enable
crypto isakmp profile SIGNED
 match identity address {SITE_B.wan} 255.255.255.255
 initiate mode aggressive
"""


@pytest.mark.parametrize("key", ["rsa", "ec256"])
def test_aggressive_mode(scene, role, key):
    lab = Lab(scene, key)
    adit, peer = lab.start(mode="aggressive = yes", extra=AGGRESSIVE)
    expect_tunnel(lab, role)
    word = "rsig" if key == "rsa" else "ecsg"
    assert re.search(rf"ACTIVE aes +sha\d+ {word} 19", adit.cli("show crypto isakmp sa detail"))
    assert "AGGRESSIVE" in peer.log()


def test_aggressive_mode_is_refused_unless_enabled(scene):
    lab = Lab(scene, "ec256")
    adit, peer = lab.start(mode="aggressive = yes")
    peer.initiate(check=False)
    assert adit.wait_for_log(r"aggressive mode is refused")
    assert adit.established() == 0


def drop_ip_fragments(gateway):
    gateway.run("nft", "add table ip whole")
    for hook in ("prerouting", "postrouting"):
        gateway.run("nft", f"add chain ip whole {hook} {{ type filter hook {hook} priority -500; }}")
        gateway.run("nft", f"add rule ip whole {hook} ip frag-off & 0x3fff != 0 drop")


@pytest.mark.parametrize("mode", ["main", "aggressive"])
def test_chains_of_6_kilobytes_in_fragments_of_ike(scene, role, mode):
    """Over a path that passes no IP fragment."""
    lab = Lab(scene, intermediate=True)
    many = ",".join(f"DNS:a-rather-long-host-name-{n}.example.com" for n in range(130))
    lab.ours = lab.issuer.issue("large-a", f"{OUR_NAMES},{many}")
    lab.theirs = lab.issuer.issue("large-b", f"{THEIR_NAMES},{many}")
    assert lab.theirs.chain.stat().st_size > 6000 * 4 / 3  # in base64
    aggressive = mode == "aggressive"
    drop_ip_fragments(scene.gw_b)
    adit, _ = lab.start(
        mode="fragmentation = yes\n" + ("aggressive = yes" if aggressive else ""),
        extra=AGGRESSIVE if aggressive else "",
    )
    expect_tunnel(lab, role)


def test_names_in_our_certificate(scene, role):
    """What we call ourselves, one after the other; the peer wants that and nothing else."""
    lab = Lab(scene, "ec256")
    adit, peer = lab.start()
    names = {
        "address": "192.0.2.1",
        "fqdn gw-a.example.com": "gw-a.example.com",
        "user-fqdn ops@gw-a.example.com": "ops@gw-a.example.com",
        "dn": "O=Example, CN=gw-a",
    }
    for words, name in names.items():
        adit.configure(f"crypto isakmp identity {words}")
        peer.load(lab.swan("192.0.2.20", name))
        expect_tunnel(lab, role)
        assert f"remote '{name}' @" in peer.sas()
        peer.swanctl("--terminate", "--ike", "peer")
        wait_until(lambda: adit.isakmp_states() == [], 5, "the end of it")


def refuse(lab, role, counter, *words):
    """The peer's certificate is not accepted, and the log says why."""
    if role == "initiator":
        assert ping(lab.scene.host_a, SITE_B.host, count=2, interval=0.5, wait=1).received == 0
    else:
        lab.peer.initiate(check=False)
    wait_until(lambda: lab.adit.failures().get(counter), 20, f"{counter} among {lab.adit.failures()}")
    line = lab.adit.wait_for_log(r"%VPNDIAG-\d-CAUSE: peer \S+: (cert|p1-identity): .*")
    missing = [word for word in words if word not in line]
    assert not missing, f"{missing} not in: {line}"
    assert lab.adit.established() == 0 and lab.adit.children() == 0


def test_expired(scene, role):
    lab = Lab(scene, "ec256")
    lab.theirs = lab.root.issue("old", THEIR_NAMES, begin=-10, end=-2)
    lab.start()
    refuse(lab, role, "certificate-refused", "cert: expired:", "cn=old", "our clock says")


def test_not_yet_valid(scene, role):
    lab = Lab(scene, "ec256")
    lab.theirs = lab.root.issue("early", THEIR_NAMES, begin=2, end=10)
    lab.start()
    refuse(lab, role, "certificate-refused", "cert: not-yet-valid:", "cn=early")


def test_revoked(scene, role):
    lab = Lab(scene, "ec256")
    lab.root.revoke(lab.theirs)
    lab.crl = lab.root.crl
    lab.start()
    refuse(lab, role, "certificate-refused", "cert: revoked:", "cn=gw-b")


def test_wrong_ca(scene, role):
    lab = Lab(scene, "ec256")
    lab.theirs = Authority(scene.folder / "pki", "Other Root", key="ec256").issue("gw-b", THEIR_NAMES)
    lab.start()
    refuse(lab, role, "certificate-refused", "cert: unknown-ca:", "cn=Other Root")


def test_a_missing_file_is_named_at_the_prompt(scene):
    lab = Lab(scene, "ec256")
    adit, _ = lab.start()
    lines = "configure terminal\ncrypto pki trustpoint LAB\ncrl-file /nowhere/ca.crl\n"
    assert "% /nowhere/ca.crl: No such file or directory" in adit.type_lines(lines)
    assert "/nowhere" not in adit.cli("show running-config")
