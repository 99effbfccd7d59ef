# SPDX-License-Identifier: Apache-2.0
"""The gateways that are compared: each starts, initiates, counts its tunnels, and names its processes. One that
knows its peers has a configuration for each of them, else one for all."""

from __future__ import annotations

import re
import socket
import struct
from pathlib import Path

from ike.site import Group, ios_config, outer, swan_config
from lab.adit import Adit, program
from lab.net import Namespace, run
from lab.process import Process, SceneError
from lab.strongswan import PLUGINS, Strongswan

WAN_ONLY = {"GigabitEthernet0/0": "wan"}
DATAPLANE_MB = 64
START_SECONDS = 60
# SAs and policies: one a peer, and spare ones.
SPARE_SLOTS = 1024


class AditGateway(Adit):
    """Both processes; the dataplane's port is an AF_PACKET socket on a veth, and its idle cores sleep."""

    contestant = "adit"

    def __init__(self, namespace: Namespace, folder: Path, group: Group, peers: int, known: bool):
        super().__init__(namespace, folder, ios_config(group, peers if known else 0))
        self._peers = peers

    def dataplane_argv(self, ports: dict[str, str] = WAN_ONLY) -> list[str]:
        slots = str(self._peers + SPARE_SLOTS)
        return super().dataplane_argv(ports) + [
            *("--hugepages", "off", "--memory", str(DATAPLANE_MB)),
            *("--max-sas", slots, "--max-policies", slots),
        ]

    def parts(self) -> dict[str, Process]:
        return {"control": self.control, "dataplane": self.dataplane}

    def tunnels(self) -> int:
        active = re.search(r"active: (\d+)", self.cli("show crypto ipsec sa count"))
        return int(active[1]) // 2

    def initiate(self) -> None:
        commands = (word for peer in range(self._peers) for word in ("-c", f"test crypto peer {outer(peer)} initiate"))
        run(program("adit"), "--socket", str(self.control_socket), *commands, timeout=START_SECONDS)


class StrongswanGateway(Strongswan):
    """charon with its OpenSSL plugin first and little to log; ESP in userspace, in the same process."""

    contestant = "strongswan"
    log_level = 0
    patience = ""  # as long as it has by default
    # The table as its documentation asks for with many peers.
    options = """
  install_routes = no
  ikesa_table_size = 16384
  ikesa_table_segments = 16"""

    def __init__(self, namespace: Namespace, folder: Path, group: Group, peers: int, known: bool):
        super().__init__(namespace, folder, swan_config(group, peers if known else 0), self.options)
        self._vici = folder / f"{namespace.label}.vici"
        self._peers = peers

    def parts(self) -> dict[str, Process]:
        return {"charon": self._process}

    def tunnels(self) -> int:
        return self.children()

    def initiate(self) -> None:
        with Vici(self._vici) as vici:
            for peer in range(self._peers):
                vici.request("initiate", {"child": f"p{peer}", "ike": f"p{peer}", "timeout": "-1"})


class TunedStrongswanGateway(StrongswanGateway):
    """The same with short exponents, and arithmetic by its GMP plugin: OpenSSL checks values at more cost than both."""

    contestant = "strongswan-short"
    plugins = f"gmp {PLUGINS.replace('gmp ', '')}"
    options = f"{StrongswanGateway.options}\n  dh_exponent_ansi_x9_42 = no"


class Vici:
    """As much of strongSwan's control protocol as a request with plain values needs."""

    COMMAND, RESPONSE, KEY_VALUE = 0, 1, 3

    def __init__(self, path: Path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(START_SECONDS)
        self._socket.connect(str(path))

    def __enter__(self) -> Vici:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def request(self, command: str, values: dict[str, str]) -> bytes:
        body = b"".join(
            struct.pack("!BB", self.KEY_VALUE, len(key)) + key.encode() + struct.pack("!H", len(value)) + value.encode()
            for key, value in values.items()
        )
        packet = struct.pack("!BB", self.COMMAND, len(command)) + command.encode() + body
        self._socket.sendall(struct.pack("!I", len(packet)) + packet)
        answer = self._read(struct.unpack("!I", self._read(4))[0])
        if answer[0] != self.RESPONSE:
            raise SceneError(f"charon does not take {command}: packet type {answer[0]}")
        return answer[1:]

    def _read(self, length: int) -> bytes:
        taken = b""
        while len(taken) < length:
            more = self._socket.recv(length - len(taken))
            if not more:
                raise SceneError("charon has closed its control socket")
            taken += more
        return taken


CONTESTANTS = {kind.contestant: kind for kind in (AditGateway, StrongswanGateway, TunedStrongswanGateway)}
