# SPDX-License-Identifier: Apache-2.0
"""A hub with a dynamic crypto map, or an entry for each branch; and those: strongSwan, a connection each."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from lab.tunnel import DEFAULT_ESP, DEFAULT_PHASE1, SECRET, SITE_A, SITE_B, wildcard

NEAR = "10.1.0.0/16"  # behind the appliance


@dataclass(frozen=True)
class Branch:
    """A peer: its address, the network that it claims, who it says it is."""

    name: str
    wan: str
    network: str
    identity: str = ""
    near: str = NEAR  # what it wants behind the appliance
    options: str = ""  # more lines of its connection: "aggressive = yes"

    @property
    def near_host(self) -> str:
        return str(ipaddress.ip_network(self.near)[10])

    def swan(self) -> str:
        return f"""
  {self.name} {{
    version = 1
    local_addrs = {self.wan}
    remote_addrs = {SITE_A.wan}
    proposals = {DEFAULT_PHASE1.swan()}
    keyingtries = 1
    {self.options}
    local {{
      auth = psk
      id = {self.identity or self.wan}
    }}
    remote {{
      auth = psk
      id = {SITE_A.wan}
    }}
    children {{
      {self.name} {{
        local_ts = {self.network}
        remote_ts = {self.near}
        esp_proposals = {DEFAULT_ESP.swan()}
        rekey_time = 0
      }}
    }}
  }}"""


def swanctl(*branches: Branch) -> str:
    connections = "".join(branch.swan() for branch in branches)
    return f"""
connections {{{connections}
}}
secrets {{
  ike-hub {{
    id = {SITE_A.wan}
    secret = "{SECRET}"
  }}
}}
"""


WHOEVER = f"crypto isakmp key {SECRET} address 0.0.0.0 0.0.0.0"


def hub(
    access_list: tuple[str, ...] = (),
    static: str = "",
    dpd: str = "",
    reverse_route: bool = False,
    keys: str = WHOEVER,
    entry: str = "",
) -> str:
    """The appliance. Everything beyond its own networks lies behind the outer interface: by a route
    that always stands, or by those that peers bring along. `entry` has more lines of the dynamic map.
    """
    lines = [
        "hostname hub",
        *([f"crypto isakmp keepalive {dpd}"] if dpd else []),
        "crypto isakmp policy 10",
        *DEFAULT_PHASE1.ios(),
        keys,
        f"crypto ipsec transform-set TS {DEFAULT_ESP.words}",
        " mode tunnel",
        "crypto dynamic-map DYN 10",
        " set transform-set TS",
        *([entry] if entry else []),
    ]
    if reverse_route:
        lines += [" reverse-route"]
    if access_list:
        lines += [" match address CLAIMS", "ip access-list extended CLAIMS"]
        lines += [f" {line}" for line in access_list]
    lines += [static] if static else []
    lines += [
        "crypto map VPNMAP 65535 ipsec-isakmp dynamic DYN",
        "interface GigabitEthernet0/0",
        f" ip address {SITE_A.wan} 255.255.255.0",
        " crypto map VPNMAP",
        "interface GigabitEthernet0/1",
        " ip address 10.1.0.1 255.255.0.0",
    ]
    if not reverse_route:
        lines += [f"ip route 0.0.0.0 0.0.0.0 {SITE_B.wan}"]
    return "\n".join(lines) + "\n"


def many(count: int) -> list[Branch]:
    """Each with an address of its own, and a network of its own to go to: libipsec installs no two routes
    to one."""
    return [
        Branch(f"peer{n}", f"192.0.2.{20 + n}", "10.2.0.0/16", near=f"10.1.{n}.0/24")
        for n in range(count)
    ]


def hub_of(branches: list[Branch]) -> str:
    """An entry of the crypto map for each."""
    lines = [
        "hostname hub",
        "crypto isakmp policy 10",
        *DEFAULT_PHASE1.ios(),
        f"crypto ipsec transform-set TS {DEFAULT_ESP.words}",
        " mode tunnel",
    ]
    for number, branch in enumerate(branches, start=10):
        lines += [
            f"crypto isakmp key {SECRET} address {branch.wan}",
            f"ip access-list extended VPN{number}",
            f" permit ip {wildcard(branch.near)} {wildcard(branch.network)}",
            f"crypto map VPNMAP {number} ipsec-isakmp",
            f" set peer {branch.wan}",
            " set transform-set TS",
            f" match address VPN{number}",
        ]
    lines += [
        "interface GigabitEthernet0/0",
        f" ip address {SITE_A.wan} 255.255.255.0",
        " crypto map VPNMAP",
        "interface GigabitEthernet0/1",
        " ip address 10.1.0.1 255.255.0.0",
        f"ip route 0.0.0.0 0.0.0.0 {SITE_B.wan}",
    ]
    return "\n".join(lines) + "\n"
