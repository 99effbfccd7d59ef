# SPDX-License-Identifier: Apache-2.0
"""Every kind of name with every way to begin, many in a row under one pair of gateways."""

import re

from lab.process import wait_until
from lab.traffic import ping
from lab.tunnel import SECRET, SITE_A, SITE_B, Tunnel, ios_config, swanctl_config
from test_aggressive import NAMES, OPT_IN, named, peer_lines

# What strongSwan calls itself, and what our shows print.
THEIRS = {
    SITE_B.wan: SITE_B.wan,
    "gw-b.example.net": "gw-b.example.net",
    "admin@gw-b.example.net": "admin@gw-b.example.net",
    "keyid:SITE-B": "SITE-B",
    '"@#00ff5349"': "0x00ff5349",
    '"C=DE, O=Example, CN=gw-b"': "cn=gw-b,o=Example,c=DE",
}


def both_secrets(swan: str) -> str:
    """The key under the other's address too: who only knows that asks for it in main mode."""
    return re.sub(r"(ike-peer \{\n    id = )(\S+)", rf"\g<1>\g<2>\n    id-b = {SITE_A.wan}", swan)


class Names:
    """A pair that takes new names without starting again."""

    def __init__(self, scene, role: str, mode: str, config: str):
        self.scene, self.role, self.mode = scene, role, mode
        self.peer = scene.strongswan(Tunnel(), options=OPT_IN)
        self.adit = scene.adit(None, config=config)

    def try_out(self, ours: str, theirs: str, shown: str) -> None:
        swan = both_secrets(named(swanctl_config(SITE_B, SITE_A, Tunnel()), theirs, ours))
        if self.mode == "main":
            swan = swan.replace("aggressive = yes", "")
        self.peer.load(swan)
        self.scene.bring_up(self.adit, self.peer, self.role)
        assert ping(self.scene.host_a, SITE_B.host, count=1).lost == 0
        text = self.adit.cli("show crypto session detail")
        assert shown in text, text
        assert f"remote '{ours.removeprefix('keyid:')}' @" in self.peer.sas()
        self.peer.swanctl("--terminate", "--ike", "peer")
        wait_until(lambda: self.adit.isakmp_states() == [], 5, "the end of it")


def test_main_mode_under_every_name(scene, role):
    names = Names(scene, role, "main", ios_config(SITE_A, SITE_B, Tunnel()))
    for theirs, shown in THEIRS.items():
        names.try_out(SITE_A.wan, theirs, shown)
    for words, ours in NAMES.values():
        words = "address" if ours == SITE_A.wan else words
        names.adit.configure(f"crypto isakmp identity {words}")
        names.try_out(ours, SITE_B.wan, SITE_B.wan)


def test_aggressive_mode_with_every_name(scene, role):
    config = ios_config(SITE_A, SITE_B, Tunnel())
    if role == "initiator":
        config += peer_lines(NAMES["fqdn"][0])
    names = Names(scene, role, "aggressive", config + "crypto isakmp aggressive-mode enable\n")
    ours = NAMES["fqdn"][1] if role == "initiator" else SITE_A.wan
    for theirs, shown in THEIRS.items():
        names.try_out(ours, theirs, shown)
