# SPDX-License-Identifier: Apache-2.0
"""Either process ends, by request or by force: nothing is left behind, the other one says so and goes on,
and after a restart traffic flows again."""

import signal
from pathlib import Path

import pytest
from lab.process import wait_until
from lab.traffic import ping, ping_until_answered
from lab.tunnel import SITE_A, SITE_B, Tunnel

SHARED_PLACES = [Path("/dev/shm"), Path("/run/dpdk"), Path("/tmp/dpdk"), Path("/run/adit")]


def shared_files() -> set[str]:
    return {
        str(path)
        for place in SHARED_PLACES
        if place.is_dir()
        for path in place.rglob("*")
        if not path.is_dir()
    }


@pytest.fixture
def no_shared_files_left():
    before = shared_files()
    yield
    assert shared_files() - before == set()


BY_SIGNAL = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda n: n.name)


@BY_SIGNAL
def test_control_ends_and_returns(scene, number, no_shared_files_left):
    adit, peer = scene.pair(Tunnel())
    scene.bring_up(adit, peer, "initiator")
    adit.control.signal(number)
    status = adit.control.wait()
    assert status == (0 if number == signal.SIGTERM else -number)
    if number == signal.SIGTERM:
        assert not adit.control_socket.exists()
    wait_until(lambda: "control" in adit.dataplane.output(), 3, "the dataplane names control in its log")
    assert adit.dataplane.alive

    adit.start_control()
    adit.wait_for("show interfaces", r"GigabitEthernet0/0 is up, line protocol is up")
    ping_until_answered(scene.host_a, SITE_B.host, timeout=15)
    assert ping(scene.host_a, SITE_B.host, count=5).lost == 0
    adit.stop()
    assert adit.leftovers() == []


@BY_SIGNAL
def test_dataplane_ends_and_returns(scene, number, no_shared_files_left):
    adit, peer = scene.pair(Tunnel())
    scene.bring_up(adit, peer, "initiator")
    adit.dataplane.signal(number)
    status = adit.dataplane.wait()
    assert status == (0 if number == signal.SIGTERM else -number)
    if number == signal.SIGTERM:
        assert not adit.dataplane_socket.exists()
    wait_until(lambda: "dataplane" in adit.log(), 3, "control names the dataplane in its log")
    adit.cli("show version")  # the CLI answers meanwhile
    assert adit.control.alive

    adit.start_dataplane()
    adit.wait_for("show interfaces", r"GigabitEthernet0/0 is up, line protocol is up", timeout=15)
    ping_until_answered(scene.host_a, SITE_B.host, timeout=15)
    assert ping(scene.host_a, SITE_B.host, count=5).lost == 0
    adit.stop()
    assert adit.leftovers() == []


def test_peer_killed_and_restarted(scene):
    """The peer comes back without memory; its new negotiation replaces what we held."""
    adit, peer = scene.pair(Tunnel())
    scene.bring_up(adit, peer, "initiator")
    peer.kill()
    peer.start()
    peer.initiate()
    assert ping(scene.host_b, SITE_A.host, count=5).lost == 0
    assert ping(scene.host_a, SITE_B.host, count=5).lost == 0


def test_dead_peer_is_noticed(scene):
    """RFC 3706: a silent peer is given up, its SAs removed, and the reason counted."""
    adit, peer = scene.pair(Tunnel(keepalive="10 2 periodic"))
    scene.bring_up(adit, peer, "initiator")
    peer.kill()
    adit.wait_for("show crypto isakmp failures", r"dead-peer +[1-9]", timeout=35)
    wait_until(lambda: adit.established() == 0 and adit.children() == 0, 5, "no SA of the dead peer")
