# SPDX-License-Identifier: Apache-2.0
"""Who has which address, and what a gateway is told of its peers, as IOS text and as swanctl text.

     gateway                          peers (one process, rate-peers)
    192.0.2.1 ==== 192.0.2.2, and behind it 100.64.0.1 + i, which protects 198.18.0.1 + i
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

GATEWAY = "192.0.2.1"
ROUTER = "192.0.2.2"
LENGTH = 24
PEERS = "100.64.0.0"
INNER = "198.18.0.0"
NETWORK = "10.1.0.0"  # behind the gateway; a /16, as the two above
OWN_INNER = "10.1.0.1/16"
MAX_PEERS = 60_000
KEY = "one-key-for-a-benchmark"
# Nothing is renewed while a trial runs.
LIFETIME_SECONDS = 86_400


@dataclass(frozen=True)
class Group:
    name: str  # as strongSwan and dh-limit call it
    number: int


GROUPS = {group.name: group for group in (Group("modp2048", 14), Group("ecp256", 19))}


def outer(peer: int) -> IPv4Address:
    return IPv4Address(PEERS) + 1 + peer


def inner(peer: int) -> IPv4Address:
    return IPv4Address(INNER) + 1 + peer


def ios_config(group: Group, peers: int) -> str:
    """Without peers: one dynamic crypto map for whoever comes. Else a crypto map entry, a key and a list for each."""
    return f"""\
hostname rate
crypto isakmp policy 10
 encryption aes
 hash sha256
 authentication pre-share
 group {group.number}
crypto ipsec transform-set RATE esp-aes esp-sha256-hmac
 mode tunnel
crypto ipsec security-association lifetime seconds {LIFETIME_SECONDS}
{"".join(map(_ios_peer, range(peers))) if peers else IOS_ANYBODY}\
interface GigabitEthernet0/0
 ip address {GATEWAY} 255.255.255.0
 crypto map RATE
ip route {PEERS} 255.255.0.0 {ROUTER}
ip route {INNER} 255.255.0.0 {ROUTER}
"""


IOS_ANYBODY = f"""\
crypto isakmp key {KEY} address 0.0.0.0 0.0.0.0
ip access-list extended ANYBODY
 permit ip {NETWORK} 0.0.255.255 {INNER} 0.0.255.255
crypto dynamic-map ANYBODY 10
 set transform-set RATE
 match address ANYBODY
crypto map RATE 65535 ipsec-isakmp dynamic ANYBODY
"""


def _ios_peer(peer: int) -> str:
    number = peer + 1
    return f"""\
crypto isakmp key {KEY} address {outer(peer)}
ip access-list extended PEER-{number}
 permit ip {NETWORK} 0.0.255.255 host {inner(peer)}
crypto map RATE {number} ipsec-isakmp
 set peer {outer(peer)}
 set transform-set RATE
 match address PEER-{number}
"""


SWAN_SECRETS = f"""
secrets {{
  ike-all {{
    secret = "{KEY}"
  }}
}}
"""


def swan_config(group: Group, peers: int) -> str:
    """Without peers: one connection for whoever comes. Else one for each."""
    anybody = _swan_peer(group, "anybody", "%any", f"{INNER}/16", "")
    each = (_swan_peer(group, f"p{peer}", str(outer(peer)), f"{inner(peer)}/32", f"id = {outer(peer)}")
            for peer in range(peers))  # fmt: skip
    return f"connections {{{''.join(each) if peers else anybody}}}{SWAN_SECRETS}"


def _swan_peer(group: Group, name: str, remote: str, behind: str, identity: str) -> str:
    return f"""
  {name} {{
    version = 1
    local_addrs = {GATEWAY}
    remote_addrs = {remote}
    proposals = aes128-sha256-{group.name}
    rekey_time = {LIFETIME_SECONDS}s
    local {{
      auth = psk
      id = {GATEWAY}
    }}
    remote {{
      auth = psk
      {identity}
    }}
    children {{
      {name} {{
        local_ts = {NETWORK}/16
        remote_ts = {behind}
        esp_proposals = aes128-sha256
        rekey_time = {LIFETIME_SECONDS}s
      }}
    }}
  }}"""
