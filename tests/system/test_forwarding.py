# SPDX-License-Identifier: Apache-2.0
"""The appliance as a plain router, and the line between clear and protected."""

import re
import sys
from pathlib import Path

import pytest
from lab.process import wait_until
from lab.traffic import ping
from lab.tunnel import SITE_A, SITE_B, Tunnel, ios_config

INJECT = Path(__file__).parent / "lab" / "inject.py"


@pytest.fixture
def router(scene):
    """No crypto anywhere: the appliance between host-a and a kernel router."""
    scene.kernel_gateway(SITE_B)
    return scene.adit(None)


def drops(adit) -> dict[str, int]:
    """The dataplane's named drop counters."""
    rows = re.findall(r"^ *([a-z][a-z0-9-]+) +(\d+)\b", adit.cli("show dataplane drops"), re.MULTILINE)
    return {name: int(count) for name, count in rows if int(count)}


def test_forwards_in_the_clear(scene, router):
    assert ping(scene.host_a, SITE_B.host, count=1).received == 1  # both first packets waited for ARP
    for size in (64, 1500, 2000):
        assert ping(scene.host_a, SITE_B.host, count=20, size=size).lost == 0
    assert ping(scene.host_b, SITE_A.host, count=20).lost == 0


def test_answers_echo_to_its_own_addresses(scene, router):
    assert ping(scene.host_a, "10.1.0.1", count=5).lost == 0
    assert ping(scene.gw_b, SITE_A.wan, count=5).lost == 0


def test_says_time_exceeded(scene, router):
    text = ping(scene.host_a, SITE_B.host, count=1, options=("-t", "1")).text
    assert re.search(r"From 10\.1\.0\.1 .*Time to live exceeded", text), text


def test_says_fragmentation_needed(scene):
    scene.kernel_gateway(SITE_B)
    config = ios_config(SITE_A, SITE_B, None)
    address = f" ip address {SITE_A.wan} 255.255.255.0\n"
    scene.adit(None, config=config.replace(address, address + " ip mtu 1400\n"))
    text = ping(scene.host_a, SITE_B.host, count=1, size=1500, options=("-M", "do")).text
    assert re.search(r"From 10\.1\.0\.1 .*[Ff]rag needed and DF set \(mtu = 1400\)", text), text
    # Without DF it is cut into pieces.
    assert ping(scene.host_a, SITE_B.host, count=5, size=1500).lost == 0


def test_says_unreachable_where_there_is_no_route(scene, router):
    text = ping(scene.host_a, "203.0.113.1", count=1).text
    assert re.search(r"From 10\.1\.0\.1 .*Destination (Net|Host) Unreachable", text), text


def test_null0_ends_what_a_shorter_route_would_take(scene, router):
    """The summary of a network goes nowhere; what is more specific, and everything else, goes its way."""
    router.configure("no ip route 10.2.0.0 255.255.0.0", f"ip route 0.0.0.0 0.0.0.0 {SITE_B.wan}")
    assert ping(scene.host_a, SITE_B.host, count=3).lost == 0
    router.configure("ip route 10.0.0.0 255.0.0.0 Null0", f"ip route 10.3.0.0 255.255.0.0 {SITE_B.wan}")
    router.wait_for("show ip route", r"^S +10\.0\.0\.0/8 is directly connected, Null0$")
    text = ping(scene.host_a, SITE_B.host, count=1).text
    assert re.search(r"From 10\.1\.0\.1 .*Destination Net Unreachable", text), text
    assert ping(scene.host_a, "10.3.0.10", count=3).lost == 0
    router.configure("no ip route 10.0.0.0 255.0.0.0 Null0")
    assert ping(scene.host_a, SITE_B.host, count=3).lost == 0


def test_its_kernel_says_nothing(scene, router):
    """The ports belong to DPDK: no address, no answer and no packet of the kernel's own."""
    wan = scene.capture(scene.gw_b)
    assert ping(scene.host_a, SITE_B.host, count=3).lost == 0
    assert wan.count("ipv6") == 0
    assert wan.count(f"icmp.type == 5 || (tcp && ip.src == {SITE_A.wan})") == 0


def inject(namespace, *words: str) -> None:
    namespace.run(sys.executable, str(INJECT), *words)


def test_clear_text_that_should_be_protected_is_dropped(scene):
    """What a policy names must arrive in ESP: a spoofed packet does not get in."""
    scene.kernel_gateway(SITE_B)
    adit = scene.adit(Tunnel())
    assert ping(scene.gw_b, SITE_A.wan, count=1).received == 1  # the kernel learns our MAC
    lan = scene.capture(scene.host_a, "eth0")
    inject(scene.gw_b, "spoof", "wan", SITE_A.wan, "10.2.0.10", SITE_A.host, "20")
    wait_until(lambda: drops(adit).get("policy-cleartext", 0) == 20, 5, "20 drops as policy-cleartext")
    assert lan.count("ip.src == 10.2.0.10") == 0


def test_replayed_esp_is_dropped(scene):
    """Packets taken from the wire and sent again are counted and go nowhere."""
    adit, peer = scene.pair(Tunnel())
    scene.bring_up(adit, peer, "initiator")
    wan = scene.capture(scene.gw_b)
    assert ping(scene.host_b, SITE_A.host, count=10).lost == 0
    lan = scene.capture(scene.host_a, "eth0")
    recorded = wan.stop().file
    inject(scene.gw_b, "replay", "wan", str(recorded), SITE_B.wan)
    wait_until(lambda: drops(adit).get("esp-replay", 0) >= 10, 5, "10 drops as esp-replay")
    assert lan.count("icmp") == 0
    assert ping(scene.host_b, SITE_A.host, count=3).lost == 0
