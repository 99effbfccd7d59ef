# SPDX-License-Identifier: Apache-2.0
"""Control is killed under traffic, and the next one goes on where it stopped: ESP does not notice, counters and
ISAKMP SAs stay, the peer is answered and rekeyed as if nothing had been."""

import random
import re
import signal
import threading
import time

from lab.meter import Meter, expect_all
from lab.process import wait_until
from lab.traffic import ping, ping_until_answered
from lab.tunnel import SITE_A, SITE_B, Tunnel


def crash(adit) -> None:
    adit.kill_control()
    adit.start_control()


def test_a_killed_control_goes_on(scene):
    adit, peer = scene.pair(Tunnel(keepalive="10 2 periodic"))
    scene.bring_up(adit, peer, "initiator")
    ping(scene.host_a, SITE_B.host, count=10)
    before = (adit.inbound_spis(), adit.counters("encaps"), adit.counters("decaps"))
    conn_id = re.search(r"QM_IDLE +(\d+)", adit.cli("show crypto isakmp sa"))[1]
    crash(adit)
    adit.wait_for_log(r"RESUMED: 1 ISAKMP SA\(s\) and 1 pair\(s\) of IPsec SAs taken over")
    assert "changed state" not in adit.log().split("RESUMED")[1]
    assert (adit.inbound_spis(), adit.counters("encaps"), adit.counters("decaps")) == before
    assert re.search(rf"QM_IDLE +{conn_id} ACTIVE", adit.cli("show crypto isakmp sa"))
    assert peer.established() == 1 and peer.children() == 1
    # Everything that needs the keys of the ISAKMP SA still works, in both directions.
    peer.swanctl("--rekey", "--child", "net0")
    wait_until(lambda: peer.children() == 1 and adit.inbound_spis() != before[0], 40, "the peer's rekey")
    assert ping(scene.host_a, SITE_B.host, count=5).lost == 0
    adit.cli("clear crypto sa")
    wait_until(lambda: peer.children() == 0, 5, "our delete")


class Rekeys(threading.Thread):
    """The peer rekeys on and on, until finish()."""

    EVERY_SECONDS = 0.5

    def __init__(self, peer):
        super().__init__()
        self.peer, self.count = peer, 0
        self.done = threading.Event()
        self.start()

    def run(self) -> None:
        while not self.done.wait(self.EVERY_SECONDS):
            self.peer.swanctl("--rekey", "--child", "net0", check=False)
            self.count += 1

    def finish(self) -> None:
        self.done.set()
        self.join()


def test_killed_again_and_again_while_the_peer_rekeys(scene):
    """Fifty times at random moments, many of them within a quick mode: every datagram arrives."""
    kills, draw = 50, random.Random(20261)
    # strongSwan reads an answer only while it knows the IV, and keeps the IVs of three exchanges: too few
    # for rekeys as fast as these, when an answer comes with a retransmission.
    peer = scene.strongswan(Tunnel(), options="max_ikev1_exchanges = 200")
    adit = scene.adit(Tunnel())
    scene.bring_up(adit, peer, "initiator")
    before = adit.counters("encaps"), adit.counters("decaps")
    with Meter(scene.host_a, SITE_A.host, scene.host_b, SITE_B.host, scene.folder, per_second=400) as meter:
        rekeys = Rekeys(peer)
        try:
            for _ in range(kills):
                time.sleep(draw.uniform(0, 0.9))
                crash(adit)
        finally:
            rekeys.finish()
        there, back = expect_all(meter)
    print(f"{kills} kills, {rekeys.count} rekeys; there: {there}; back: {back}")
    assert adit.counters("encaps") - before[0] == there.sent
    assert adit.counters("decaps") - before[1] == back.sent


def test_what_was_configured_and_not_saved_runs_on(scene):
    adit, peer = scene.pair(Tunnel())
    scene.bring_up(adit, peer, "initiator")
    adit.configure("hostname changed-since", "ip route 10.9.0.0 255.255.0.0 192.0.2.20")
    crash(adit)
    running = adit.cli("show running-config")
    assert "hostname changed-since" in running and "ip route 10.9.0.0" in running
    assert ping(scene.host_a, SITE_B.host, count=3).lost == 0
    # The administrator's hand on the file counts more; what did not change does not flap.
    adit.config_path.write_text(adit.config_path.read_text().replace("hostname gw-a", "hostname by-hand"))
    before = adit.inbound_spis()
    crash(adit)
    assert "hostname by-hand" in adit.cli("show running-config")
    assert adit.inbound_spis() == before


def test_a_clean_stop_leaves_nothing_to_go_on_from(scene):
    adit, peer = scene.pair(Tunnel())
    scene.bring_up(adit, peer, "initiator")
    adit.configure("hostname changed-since")
    assert adit.control.stop() == 0
    wait_until(lambda: peer.children() == 0 and peer.established() == 0, 5, "our deletes")
    adit.start_control()
    assert "hostname gw-a" in adit.cli("show running-config")
    assert adit.established() == 0 and adit.children() == 0


def test_a_killed_dataplane_gets_new_keys(scene):
    """Nothing of the old SAs comes again on the wire: no SPI with a sequence number, so no key with an IV."""
    adit, peer = scene.pair(Tunnel())
    scene.bring_up(adit, peer, "initiator")
    capture = scene.capture(scene.gw_b)
    kills, waits = 5, []
    for _ in range(kills):
        ping(scene.host_a, SITE_B.host, count=20, interval=0.01)
        adit.dataplane.signal(signal.SIGKILL)
        adit.dataplane.wait()
        adit.start_dataplane()
        started = time.monotonic()
        ping_until_answered(scene.host_a, SITE_B.host, timeout=15)
        waits.append(time.monotonic() - started)
    print("seconds from the socket of a new dataplane to traffic:", *(f"{wait:.2f}" for wait in waits))
    rows = capture.fields(f"esp && ip.src == {SITE_A.wan}", "esp.spi", "esp.sequence")
    assert len({spi for spi, _ in rows}) > kills
    assert len(rows) > 20 * kills
    assert len({tuple(row) for row in rows}) == len(rows)
