# SPDX-License-Identifier: Apache-2.0
"""The appliance under attack on its IKE ports: it neither stops, nor grows, nor amplifies, and those
who have business with it are served meanwhile. See lab/assault.py for what is sent."""

import signal
import sys
from collections import Counter
from pathlib import Path

from lab import assault
from lab.traffic import ping
from lab.tunnel import SITE_A, SITE_B, Tunnel

ASSAULT = str(Path(assault.__file__))

# Whoever comes may try: every first message makes a half-open entry.
ANYBODY = "crypto isakmp key for-anybody address 0.0.0.0 0.0.0.0\n"
# A client of another network than the attackers', by way of the far gateway.
CLIENT = "203.0.113.5"
CLIENT_ROUTE = f"ip route 203.0.113.0 255.255.255.0 {SITE_B.wan}\n"

ATTACKERS = [f"192.0.2.{number}" for number in range(100, 110)]
MALFORMED = 20_000
MALFORMED_PER_SECOND = 1_500
GROWTH_LIMIT_KIB = 8 * 1024
PROBES = 15


def resident_kib(process) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def hardware_address(gateway, address: str) -> str:
    """Of the appliance, as its neighbour learned it."""
    gateway.run("ping", "-c1", "-W2", address, check=False)
    fields = gateway.run("ip", "neighbour", "show", address, "dev", "wan").stdout.split()
    return fields[fields.index("lladdr") + 1]


def start_assault(scene, name: str, *words):
    """Runs one of lab/assault.py's programs at the far end of the wan."""
    return scene.gw_b.start(
        name, [sys.executable, ASSAULT, name, *map(str, words)], scene.folder / f"{name}.out"
    )


def octets_by_source(capture) -> tuple[Counter, Counter]:
    """UDP octets to the appliance by who sent them, and from it by who gets them."""
    rows = capture.fields("udp && ip", "ip.src", "ip.dst", "udp.length")
    asked, answered = Counter(), Counter()
    for source, target, length in rows:
        if target == SITE_A.wan:
            asked[source] += int(length)
        elif source == SITE_A.wan:
            answered[target] += int(length)
    return asked, answered


def test_malformed_datagrams_beside_a_live_tunnel(scene):
    """Real messages, damaged in all ways, from ten neighbours and in the peer's own name."""
    peer = scene.strongswan(Tunnel())
    scene.gw_b.address("wan", *(f"{attacker}/24" for attacker in ATTACKERS))
    scene.gw_b.address("lo", f"{CLIENT}/32")
    adit = scene.adit(Tunnel(), extra=ANYBODY + CLIENT_ROUTE)
    recording = scene.capture(scene.gw_b)
    scene.bring_up(adit, peer, "responder")
    recorded = recording.stop().file.rename(scene.folder / "recorded.pcap")
    mac = hardware_address(scene.gw_b, SITE_A.wan)
    control, before = adit.control.pid, resident_kib(adit.control)

    wan = scene.capture(scene.gw_b)
    traffic = scene.host_a.start(
        "ping", ["ping", "-n", "-i", "0.1", SITE_B.host], scene.folder / "ping.out"
    )
    client = start_assault(scene, "probe", CLIENT, SITE_A.wan, PROBES)
    attack = start_assault(
        *(scene, "malformed", "wan", mac, recorded, SITE_A.wan, MALFORMED_PER_SECOND, MALFORMED, 1)
    )
    attack.wait(timeout=120)
    client.wait(timeout=60)
    traffic.signal(signal.SIGINT)
    traffic.wait()

    assert attack.output().splitlines()[0] == str(MALFORMED)
    assert adit.control.alive and adit.control.pid == control
    assert resident_kib(adit.control) - before <= GROWTH_LIMIT_KIB
    assert (adit.established(), peer.established()) == (1, 1)
    assert ping(scene.host_a, SITE_B.host, count=10).lost == 0
    assert " 0% packet loss" in traffic.output()
    answers = client.output().split()
    assert len(answers) == PROBES and "none" not in answers
    asked, answered = octets_by_source(wan)
    assert all(asked[attacker] > 0 for attacker in ATTACKERS)
    assert {who: answered[who] for who in ATTACKERS if answered[who] > asked[who]} == {}


def test_aggressive_scan_of_a_box_without_aggressive_mode(scene):
    """At most one small answer: nothing to crack, nothing to amplify with."""
    scene.adit(Tunnel())
    scanner = scene.kernel_gateway(SITE_B)
    wan = scene.capture(scene.gw_b)
    text = scanner.run(
        *("ike-scan", "--sport=0", "--retry=1", "--aggressive", "--id=vpn", "--dhgroup=14"),
        *("--trans=(1=7,14=256,2=4,3=1,4=14)", SITE_A.wan),
        check=False,
    ).stdout
    assert "0 returned handshake" in text
    asked, answered = octets_by_source(wan)
    assert asked[SITE_B.wan] > 0
    assert answered[SITE_B.wan] <= asked[SITE_B.wan]
    assert wan.count(f"isakmp && ip.src == {SITE_A.wan}") <= 1
