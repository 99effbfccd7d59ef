# SPDX-License-Identifier: Apache-2.0
"""Datagrams of every size through a tunnel, with DF and without, both ways: each arrives as it was, or its sender
is told what would."""

import json
import re
import sys
from pathlib import Path

import pytest
from lab.traffic import ping_until_answered
from lab.tunnel import SITE_A, SITE_B, Esp, Tunnel

TOOL = Path(__file__).parent / "lab" / "udp_sizes.py"
HEADERS = 28  # IP and UDP
LARGEST = 3000  # of a packet; from 1472 octets of payload on the host itself makes fragments
LINK = 1500
FORCE = "crypto ipsec nat-transparency udp-encapsulation force\n"


class Receiver:
    def __init__(self, scene, host, address, port):
        log = scene.folder / f"{host.label}.sizes{port}"
        log.unlink(missing_ok=True)  # the one before listened, too
        words = [sys.executable, str(TOOL), "receive", address, str(port)]
        self._process = host.start("sizes", words, log)
        scene.on_close(self._process.stop)
        self._process.wait_for_output("listening")

    def account(self) -> dict:
        self._process.stop()
        return json.loads(self._process.output().splitlines()[-1])


def send(host, target, port, first, last, how, per_second):
    words = [target, str(port), str(first), str(last), how, str(per_second)]
    return json.loads(host.run(sys.executable, str(TOOL), "send", *words, timeout=60).stdout)


def ways(scene):
    return (
        (scene.host_a, scene.host_b, SITE_B.host),
        (scene.host_b, scene.host_a, SITE_A.host),
    )


@pytest.mark.parametrize("esp", [Esp("esp-gcm 128"), Esp("esp-aes 256 esp-sha256-hmac")], ids=str)
@pytest.mark.parametrize("encapsulation", ["esp", "udp"])
def test_every_size(scene, esp, encapsulation):
    tunnel = Tunnel(esp=(esp,))
    left = scene.adit(tunnel, SITE_A, extra=FORCE if encapsulation == "udp" else "")
    scene.adit(tunnel, SITE_B)
    ping_until_answered(scene.host_a, SITE_B.host)
    text = left.cli("show crypto ipsec sa")
    assert ("UDP-Encaps" in text) == (encapsulation == "udp")
    mtu = int(re.search(r"plaintext mtu (\d+)", text)[1])
    fits = mtu - HEADERS
    for port, (sender, receiver, target) in enumerate(ways(scene), start=7501):
        sink = Receiver(scene, receiver, target, port)
        told = send(sender, target, port, 0, LARGEST - HEADERS, "free", 1500)
        account = sink.account()
        missing = set(range(LARGEST - HEADERS + 1)) - set(account["intact"])
        assert (missing, account["damaged"]) == (set(), 0), f"{told}: {sorted(missing)[:20]}"

        sink = Receiver(scene, receiver, target, port)
        small = send(sender, target, port, 0, fits, "df", 1500)
        # ICMP errors are limited to 200 a second.
        large = send(sender, target, port, fits + 1, LINK - HEADERS, "df", 100)
        account = sink.account()
        assert small == {"refused": [], "told": {}}
        assert sorted(account["intact"]) == list(range(fits + 1)) and account["damaged"] == 0
        assert large == {"refused": [], "told": {str(mtu): LINK - HEADERS - fits}}
