# SPDX-License-Identifier: Apache-2.0
"""A hundred tunnels over a wire that loses IKE datagrams: half of them begun by the appliance."""

import time

import pytest
from lab.branches import hub_of, many, swanctl
from lab.process import wait_until
from lab.traffic import ping_until_answered
from lab.tunnel import SITE_B

PEERS = many(100)
THEIRS, OURS = PEERS[::2], PEERS[1::2]  # by who begins

# As often as the appliance repeats itself, so that the wire is what is tried, not strongSwan's patience; nor
# how many half-open exchanges it grants one address, which to strongSwan all hundred are from.
PATIENCE = """retransmit_tries = 18
  retransmit_timeout = 1.0
  retransmit_base = 1.1
  cookie_threshold_ip = 200
  block_threshold = 200"""

# A ping a second from each host, until told to stop.
PINGS = (
    "trap 'trap - TERM; kill 0' TERM; target=$1; shift; "
    'for host in "$@"; do ping -n -q -i 1 -I $host $target & done; wait'
)


def start_pings(scene, hosts):
    words = ["sh", "-c", PINGS, "sh", SITE_B.host, *hosts]
    pings = scene.host_a.start("pings", words, scene.folder / "ping.out")
    scene.on_close(pings.stop)
    return pings


@pytest.mark.parametrize(("per_cent", "limit"), [(10, 30), (30, 60)])
def test_a_hundred_tunnels(scene, per_cent, limit):
    relay = scene.lose(per_cent, seed=per_cent)
    charon = scene.strongswan(None, config=swanctl(*PEERS), options=PATIENCE)
    scene.gw_b.address("wan", *(f"{peer.wan}/24" for peer in PEERS[1:]))
    scene.host_a.address("eth0", *(f"{peer.near_host}/16" for peer in PEERS[1:]))
    adit = scene.adit(None, config=hub_of(PEERS))

    start = time.monotonic()
    pings = start_pings(scene, [peer.near_host for peer in OURS])
    for peer in THEIRS:
        charon.swanctl("--initiate", "--child", peer.name, "--timeout", "-1", check=False)

    def all_up() -> bool:
        return adit.children("outbound") == charon.children() == len(PEERS)

    wait_until(all_up, limit, "all tunnels", step=0.2)
    took = time.monotonic() - start
    pings.stop()
    for peer in PEERS:
        ping_until_answered(scene.host_a, SITE_B.host, timeout=2, source=peer.near_host)
    relay.stop()  # and says what it lost
    lost = "; ".join(relay.output().splitlines()[1:])
    print(f"{len(PEERS)} tunnels in {took:.1f} s at {per_cent} %: {lost}")
