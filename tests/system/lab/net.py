# SPDX-License-Identifier: Apache-2.0
"""Network namespaces and the cables between them. Needs root; touches nothing outside its own names."""

from __future__ import annotations

import itertools
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lab.process import LAB_MARK, Process, SceneError

_numbers = itertools.count(1)


def run(*argv: str, check: bool = True, timeout: float = 30, env: Mapping[str, str] | None = None):
    """Runs a command to its end. The result has returncode and stdout (with stderr in it)."""
    result = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=timeout,
        env={**os.environ, **(env or {})},
    )
    if check and result.returncode != 0:
        raise SceneError(f"{' '.join(argv)}: status {result.returncode}\n{result.stdout}")
    return result


def lab_prefix() -> str:
    """All namespaces of this test run begin so."""
    return f"adit{os.getpid()}"


def leftover_namespaces() -> list[str]:
    names = [line.split()[0] for line in run("ip", "netns", "list").stdout.splitlines() if line]
    return [name for name in names if name.startswith(lab_prefix())]


class Namespace:
    """One machine of the scene."""

    def __init__(self, label: str):
        self.label = label
        self.name = f"{lab_prefix()}-{next(_numbers)}-{label}"
        run("ip", "netns", "add", self.name)
        # An appliance's ports must stay silent: no router solicitations, no duplicate address detection.
        self.sysctl("net.ipv6.conf.all.disable_ipv6", "1")
        self.sysctl("net.ipv6.conf.default.disable_ipv6", "1")
        self.run("ip", "link", "set", "lo", "up")

    def argv(self, *argv: str) -> list[str]:
        return ["ip", "netns", "exec", self.name, *argv]

    def run(self, *argv: str, check: bool = True, timeout: float = 30, env=None):
        return run(*self.argv(*argv), check=check, timeout=timeout, env=env)

    def start(self, name: str, argv: list[str], log_path: Path, env=None) -> Process:
        # `ip netns exec` becomes the program, so the process id is the program's own.
        return Process(name, self.argv(*argv), log_path, env)

    def sysctl(self, key: str, value: str) -> None:
        self.run("sysctl", "-qw", f"{key}={value}")

    def address(self, interface: str, *addresses: str) -> None:
        for address in addresses:
            self.run("ip", "address", "add", address, "dev", interface)

    def route(self, prefix: str, via: str) -> None:
        self.run("ip", "route", "add", prefix, "via", via)

    def make_router(self) -> None:
        self.sysctl("net.ipv4.ip_forward", "1")
        self.sysctl("net.ipv4.conf.all.rp_filter", "0")
        self.sysctl("net.ipv4.conf.default.rp_filter", "0")

    def remove(self) -> None:
        run("ip", "netns", "delete", self.name, check=False)


def cable(left: Namespace, left_port: str, right: Namespace, right_port: str) -> None:
    """A veth pair, both ends up, without offloads: packets look as they would on a wire."""
    run(
        *("ip", "link", "add", left_port, "netns", left.name, "type", "veth"),
        *("peer", "name", right_port, "netns", right.name),
    )
    for side, port in ((left, left_port), (right, right_port)):
        # With `tx on`, TCP would arrive at an AF_PACKET port with half-made checksums.
        side.run("ethtool", "-K", port, "tx", "off", "gro", "off")
        side.run("ip", "link", "set", port, "up")


__all__ = ["LAB_MARK", "Namespace", "cable", "lab_prefix", "leftover_namespaces", "run"]
