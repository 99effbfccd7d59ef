# SPDX-License-Identifier: Apache-2.0
"""Clients that log in and are given an address, behind an appliance."""

import re
import signal

import pytest
from lab.clients import POOL, USERS, Vpnc, gateway_config, gateway_in_profile_form, strongswan_client
from lab.process import wait_until
from lab.strongswan import Strongswan
from lab.traffic import ping, ping_until_answered
from lab.tunnel import SITE_A, SITE_B, WAN_LENGTH


@pytest.fixture
def client(scene):
    """Starts strongSwan as a client on the wan side."""

    def start(user: str, password: str, options: str = "") -> Strongswan:
        scene.gw_b.address("wan", f"{SITE_B.wan}/{WAN_LENGTH}")
        peer = Strongswan(scene.gw_b, scene.folder, strongswan_client(user, password, options))
        scene.on_close(peer.stop)
        peer.start()
        return peer

    return start


def in_use(adit) -> int:
    row = re.search(r"^ CLIENTS +\S+ +\S+ +\d+ +(\d+)", adit.cli("show ip local pool"), re.MULTILINE)
    return int(row[1])


def test_strongswan_logs_in_and_gets_an_address(scene, client):
    adit = scene.adit(None, config=gateway_config())
    wan = scene.capture(scene.gw_b)
    peer = client("ann", USERS["ann"])
    peer.initiate()
    assert f"installing new virtual IP {POOL[0]}" in peer.log()
    assert ping(scene.gw_b, SITE_A.host).lost == 0
    assert wan.cleartext() == []
    session = adit.cli("show crypto session detail")
    assert "Username: ann" in session
    assert "Group: default" in session
    assert f"Assigned address: {POOL[0]}" in session
    assert re.search(r"Capabilities:C?D?NX? ?", session)
    assert in_use(adit) == 1
    assert "Authentication PASSED  User=ann" in adit.log()
    peer.swanctl("--terminate", "--ike", "gateway")
    wait_until(lambda: in_use(adit) == 0, 5, "the address is free again")
    assert adit.established() == 0
    peer.initiate()
    assert peer.log().count(f"installing new virtual IP {POOL[0]}") == 2


def test_client_proves_itself_again_and_again(scene, client):
    """A client replaces its ISAKMP SA by a whole new one and lets the old one run out: both sides
    have two of them meanwhile, and the child, the address and the traffic go on under the new one."""
    adit = scene.adit(None, config=gateway_config())
    peer = client("ann", USERS["ann"], "rekey_time = 3s\nover_time = 2s\nrand_time = 0s")
    peer.initiate()
    traffic = scene.gw_b.start(
        "ping", ["ping", "-n", "-i", "0.1", SITE_A.host], scene.folder / "ping.out"
    )
    seen = set()

    def third_stands_alone() -> bool:
        seen.add((adit.established(), adit.children(), in_use(adit)))
        return "IKE_SA gateway[3] established" in peer.log() and adit.established() == 1

    wait_until(third_stands_alone, 20, "two replacements, and the old SAs are gone", step=0.3)
    traffic.signal(signal.SIGINT)
    traffic.wait()
    assert " 0% packet loss" in traffic.output()
    assert seen == {(1, 1, 1), (2, 1, 1)}
    assert peer.children() == 1
    peer.swanctl("--terminate", "--ike", "gateway")
    wait_until(lambda: in_use(adit) == 0, 5, "the address is free again")
    assert (adit.established(), adit.children()) == (0, 0)


def test_strongswan_with_a_wrong_password(scene, client):
    adit = scene.adit(None, config=gateway_config())
    peer = client("ann", "guess")
    peer.initiate(check=False)
    wait_until(lambda: adit.failures().get("login-failed", 0) >= 1, 15, "the login fails")
    wait_until(lambda: adit.isakmp_states() == [], 15, "the SA is gone")
    assert peer.children() == 0
    assert in_use(adit) == 0
    assert "Authentication FAILED  User=ann" in adit.log()
    assert "guess" not in adit.log()


@pytest.fixture
def vpnc(scene):
    """Starts vpnc on the wan side."""

    def start(user: str, password: str, options: str = "") -> Vpnc:
        scene.gw_b.address("wan", f"{SITE_B.wan}/{WAN_LENGTH}")
        peer = Vpnc(scene.gw_b, scene.folder, user, password, options)
        scene.on_close(peer.stop)
        peer.start()
        return peer

    return start


@pytest.mark.parametrize("group", ["dh2", "dh14"])
@pytest.mark.parametrize("nat", ["none", "natt", "force-natt"])
def test_vpnc_gets_an_address_and_passes_traffic(scene, vpnc, group, nat):
    adit = scene.adit(None, config=gateway_config())
    wan = scene.capture(scene.gw_b)
    peer = vpnc("ann", USERS["ann"], f"IKE DH Group {group}\nNAT Traversal Mode {nat}\n")
    told = peer.told()
    assert told["INTERNAL_IP4_ADDRESS"] == POOL[0]
    assert told["INTERNAL_IP4_DNS"] == "10.1.0.53"
    assert told["CISCO_DEF_DOMAIN"] == "example.com"
    assert told["CISCO_BANNER"] == "Welcome"
    ping_until_answered(scene.gw_b, SITE_A.host)
    assert ping(scene.gw_b, SITE_A.host).lost == 0
    assert wan.cleartext() == []
    session = adit.cli("show crypto session detail")
    assert "Username: ann" in session
    assert "Group: staff" in session
    assert f"Assigned address: {POOL[0]}" in session
    peer.stop()
    wait_until(lambda: in_use(adit) == 0, 10, "the address is free again")
    assert adit.established() == 0


def test_clients_of_a_profile(scene, vpnc):
    adit = scene.adit(None, config=gateway_in_profile_form())
    peer = vpnc("ann", USERS["ann"], "IKE DH Group dh14\n")
    assert peer.told()["INTERNAL_IP4_ADDRESS"] == POOL[0]
    ping_until_answered(scene.gw_b, SITE_A.host)
    assert "Username: ann" in adit.cli("show crypto session detail")


def test_strongswan_is_none_of_the_profiles_clients(scene, client):
    """It calls itself by its address: no profile matches, so nobody gives it anything."""
    adit = scene.adit(None, config=gateway_in_profile_form())
    peer = client("ann", USERS["ann"])
    peer.initiate(check=False)
    assert peer.children() == 0
    assert in_use(adit) == 0


def test_vpnc_with_a_wrong_password(scene, vpnc):
    adit = scene.adit(None, config=gateway_config())
    peer = vpnc("ann", "guess", "IKE DH Group dh2\n")
    wait_until(lambda: adit.failures().get("login-failed", 0) >= 1, 15, "the login fails")
    wait_until(peer.ended, 15, "vpnc gives up")
    assert in_use(adit) == 0
    assert adit.children() == 0


def test_a_killed_control_keeps_its_clients(scene, client):
    """User, address and tunnel outlive the process: nobody logs in again, nobody is lent the address."""
    adit = scene.adit(None, config=gateway_config())
    peer = client("ann", USERS["ann"])
    peer.initiate()
    before = adit.inbound_spis()
    adit.kill_control()
    assert ping(scene.gw_b, SITE_A.host).lost == 0
    adit.start_control()
    adit.wait_for_log("RESUMED: 1 ISAKMP")
    assert adit.inbound_spis() == before and in_use(adit) == 1
    session = adit.cli("show crypto session detail")
    assert "Username: ann" in session and f"Assigned address: {POOL[0]}" in session
    assert ping(scene.gw_b, SITE_A.host).lost == 0
    assert "gateway[2]" not in peer.log()
    peer.swanctl("--terminate", "--ike", "gateway")
    wait_until(lambda: in_use(adit) == 0 and adit.established() == 0, 5, "address and SAs are free again")
