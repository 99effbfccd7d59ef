# SPDX-License-Identifier: Apache-2.0
"""Either process stands still for ten seconds: the other says so within one, and all goes on afterwards."""

import re
import signal
import time

import pytest
from lab.meter import Meter, expect_all
from lab.process import wait_until
from lab.traffic import ping_until_answered
from lab.tunnel import SITE_A, SITE_B, Tunnel

STALL = 10


def says(process, pattern, timeout):
    """What a log line says, and how long it took to appear."""
    started = time.monotonic()
    match = wait_until(lambda: re.search(pattern, process.output()), timeout, f"{process.name}: {pattern}")
    return match, time.monotonic() - started


@pytest.fixture
def running(scene):
    adit, peer = scene.pair(Tunnel(keepalive="10 2 periodic"))
    scene.bring_up(adit, peer, "initiator")
    meter = Meter(scene.host_a, SITE_A.host, scene.host_b, SITE_B.host, scene.folder)
    scene.on_close(meter.stop)
    meter.wait_for(100, 5)
    return adit, peer, meter


def test_control_stands_still(running):
    """Packets do not notice. The peer asks for life in vain for a while, but not long enough."""
    adit, peer, meter = running
    adit.control.signal(signal.SIGSTOP)
    _, took = says(adit.dataplane, r"SYS-4-CONTROL_STALLED: .*forwarding continues", 3)
    assert took < 1.2, f"{took:.2f} s"
    time.sleep(STALL - took)
    adit.control.signal(signal.SIGCONT)
    match, _ = says(adit.dataplane, r"SYS-5-CONTROL_RESUMED: .* goes on after ([\d.]+) s", 2)
    assert STALL - 1 <= float(match[1]) <= STALL + 1
    assert adit.established() == 1
    meter.wait_for(200, 5)
    expect_all(meter)
    assert peer.children() == adit.children() == 1
    assert "STALLED" not in adit.log()


def test_dataplane_stands_still(scene, running):
    """Nothing passes meanwhile; control answers its operator, and the same SAs carry on."""
    adit, peer, meter = running
    spis = re.findall(r"spi: (0x[0-9A-F]+)", adit.cli("show crypto ipsec sa"))
    adit.dataplane.signal(signal.SIGSTOP)
    stopped = time.monotonic()
    _, took = says(adit.control, r"SYS-3-DATAPLANE_STALLED: worker 0 of adit-dataplane", 3)
    assert took < 1.2, f"{took:.2f} s"
    for number in range(100):  # each waits its turn, none is lost
        adit.configure(f"ip route 10.9.{number}.0 255.255.255.0 {SITE_B.wan}")
    adit.cli("show crypto isakmp sa")
    time.sleep(max(0, STALL - (time.monotonic() - stopped)))
    adit.dataplane.signal(signal.SIGCONT)
    says(adit.control, r"SYS-5-DATAPLANE_RESUMED: worker 0 .* goes on after", 2)
    meter.wait_for(200, 5)
    there, back = meter.finish()
    assert there.duplicated == back.duplicated == 0
    assert re.findall(r"spi: (0x[0-9A-F]+)", adit.cli("show crypto ipsec sa")) == spis
    assert "10.9.99.0" in adit.cli("show ip route")
    ping_until_answered(scene.host_a, SITE_B.host)
    assert peer.children() == adit.children() == 1
    assert "PROVISION_REFUSED" not in adit.log()
