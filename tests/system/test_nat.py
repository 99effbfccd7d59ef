# SPDX-License-Identifier: Apache-2.0
"""Several peers behind one address: each has its own SAs, its own address or network, and its own end."""

import pytest
from lab.branches import Branch, hub, swanctl
from lab.clients import POOL, USERS, Vpnc, gateway_config, strongswan_client
from lab.process import wait_until
from lab.strongswan import Strongswan
from lab.traffic import ping, ping_until_answered
from lab.tunnel import SECRET, SITE_A

FIRST, SECOND = POOL[0], "10.9.0.2"


def start_vpnc(scene, machine, user) -> Vpnc:
    folder = scene.folder / machine.label
    folder.mkdir()
    peer = Vpnc(machine, folder, user, USERS[user], "IKE DH Group dh14\nNAT Traversal Mode natt\n")
    scene.on_close(peer.stop)
    peer.start()
    return peer


def start_strongswan(scene, machine, config) -> Strongswan:
    peer = Strongswan(machine, scene.folder, config)
    scene.on_close(peer.stop)
    peer.start()
    return peer


def address_in(machine) -> str:
    return machine.run("ip", "-4", "address", "show", "scope", "global").stdout


def reaches(machine) -> bool:
    return ping(machine, SITE_A.host, count=5).lost == 0


# Whose devices they are: two people's, or two of one.
@pytest.mark.parametrize("users", [("ann", "bob"), ("ann", "ann")], ids="-".join)
def test_vpnc_clients(scene, users):
    adit = scene.adit(None, config=gateway_config())
    machines = [scene.behind_nat("laptop"), scene.behind_nat("tablet")]
    clients = [start_vpnc(scene, machine, user) for machine, user in zip(machines, users)]
    given = [client.told()["INTERNAL_IP4_ADDRESS"] for client in clients]
    assert sorted(given) == [FIRST, SECOND]
    for machine in machines:
        ping_until_answered(machine, SITE_A.host)
    assert all(reaches(machine) for machine in machines)
    assert (adit.established(), adit.children()) == (2, 2)

    clients[0].stop()
    wait_until(lambda: adit.children() == 1, 10, "the other's SA pair alone")
    assert adit.established() == 1
    assert reaches(machines[1])
    assert f"Assigned address: {given[1]}" in adit.cli("show crypto session detail")


def test_strongswan_clients(scene):
    adit = scene.adit(None, config=gateway_config())
    machines = {user: scene.behind_nat(user) for user in USERS}
    clients = {}
    for number, (user, machine) in enumerate(machines.items(), start=1):
        config = strongswan_client(user, USERS[user], address=f"172.16.{number}.2")
        clients[user] = start_strongswan(scene, machine, config)
    for client in clients.values():
        client.initiate()
    assert all(reaches(machine) for machine in machines.values())
    assert (adit.established(), adit.children()) == (2, 2)
    assert FIRST in address_in(machines["ann"]) and SECOND in address_in(machines["bob"])

    clients["ann"].swanctl("--terminate", "--ike", "gateway")
    wait_until(lambda: adit.children() == 1, 10, "the other's SA pair alone")
    assert adit.established() == 1
    assert reaches(machines["bob"])
    clients["ann"].initiate()
    assert all(reaches(machine) for machine in machines.values())


BY_NAME = "\n".join(
    f"crypto isakmp key {SECRET} hostname {name}.example.net" for name in ("west", "east")
)


@pytest.mark.parametrize(
    ("names", "mode", "keys"),
    [
        (("", ""), "", {}),
        (("west.example.net", "east.example.net"), "", {}),
        (("west.example.net", "east.example.net"), "aggressive = yes", {"keys": BY_NAME}),
    ],
    ids=["main-addresses", "main-names", "aggressive-names"],
)
def test_branches(scene, names, mode, keys):
    adit = scene.adit(None, config=hub(**keys))
    west = Branch("west", "172.16.1.2", "10.2.0.0/16", names[0], options=mode)
    east = Branch("east", "172.16.2.2", "10.3.0.0/16", names[1], options=mode)
    hosts = {west: "10.2.0.77", east: "10.3.0.77"}
    machines = {branch: scene.behind_nat(branch.name) for branch in hosts}
    peers = {}
    for branch, machine in machines.items():
        machine.address("lo", f"{hosts[branch]}/32")
        peers[branch] = start_strongswan(scene, machine, swanctl(branch))

    def reached(branch) -> bool:
        there = ping(scene.host_a, hosts[branch], count=5)
        back = ping(machines[branch], SITE_A.host, count=5, options=("-I", hosts[branch]))
        return there.lost == back.lost == 0

    for branch, peer in peers.items():
        peer.initiate(branch.name)
    assert reached(west) and reached(east)
    assert (adit.established(), adit.children()) == (2, 2)

    peers[west].swanctl("--terminate", "--ike", "west")
    wait_until(lambda: adit.children() == 1, 10, "the other's SA pair alone")
    assert adit.established() == 1
    assert reached(east)
    peers[west].initiate("west")
    assert reached(west) and reached(east)
