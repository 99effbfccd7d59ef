# SPDX-License-Identifier: Apache-2.0
"""Remote-access clients: strongSwan and vpnc, and what a gateway for them is configured with."""

from __future__ import annotations

from pathlib import Path

from lab.net import Namespace
from lab.process import Process, wait_until
from lab.tunnel import DEFAULT_ESP, DEFAULT_PHASE1, SECRET, SITE_A, SITE_B

POOL = ("10.9.0.1", "10.9.0.3")
USERS = {"ann": "anns-secret", "bob": "bobs-secret"}


GROUP = "staff"
GROUP_SECRET = "the-secret-of-staff"


ACCESS = [
    "client authentication list CLIENTS",
    "isakmp authorization list GROUPS",
    "client configuration address respond",
]


def gateway_in_profile_form() -> str:
    """The same gateway, its clients let in by an ISAKMP profile of the dynamic map."""
    profile = ["crypto isakmp profile STAFF", f" match identity group {GROUP}", *(f" {line}" for line in ACCESS)]
    text = gateway_config()
    for line in ACCESS:
        text = text.replace(f"crypto map VPNMAP {line}\n", "")
    entry = "crypto dynamic-map ROAMING 10\n"
    return text.replace(entry, "\n".join(profile) + f"\n{entry} set isakmp-profile STAFF\n")


def gateway_config(entry: list[str] = (), extra: str = "") -> str:
    """An appliance for clients on its wan side. `entry` are lines of the crypto map's own."""
    lines = [
        f"hostname {SITE_A.name}",
        "aaa new-model",
        "aaa authentication login CLIENTS local",
        "aaa authorization network GROUPS local",
        *(f"username {user} secret 0 {password}" for user, password in USERS.items()),
        "crypto isakmp policy 10",
        *DEFAULT_PHASE1.ios(),
        f"crypto isakmp key {SECRET} address {SITE_B.wan}",
        "crypto isakmp client configuration group default",
        " pool CLIENTS",
        " dns 10.1.0.53 10.1.0.54",
        " domain example.com",
        f"crypto isakmp client configuration group {GROUP}",
        f" key {GROUP_SECRET}",
        " pool CLIENTS",
        " dns 10.1.0.53",
        " domain example.com",
        " banner ^C Welcome ^C",
        f"ip local pool CLIENTS {POOL[0]} {POOL[1]}",
        f"crypto ipsec transform-set TS {DEFAULT_ESP.words}",
        " mode tunnel",
        # What vpnc offers: neither SHA-2 nor GCM.
        *(
            line
            for group in (2, 14)
            for line in (
                f"crypto isakmp policy {100 + group}",
                " encryption aes 256",
                " hash sha",
                " authentication pre-share",
                f" group {group}",
            )
        ),
        "crypto ipsec transform-set VPNC esp-aes 256 esp-sha-hmac",
        " mode tunnel",
        "crypto dynamic-map ROAMING 10",
        " set transform-set TS VPNC",
        *(f"crypto map VPNMAP {line}" for line in ACCESS),
        *entry,
        "crypto map VPNMAP 100 ipsec-isakmp dynamic ROAMING",
        "crypto logging session",
        "interface GigabitEthernet0/0",
        f" ip address {SITE_A.wan} 255.255.255.0",
        " crypto map VPNMAP",
        "interface GigabitEthernet0/1",
        " ip address 10.1.0.1 255.255.0.0",
        f"ip route 10.9.0.0 255.255.255.0 {SITE_B.wan}",
    ]
    return "\n".join(lines) + "\n" + extra


def strongswan_client(
    user: str, password: str, options: str = "", address: str = SITE_B.wan
) -> str:
    """swanctl.conf of a client that logs in and asks for an address."""
    return f"""
connections {{
  gateway {{
    version = 1
    local_addrs = {address}
    remote_addrs = {SITE_A.wan}
    proposals = {DEFAULT_PHASE1.swan()}
    vips = 0.0.0.0
    rekey_time = 8h
    keyingtries = 1
    {options}
    local-1 {{
      auth = psk
      id = {address}
    }}
    local-2 {{
      auth = xauth
      xauth_id = {user}
    }}
    remote {{
      auth = psk
      id = {SITE_A.wan}
    }}
    children {{
      net0 {{
        remote_ts = {SITE_A.networks[0]}
        esp_proposals = {DEFAULT_ESP.swan()}
        rekey_time = 0
      }}
    }}
  }}
}}
secrets {{
  ike-gateway {{
    id = {SITE_A.wan}
    secret = "{SECRET}"
  }}
  xauth-{user} {{
    id = {user}
    secret = "{password}"
  }}
}}
"""


VPNC_SCRIPT = """#!/bin/sh
# What vpnc's own script does, without touching the host's resolv.conf.
[ "$reason" = connect ] || exit 0
ip link set "$TUNDEV" up mtu 1300
ip address add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
ip route add 10.1.0.0/16 dev "$TUNDEV"
env >"$0.env" && mv "$0.env" "$0.connect"
"""


class Vpnc:
    """One vpnc: aggressive mode with a group's name and key, a login, an address."""

    def __init__(self, namespace: Namespace, folder: Path, user: str, password: str, options: str):
        self._namespace = namespace
        self._log = folder / "vpnc.log"
        self._script = folder / "vpnc-script"
        self._script.write_text(VPNC_SCRIPT)
        self._script.chmod(0o755)
        self._config = folder / "vpnc.conf"
        self._config.write_text(
            f"IPSec gateway {SITE_A.wan}\n"
            f"IPSec ID {GROUP}\n"
            f"IPSec secret {GROUP_SECRET}\n"
            f"Xauth username {user}\n"
            f"Xauth password {password}\n"
            "IKE Authmode psk\n"
            "Interface name vpnc\n"
            f"Script {self._script}\n"
            f"Pidfile {folder}/vpnc.pid\n" + options
        )
        self._process: Process | None = None

    def start(self) -> None:
        self._process = self._namespace.start(
            "vpnc",
            ["/usr/sbin/vpnc", "--no-detach", "--non-inter", "--debug", "2", str(self._config)],
            self._log,
        )

    def stop(self) -> None:
        if self._process:
            self._process.stop()
            self._process = None

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def told(self) -> dict[str, str]:
        """What the gateway gave, as the script sees it."""
        seen = self._script.with_name(self._script.name + ".connect")
        wait_until(seen.exists, 15, "vpnc is up")
        return dict(line.split("=", 1) for line in seen.read_text().splitlines() if "=" in line)

    def ended(self) -> bool:
        return self._process is None or not self._process.alive
