# SPDX-License-Identifier: Apache-2.0
"""What two gateways should agree on, said once and rendered for each kind of gateway."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

GROUP_NAMES = {
    1: "modp768",
    2: "modp1024",
    5: "modp1536",
    14: "modp2048",
    15: "modp3072",
    16: "modp4096",
    17: "modp6144",
    18: "modp8192",
    19: "ecp256",
    20: "ecp384",
    21: "ecp521",
    24: "modp2048s256",
}


@dataclass(frozen=True)
class Phase1:
    """One ISAKMP policy: encryption and hash as IOS writes them, group by number."""

    encryption: str  # "aes 256", "3des"
    hash: str  # "sha", "sha256", "md5"
    group: int

    def __str__(self) -> str:
        return f"{self.encryption.replace(' ', '')}-{self.hash}-{self.group}"

    def ios(self) -> list[str]:
        return [
            f" encryption {self.encryption}",
            f" hash {self.hash}",
            " authentication pre-share",
            f" group {self.group}",
        ]

    def swan(self) -> str:
        cipher = "aes128" if self.encryption == "aes" else self.encryption.replace(" ", "")
        digest = "sha1" if self.hash == "sha" else self.hash
        return f"{cipher}-{digest}-{GROUP_NAMES[self.group]}"


@dataclass(frozen=True)
class Esp:
    """One transform set, as the words of `crypto ipsec transform-set NAME`."""

    words: str  # "esp-aes 256 esp-sha256-hmac", "esp-gcm 128"

    def __str__(self) -> str:
        return self.words.replace("esp-", "").replace(" ", "-")

    def swan(self) -> str:
        words = self.words.split()
        bits = words[1] if len(words) > 1 and words[1].isdigit() else "128"
        if words[0] == "esp-gcm":
            return f"aes{bits}gcm16"
        cipher = {"esp-aes": f"aes{bits}", "esp-3des": "3des", "esp-null": "null"}[words[0]]
        digest = words[-1].removeprefix("esp-").removesuffix("-hmac")
        return f"{cipher}-{'sha1' if digest == 'sha' else digest}"


DEFAULT_PHASE1 = Phase1("aes 256", "sha256", 19)  # group 19: the cheapest exchange
DEFAULT_ESP = Esp("esp-gcm 128")
SECRET = "a lab secret, not used elsewhere".replace(" ", "-")


@dataclass(frozen=True)
class Site:
    """One side: its gateway's addresses and the networks behind it."""

    name: str
    wan: str  # "192.0.2.1"
    networks: tuple[str, ...]  # "10.1.0.0/16"; gateway is .1, host is .10 of each

    def gateways(self) -> list[str]:
        return [f"{_host(network, 1)}/{_length(network)}" for network in self.networks]

    def hosts(self) -> list[str]:
        return [f"{_host(network, 10)}/{_length(network)}" for network in self.networks]

    @property
    def host(self) -> str:
        return _host(self.networks[0], 10)


SITE_A = Site("gw-a", "192.0.2.1", ("10.1.0.0/16",))
SITE_B = Site("gw-b", "192.0.2.20", ("10.2.0.0/16", "10.3.0.0/16"))
WAN_LENGTH = 24


@dataclass(frozen=True)
class Tunnel:
    """What one side is configured with. `flows` are (near network, far network), seen from site A."""

    phase1: tuple[Phase1, ...] = (DEFAULT_PHASE1,)
    esp: tuple[Esp, ...] = (DEFAULT_ESP,)
    pfs: int | None = None
    flows: tuple[tuple[str, str], ...] = (("10.1.0.0/16", "10.2.0.0/16"),)
    secret: str = SECRET
    keepalive: str = ""  # "10 2 periodic"
    lifetime: int = 3600
    swan: str = ""  # more lines of strongSwan's connection: "fragmentation = force"
    swan_renewal: str = "rekey_time = 8h"  # when it makes a new ISAKMP SA
    swan_rekey: str = "rekey_time = 0"  # when strongSwan makes new SAs of its children

    def flows_of(self, site: Site) -> list[tuple[str, str]]:
        return [flow if site is SITE_A else (flow[1], flow[0]) for flow in self.flows]


def _host(network: str, number: int) -> str:
    return str(ipaddress.ip_network(network)[number])


def _length(network: str) -> int:
    return ipaddress.ip_network(network).prefixlen


def _mask(network: str) -> str:
    return str(ipaddress.ip_network(network).netmask)


def wildcard(network: str) -> str:
    """"10.1.0.0/16" as an ACL term: "10.1.0.0 0.0.255.255"."""
    parsed = ipaddress.ip_network(network)
    return f"{parsed.network_address} {parsed.hostmask}"


def ios_config(local: Site, remote: Site, tunnel: Tunnel | None, extra: str = "") -> str:
    """An appliance's configuration. Without a tunnel it only routes."""
    lines = [f"hostname {local.name}"]
    if tunnel:
        for number, policy in enumerate(tunnel.phase1, start=1):
            lines += [f"crypto isakmp policy {number * 10}", *policy.ios()]
        lines.append(f"crypto isakmp key {tunnel.secret} address {remote.wan}")
        if tunnel.keepalive:
            lines.append(f"crypto isakmp keepalive {tunnel.keepalive}")
        for number, esp in enumerate(tunnel.esp, start=1):
            lines += [f"crypto ipsec transform-set TS{number} {esp.words}", " mode tunnel"]
        lines.append("ip access-list extended VPN")
        for near, far in tunnel.flows_of(local):
            lines.append(f" permit ip {wildcard(near)} {wildcard(far)}")
        lines += ["crypto map VPNMAP 10 ipsec-isakmp", f" set peer {remote.wan}"]
        names = " ".join(f"TS{number}" for number in range(1, len(tunnel.esp) + 1))
        lines.append(f" set transform-set {names}")
        if tunnel.pfs:
            lines.append(f" set pfs group{tunnel.pfs}")
        if tunnel.lifetime != 3600:
            lines.append(f" set security-association lifetime seconds {tunnel.lifetime}")
        lines.append(" match address VPN")
    wan_mask = "255.255.255.0"  # WAN_LENGTH
    lines += ["interface GigabitEthernet0/0", f" ip address {local.wan} {wan_mask}"]
    if tunnel:
        lines.append(" crypto map VPNMAP")
    for number, network in enumerate(local.networks[:1], start=1):
        lines.append(f"interface GigabitEthernet0/{number}")
        lines.append(f" ip address {_host(network, 1)} {_mask(network)}")
    for network in remote.networks:
        base = ipaddress.ip_network(network).network_address
        lines.append(f"ip route {base} {_mask(network)} {remote.wan}")
    return "\n".join(lines) + "\n" + extra


def swanctl_config(local: Site, remote: Site, tunnel: Tunnel) -> str:
    """The same tunnel for strongSwan. Children are net0, net1 ... in the order of the flows."""
    pfs = f"-{GROUP_NAMES[tunnel.pfs]}" if tunnel.pfs else ""
    esp_proposals = ",".join(esp.swan() + pfs for esp in tunnel.esp)
    children = "".join(
        f"""
      net{number} {{
        local_ts = {near}
        remote_ts = {far}
        esp_proposals = {esp_proposals}
        life_time = {tunnel.lifetime}s
        {tunnel.swan_rekey}
      }}"""
        for number, (near, far) in enumerate(tunnel.flows_of(local))
    )
    return f"""
connections {{
  peer {{
    version = 1
    local_addrs = {local.wan}
    remote_addrs = {remote.wan}
    proposals = {",".join(policy.swan() for policy in tunnel.phase1)}
    {tunnel.swan_renewal}
    keyingtries = 1
    {tunnel.swan}
    local {{
      auth = psk
      id = {local.wan}
    }}
    remote {{
      auth = psk
      id = {remote.wan}
    }}
    children {{{children}
    }}
  }}
}}
secrets {{
  ike-peer {{
    id = {remote.wan}
    secret = "{tunnel.secret}"
  }}
}}
"""
