# SPDX-License-Identifier: Apache-2.0
"""What others see on the wire: ike-scan's probe, tshark's dissection and decryption."""

import re

import pytest
from lab.process import wait_until
from lab.traffic import ping, transfer
from lab.tunnel import SITE_A, SITE_B, Esp, Phase1, Tunnel


def key_options(path) -> tuple[str, ...]:
    """Exported keys as tshark options. Lines: TABLE, tab, RECORD; TABLE is a tshark preference."""
    options = ["-o", "esp.enable_encryption_decode:TRUE"]
    for line in path.read_text().splitlines():
        table, _, record = line.partition("\t")
        if table in ("ikev1_decryption_table", "esp_sa"):
            options += ["-o", f"uat:{table}:{record}"]
    return tuple(options)


def test_ike_scan_lists_the_accepted_transform(scene):
    """Among offers that we refuse there is one that we accept: the answer names that one."""
    tunnel = Tunnel(phase1=(Phase1("aes 256", "sha256", 14),))
    scene.adit(tunnel)
    probe = scene.kernel_gateway(SITE_B)
    text = probe.run(
        *("ike-scan", "--sport=0", "--multiline", "--retry=2"),
        "--trans=(1=5,2=1,3=1,4=2)",
        "--trans=(1=7,14=128,2=2,3=1,4=14)",
        "--trans=(1=7,14=256,2=4,3=1,4=14)",
        SITE_A.wan,
    ).stdout
    assert "1 returned handshake; 0 returned notify" in text
    assert re.search(r"SA=\(.*Enc=AES.*KeyLength=256.*\)", text)
    assert "Hash=SHA2-256" in text
    assert "Group=14:modp2048" in text
    assert "Auth=PSK" in text


def test_ike_scan_without_an_acceptable_transform_gets_a_notify(scene):
    scene.adit(Tunnel(phase1=(Phase1("aes 256", "sha256", 14),)))
    probe = scene.kernel_gateway(SITE_B)
    text = probe.run(
        *("ike-scan", "--sport=0", "--retry=2", "--trans=(1=5,2=1,3=1,4=2)"), SITE_A.wan
    ).stdout
    assert "0 returned handshake; 1 returned notify" in text
    assert re.search("NO.PROPOSAL.CHOSEN", text)


@pytest.mark.parametrize("esp", [Esp("esp-gcm 256"), Esp("esp-aes esp-sha-hmac")], ids=str)
def test_tshark_decodes_and_decrypts_everything(scene, role, esp):
    adit, peer = scene.pair(Tunnel(esp=(esp,), pfs=19))
    wan = scene.capture(scene.gw_b)
    adit.cli(f"debug crypto isakmp keys {adit.keys_path}")
    scene.bring_up(adit, peer, role)
    assert ping(scene.host_a, SITE_B.host, count=5).lost == 0
    peer.swanctl("--terminate", "--ike", "peer", "--timeout", "5")
    wait_until(lambda: adit.established() == 0, 5, "our ISAKMP SA is gone")

    options = key_options(adit.keys_path)
    assert any("ikev1_decryption_table" in option for option in options)
    assert sum("esp_sa" in option for option in options) == 2
    assert wan.count("_ws.malformed", options) == 0
    assert wan.count("_ws.expert.severity == error", options) == 0
    # Main mode 5 and 6 show their identities, quick mode its three payload chains, then the deletes.
    identities = wan.fields("isakmp.id.data.ipv4_addr", "isakmp.id.data.ipv4_addr", options=options)
    assert {SITE_A.wan, SITE_B.wan} <= {value for row in identities for value in row[0].split(",")}
    assert wan.count("isakmp.exchangetype == 32 && isakmp.hash", options) == 3
    assert wan.count("isakmp.exchangetype == 5 && isakmp.delete.spi", options) >= 1
    # Each ping and each answer comes out of ESP.
    assert wan.count(f"esp && icmp.type == 8 && ip.dst == {SITE_B.host}", options) >= 5
    assert wan.count(f"esp && icmp.type == 0 && ip.dst == {SITE_A.host}", options) >= 5
    assert wan.cleartext() == []


def test_exported_keys_are_for_their_owner_only(scene):
    adit, peer = scene.pair(Tunnel())
    adit.cli(f"debug crypto isakmp keys {adit.keys_path}")
    scene.bring_up(adit, peer, "initiator")
    assert adit.keys_path.stat().st_mode & 0o077 == 0
    size = adit.keys_path.stat().st_size
    assert size > 0
    adit.cli("no debug crypto isakmp keys")
    adit.cli("clear crypto isakmp")
    adit.cli("clear crypto sa")
    wait_until(lambda: adit.established() == 0, 5, "our ISAKMP SA is gone")
    scene.bring_up(adit, peer, "initiator")
    assert adit.keys_path.stat().st_size == size


NATIVE = Tunnel(phase1=(Phase1("aes 256", "sha256", 14),), pfs=14)


def test_two_appliances_use_native_esp(scene):
    """Without a NAT between them ESP is IP protocol 50; nothing moves to port 4500."""
    left, right = scene.adit(NATIVE, SITE_A), scene.adit(NATIVE, SITE_B)
    # Site B's first network only: an appliance here has one lan address.
    wan = scene.capture(scene.gw_b)
    right_up = wait_until(
        lambda: ping(scene.host_a, SITE_B.host, count=1, wait=1).received, 10, "an answer from host-b"
    )
    assert right_up
    assert ping(scene.host_b, SITE_A.host, count=20).lost == 0
    assert ping(scene.host_a, SITE_B.host, count=20, size=2000).lost == 0
    sent, received = transfer(scene.host_a, scene.host_b, SITE_B.host, 10, scene.folder)
    assert sent == received
    assert (left.established(), right.established()) == (1, 1)
    assert (left.children(), right.children()) == (1, 1)
    assert wan.count("ip.proto == 50") >= 100
    assert wan.count("udp.port == 4500") == 0
    assert wan.cleartext() == []
