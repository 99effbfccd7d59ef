# SPDX-License-Identifier: Apache-2.0
"""What was on the wire: tcpdump writes, tshark reads."""

from __future__ import annotations

import time
from pathlib import Path

from lab.net import Namespace, run
from lab.process import Process


class Capture:
    """A capture of one port, from start() to stop()."""

    def __init__(self, namespace: Namespace, port: str, folder: Path):
        self.file = folder / f"{namespace.label}.{port}.pcap"
        self._process: Process = namespace.start(
            "tcpdump",
            ["tcpdump", "-Z", "root", "-U", "--immediate-mode", "-n", "-i", port]
            + ["-w", str(self.file)],
            folder / f"{namespace.label}.{port}.tcpdump.out",
        )
        self._process.wait_for_output("listening on")

    def stop(self) -> "Capture":
        if self._process.alive:
            time.sleep(0.1)  # what the kernel has queued is still to be read
            self._process.stop()
        return self

    def fields(self, display_filter: str, *fields: str, options: tuple[str, ...] = ()) -> list[list[str]]:
        """One row per packet that matches; several values of one field are joined by commas."""
        self.stop()
        words = ["tshark", "-n", "-r", str(self.file), *options, "-Y", display_filter, "-T", "fields"]
        for field in fields:
            words += ["-e", field]
        # tshark warns on standard error when it runs as root: keep that out of the rows.
        text = run("sh", "-c", 'exec "$@" 2>/dev/null', "tshark", *words, timeout=60).stdout
        return [line.split("\t") for line in text.splitlines()]

    def text(self, display_filter: str = "", options: tuple[str, ...] = ()) -> str:
        """Every message with all its payloads, as tshark prints them."""
        self.stop()
        words = ["tshark", "-n", "-r", str(self.file), *options, "-V"]
        if display_filter:
            words += ["-Y", display_filter]
        return run("sh", "-c", 'exec "$@" 2>/dev/null', "tshark", *words, timeout=60).stdout

    def count(self, display_filter: str, options: tuple[str, ...] = ()) -> int:
        return len(self.fields(display_filter, "frame.number", options=options))

    def cleartext(self) -> list[list[str]]:
        """IPv4 packets of the wan that are neither IKE, nor ESP, nor of the link itself."""
        return self.fields(
            "ip && !isakmp && !esp && !udpencap && !(udp.port==4500)", "ip.src", "ip.dst", "frame.protocols"
        )
