# SPDX-License-Identifier: Apache-2.0
"""Who has which address, and the configurations of both gateways for any number of tunnels.

      lan-a         gw-a                       gw-b         lan-b
    10.1.0.2 -- 10.1.0.1  192.0.2.1 ==== 192.0.2.2  10.2.0.1 -- 10.2.0.2

Tunnel i, counted from 0, protects 198.18.0.1 + i behind gw-a and 198.19.0.1 + i behind gw-b: the network that
RFC 2544 appendix C.2.2 keeps for benchmarks. frames.h sends between the same addresses.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from ipaddress import IPv4Address

# Hosts of a /16, without the network's own address and its broadcast address.
MAX_TUNNELS = 65_534

# Frames are counted with Ethernet header and FCS, as RFC 2544 does.
ETHERNET_BYTES = 18
MIN_FRAME = 64
# The longest that fits a tunnel with any cipher when the wan has an MTU of 1500; longer ones are fragmented first.
MAX_FRAME = 1418

IMIX = (64, 64, 594, 64, 64, 594, 64, 594, 64, 594, 64, 1418)  # 7:4:1


@dataclass(frozen=True)
class Site:
    name: str
    wan: str
    lan: str
    host: str  # on the lan: the generator, next hop of all test traffic
    hosts: str  # network of the protected addresses

    def protected(self, tunnel: int) -> IPv4Address:
        return IPv4Address(self.hosts) + 1 + tunnel


SITE_A = Site("gw-a", "192.0.2.1", "10.1.0.1", "10.1.0.2", "198.18.0.0")
SITE_B = Site("gw-b", "192.0.2.2", "10.2.0.1", "10.2.0.2", "198.19.0.0")


def config_text(own: Site, peer: Site, tunnels: int, transform: str, key: str) -> str:
    """IOS text: one crypto map entry a tunnel, all with the same peer."""
    parts = [_head(own, peer, tunnels, transform, key)]
    parts += [_tunnel(own, peer, tunnel) for tunnel in range(tunnels)]
    parts.append(_interfaces(own, peer))
    return "!\n".join(parts)


def _head(own: Site, peer: Site, tunnels: int, transform: str, key: str) -> str:
    return f"""\
! {tunnels} tunnels to {peer.name}, for measuring throughput: see perf/pktgen/README.md.
hostname {own.name}
!
crypto isakmp policy 10
 encryption aes 256
 hash sha256
 authentication pre-share
 group 14
crypto isakmp key {key} address {peer.wan}
!
crypto ipsec transform-set BENCHMARK {transform}
 mode tunnel
! No rekeying while a trial runs.
crypto ipsec security-association lifetime seconds 86400
crypto ipsec security-association lifetime kilobytes 4294967295
"""


def _tunnel(own: Site, peer: Site, tunnel: int) -> str:
    number = tunnel + 1
    return f"""\
ip access-list extended TUNNEL-{number}
 permit ip host {own.protected(tunnel)} host {peer.protected(tunnel)}
crypto map BENCHMARK {number} ipsec-isakmp
 set peer {peer.wan}
 set transform-set BENCHMARK
 match address TUNNEL-{number}
"""


def _interfaces(own: Site, peer: Site) -> str:
    return f"""\
interface GigabitEthernet0/0
 description wan
 ip address {own.wan} 255.255.255.0
 crypto map BENCHMARK
interface GigabitEthernet0/1
 description lan
 ip address {own.lan} 255.255.255.0
!
! The generator is the next hop for everything behind this gateway.
ip route {own.hosts} 255.255.0.0 {own.host}
ip route {peer.hosts} 255.255.0.0 {peer.wan}
"""


def tunnel_count(text: str) -> int:
    count = int(text)
    if not 1 <= count <= MAX_TUNNELS:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and {MAX_TUNNELS}")
    return count


def frame_sizes(text: str) -> tuple[int, ...]:
    """ "512" or "imix": lengths of the frames to send, in turn."""
    if text.lower() == "imix":
        return IMIX
    if not text.isdigit() or not MIN_FRAME <= int(text) <= MAX_FRAME:
        raise argparse.ArgumentTypeError(f"'{text}' is neither imix nor between {MIN_FRAME} and {MAX_FRAME}")
    return (int(text),)
