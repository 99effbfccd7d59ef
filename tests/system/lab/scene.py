# SPDX-License-Identifier: Apache-2.0
"""A scene: host-a | gw-a == wan == gw-b | host-b, and everything that has to go away again.

Namespaces: `host_a`, `gw_a`, `gw_b`, `host_b`. A gateway that is an appliance has bare ports (DPDK owns
them); one that is a kernel router has addresses. close() ends everything in the reverse order.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path

from lab.adit import Adit
from lab.capture import Capture
from lab.net import Namespace, cable
from lab.process import Process, wait_until
from lab.strongswan import Strongswan
from lab.traffic import ping_until_answered
from lab.tunnel import SITE_A, SITE_B, WAN_LENGTH, Site, Tunnel, ios_config, swanctl_config

RELAY = Path(__file__).with_name("relay.py")


class Scene:
    def __init__(self, folder: Path):
        self.folder = folder
        self._cleanup = ExitStack()
        self._inside = 0  # machines behind gateway B's address
        try:
            self.host_a, self.gw_a, self.gw_b, self.host_b = (
                self._namespace(label) for label in ("host-a", "gw-a", "gw-b", "host-b")
            )
            cable(self.host_a, "eth0", self.gw_a, "lan")
            cable(self.gw_a, "wan", self.gw_b, "wan")
            cable(self.gw_b, "lan", self.host_b, "eth0")
            self._host(self.host_a, SITE_A)
            self._host(self.host_b, SITE_B)
        except BaseException:
            self._cleanup.close()
            raise

    def _namespace(self, label: str) -> Namespace:
        namespace = Namespace(label)
        self._cleanup.callback(namespace.remove)
        return namespace

    def machine(self, label: str) -> Namespace:
        """One more, without a cable."""
        return self._namespace(label)

    def _host(self, namespace: Namespace, site: Site) -> None:
        namespace.address("eth0", *site.hosts())
        namespace.route("default", site.gateways()[0].split("/")[0])

    def close(self) -> None:
        self._cleanup.close()

    def on_close(self, action) -> None:
        """Runs `action` when the scene ends, before what was there earlier goes."""
        self._cleanup.callback(action)

    def set_mtu(self, mtu: int) -> None:
        """On every cable. Appliances read it when they start."""
        ends = ((self.host_a, "eth0"), (self.gw_a, "lan"), (self.gw_a, "wan"))
        ends += ((self.gw_b, "wan"), (self.gw_b, "lan"), (self.host_b, "eth0"))
        for namespace, port in ends:
            namespace.run("ip", "link", "set", port, "mtu", str(mtu))

    def kernel_gateway(self, site: Site) -> Namespace:
        """Gives a gateway's ports kernel addresses, so that the kernel routes there."""
        namespace = self.gw_a if site is SITE_A else self.gw_b
        other = SITE_B if site is SITE_A else SITE_A
        namespace.make_router()
        namespace.address("wan", f"{site.wan}/{WAN_LENGTH}")
        namespace.address("lan", *site.gateways())
        for network in other.networks:
            namespace.route(network, other.wan)
        return namespace

    def lose(self, per_cent: int, seed: int, delay_milliseconds: int = 0) -> Process:
        """A relay in the wan that loses and delays IKE datagrams, before any gateway is there."""
        self.gw_a.run("ip", "link", "delete", "wan")
        between = self._namespace("between")
        cable(self.gw_a, "wan", between, "left")
        cable(between, "right", self.gw_b, "wan")
        words = [sys.executable, str(RELAY), "left", "right"]
        words += map(str, (per_cent, seed, delay_milliseconds))
        relay = between.start("relay", words, self.folder / "relay.out")
        self._cleanup.callback(relay.stop)
        relay.wait_for_output("relaying")
        return relay

    def bridge(self) -> Namespace:
        """A bridge in the wan, before any gateway is there. Its ports are `to-a`, `to-b` and what plug() adds."""
        self.gw_a.run("ip", "link", "delete", "wan")
        self._bridge = self.machine("bridge")
        self._bridge.run("ip", "link", "add", "br0", "type", "bridge")
        self._bridge.run("ip", "link", "set", "br0", "up")
        self.plug(self.gw_a, "to-a")
        self.plug(self.gw_b, "to-b")
        return self._bridge

    def plug(self, machine: Namespace, port: str) -> None:
        cable(machine, "wan", self._bridge, port)
        self._bridge.run("ip", "link", "set", port, "master", "br0")

    def behind_nat(self, label: str) -> Namespace:
        """A machine on the near side of gateway B, which lends it its own wan address."""
        if not self._inside:
            self.kernel_gateway(SITE_B)
            rules = "table ip nat { chain out { type nat hook postrouting priority 100; oifname wan masquerade; }; }"
            self.gw_b.run("nft", rules)
        self._inside += 1
        network = f"172.16.{self._inside}"
        machine = self._namespace(label)
        cable(machine, "eth0", self.gw_b, f"in{self._inside}")
        machine.address("eth0", f"{network}.2/24")
        self.gw_b.address(f"in{self._inside}", f"{network}.1/24")
        machine.route("default", f"{network}.1")
        return machine

    def strongswan(
        self,
        tunnel: Tunnel | None,
        site: Site = SITE_B,
        options: str = "",
        config: str | None = None,
    ) -> Strongswan:
        """A kernel gateway with strongSwan, started. `config` replaces what `tunnel` would give."""
        other = SITE_B if site is SITE_A else SITE_A
        text = swanctl_config(site, other, tunnel) if config is None else config
        peer = Strongswan(self.kernel_gateway(site), self.folder, text, options)
        self._cleanup.callback(peer.stop)
        peer.start()
        return peer

    def adit(
        self,
        tunnel: Tunnel | None,
        site: Site = SITE_A,
        extra: str = "",
        config: str | None = None,
        workers: int = 1,
    ) -> Adit:
        """An appliance, started. `config` replaces the text that `tunnel` would give."""
        other = SITE_B if site is SITE_A else SITE_A
        gateway = Adit(
            self.gw_a if site is SITE_A else self.gw_b,
            self.folder,
            ios_config(site, other, tunnel, extra) if config is None else config,
            workers,
        )
        self._cleanup.callback(gateway.stop)
        gateway.start()
        return gateway

    def capture(self, namespace: Namespace, port: str = "wan") -> Capture:
        capture = Capture(namespace, port, self.folder)
        self._cleanup.callback(capture.stop)
        return capture

    # --- the usual steps -------------------------------------------------------------------------------

    def pair(self, tunnel: Tunnel, peer_tunnel: Tunnel | None = None) -> tuple[Adit, Strongswan]:
        """An appliance at site A, strongSwan at site B, no tunnel yet."""
        peer = self.strongswan(peer_tunnel or tunnel)
        return self.adit(tunnel), peer

    def bring_up(self, adit: Adit, peer: Strongswan, role: str) -> None:
        """The first tunnel: by the first packet when the appliance initiates, else by the peer."""
        if role == "initiator":
            ping_until_answered(self.host_a, SITE_B.host)
        else:
            peer.initiate()
        adit.wait_for("show crypto isakmp sa", r"QM_IDLE +\d+ ACTIVE$")
        wait_until(lambda: adit.children() >= 1 and peer.children() >= 1, 5, "an SA pair at both ends")
