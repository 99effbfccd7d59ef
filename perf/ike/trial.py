# SPDX-License-Identifier: Apache-2.0
"""One trial: a gateway and its peers in two namespaces of their own, and what the gateway's processes took."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ike.gateways import CONTESTANTS
from ike.site import GATEWAY, GROUPS, INNER, KEY, LENGTH, NETWORK, OWN_INNER, PEERS, ROUTER, Group, inner, outer
from lab.net import Namespace, cable
from lab.process import Process, SceneError

# A gateway has settled when it takes less than this share of a core.
IDLE_SHARE = 0.1
IDLE_SECONDS = 0.5
SETTLE_SECONDS = 60
# Of peers that wait for a tunnel.
PATIENCE_SECONDS = 20
# The peers are content a little before the gateway has counted the last tunnels.
LAST_WORK_SECONDS = 0.3
LOG_TAIL = 800  # characters of what a gateway said, when it failed
OTHER_ROLE = {"responder": "initiator", "initiator": "responder"}


@dataclass(frozen=True)
class Outcome:
    """Figures of the gateway by process. What it takes of a core when nobody asks for anything, `idle`, is not in
    `cpu_seconds`."""

    tunnels: int
    seconds: float
    retransmits: int
    cpu_seconds: dict[str, float]
    idle: dict[str, float]
    pss_growth: dict[str, int]  # octets

    def ms_a_tunnel(self, part: str) -> float:
        return self.cpu_seconds[part] * 1000 / self.tunnels

    @property
    def tunnels_a_cpu_second(self) -> float:
        return self.tunnels / sum(self.cpu_seconds.values())

    @property
    def octets_a_tunnel(self) -> float:
        return sum(self.pss_growth.values()) / self.tunnels


def cpu_seconds(process: Process) -> float:
    """Of all its threads; the scheduler counts nanoseconds."""
    threads = Path(f"/proc/{process.pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def pss(process: Process) -> int:
    """Octets in memory; what two processes share is halved between them."""
    text = Path(f"/proc/{process.pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss: +(\d+) kB", text, re.MULTILINE)[1]) * 1024


class Peers:
    """rate-peers in its namespace."""

    def __init__(self, program: Path, namespace: Namespace, group: Group, peers: int, role: str, window: int):
        options = {
            "server": GATEWAY, "first-peer": outer(0), "first-inner": inner(0), "network": f"{NETWORK}/16",
            "peers": peers, "role": role, "group": group.number, "window": window, "key": KEY,
            "patience": PATIENCE_SECONDS,
        }  # fmt: skip
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        self._child = subprocess.Popen(
            namespace.argv(str(program), *words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def begin(self) -> None:
        self._child.stdin.write("begin\n")
        self._child.stdin.flush()

    def report(self) -> dict:
        text = self._child.stdout.readline()
        if not text:
            raise SceneError(f"rate-peers ended with status {self._child.wait()}")
        return json.loads(text)

    def stop(self) -> None:
        self._child.stdin.close()
        self._child.wait()


@contextmanager
def scene() -> Iterator[tuple[Namespace, Namespace, Path]]:
    """The gateway's namespace, the peers', and a folder; nothing of them is left afterwards."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="adit-rate-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        near, far = Namespace("gw"), Namespace("peers")
        stack.callback(far.remove)
        stack.callback(near.remove)
        cable(near, "wan", far, "wan")
        far.address("wan", f"{ROUTER}/{LENGTH}")
        for prefix in (PEERS, INNER):
            far.run("ip", "route", "add", "local", f"{prefix}/16", "dev", "lo")
        # Or it would ask for the gateway's MAC address in a peer's name, who is on no link of the gateway.
        far.sysctl("net.ipv4.conf.wan.arp_announce", "2")
        yield near, far, folder


def usage(parts: dict[str, Process]) -> dict[str, float]:
    return {name: cpu_seconds(process) for name, process in parts.items()}


def settle(parts: dict[str, Process]) -> dict[str, float]:
    """Waits until the gateway has nothing left to do; returns its share of a core then, by process."""
    end = time.monotonic() + SETTLE_SECONDS
    while True:
        before, start = usage(parts), time.monotonic()
        time.sleep(IDLE_SECONDS)
        after, seconds = usage(parts), time.monotonic() - start
        idle = {name: (after[name] - before[name]) / seconds for name in parts}
        if sum(idle.values()) < IDLE_SHARE:
            return idle
        if time.monotonic() > end:
            raise SceneError(f"the gateway does not come to rest: {idle}")


def run_trial(
    programs: Path, contestant: str, group: str, role: str, peers: int, window: int, known: bool
) -> Outcome:
    """An initiator has to know its peers; a responder does when `known`."""
    with scene() as (near, far, folder), ExitStack() as stack:
        if contestant != "adit":  # the appliance's port has no kernel address
            near.address("wan", f"{GATEWAY}/{LENGTH}")
            near.address("lo", OWN_INNER)  # libipsec asks the kernel for a source address behind itself
            for prefix in (PEERS, INNER):
                near.route(f"{prefix}/16", ROUTER)
        gateway = CONTESTANTS[contestant](near, folder, GROUPS[group], peers, known or role == "initiator")
        stack.callback(gateway.stop)
        gateway.start()
        load = Peers(programs / "rate-peers", far, GROUPS[group], peers, OTHER_ROLE[role], window)
        stack.callback(load.stop)
        parts = gateway.parts()
        far.run("ping", "-c", "1", "-W", "5", GATEWAY)  # each knows the other's MAC address
        idle = settle(parts)
        memory = {name: pss(process) for name, process in parts.items()}
        cpu = usage(parts)
        load.begin()
        if role == "initiator":
            gateway.initiate()
        report = load.report()
        cpu = {name: seconds - cpu[name] for name, seconds in usage(parts).items()}
        memory = {name: pss(process) - memory[name] for name, process in parts.items()}
        time.sleep(LAST_WORK_SECONDS)
        up = min(report["established"], gateway.tunnels())
        if up < peers:
            raise SceneError(f"{up} of {peers} tunnels came up: {report}\n{gateway.log()[-LOG_TAIL:]}")
        seconds = report["seconds"]
        own = {name: cpu[name] - idle[name] * seconds for name in parts}
        return Outcome(peers, seconds, report["retransmits"], own, idle, memory)
