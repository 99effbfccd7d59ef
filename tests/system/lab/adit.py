# SPDX-License-Identifier: Apache-2.0
"""The appliance as an operator meets it: two daemons, a configuration file, and the CLI."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from pathlib import Path

from lab.net import Namespace, run
from lab.process import Process, SceneError, wait_until

REPOSITORY = Path(__file__).resolve().parents[3]

PORTS = {"GigabitEthernet0/0": "wan", "GigabitEthernet0/1": "lan"}


def build_folder() -> Path:
    return Path(os.environ.get("ADIT_BUILD", REPOSITORY / "build")).resolve()


def program(name: str) -> str:
    """Path of one of the three programs in the build folder."""
    folder = {"adit-dataplane": "dataplane", "adit-control": "control", "adit": "control/client"}[name]
    path = build_folder() / folder / name
    if not path.is_file():
        raise SceneError(f"{path} is missing: run scripts/build, or set ADIT_BUILD")
    return str(path)


class Adit:
    """One appliance in `namespace`; its files are in `folder` under the namespace's label."""

    def __init__(self, namespace: Namespace, folder: Path, config: str, workers: int = 1):
        self.namespace = namespace
        self.workers = workers
        self._folder = folder / namespace.label
        self._folder.mkdir()
        self.config_path = self._folder / "startup-config"
        self.dataplane_socket = self._folder / "dataplane.sock"
        self.control_socket = self._folder / "control.sock"
        self.metrics_socket = self._folder / "metrics.sock"
        self.keys_path = self._folder / "keys"
        self.config_path.write_text(config)
        self.dataplane: Process | None = None
        self.control: Process | None = None

    # --- life ------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.start_dataplane()
        self.start_control()
        self.wait_for("show interfaces", r"GigabitEthernet0/0 is up, line protocol is up")

    def dataplane_argv(self, ports: dict[str, str] = PORTS) -> list[str]:
        argv = [program("adit-dataplane"), "--idle", "sleep", "--workers", str(self.workers)]
        for number, (name, interface) in enumerate(ports.items()):
            argv += ["--port", f"{name}=net_af_packet{number},iface={interface}"]
        return argv + ["--socket", str(self.dataplane_socket)]

    def control_argv(self) -> list[str]:
        return [
            *(program("adit-control"), "--config", str(self.config_path)),
            *("--dataplane", str(self.dataplane_socket), "--cli", str(self.control_socket)),
            *("--metrics", str(self.metrics_socket)),
        ]

    def start_dataplane(self) -> None:
        self.dataplane = self._start("adit-dataplane", self.dataplane_argv())
        self._wait_for_socket(self.dataplane, self.dataplane_socket)

    def start_control(self) -> None:
        self.control = self._start("adit-control", self.control_argv())
        self._wait_for_socket(self.control, self.control_socket)

    def kill_control(self) -> None:
        """Without a word to anybody."""
        self.control.signal(signal.SIGKILL)
        self.control.wait()

    def _start(self, name: str, argv: list[str]) -> Process:
        return self.namespace.start(name, argv, self._folder / f"{name}.log")

    def _wait_for_socket(self, process: Process, path: Path) -> None:
        def accepts() -> bool:
            if not process.alive:
                raise SceneError(f"{process.name} ended with {process.status}:\n{process.output()}")
            # A file alone may be a killed predecessor's.
            return str(path) in self.namespace.run("ss", "-xlH").stdout

        wait_until(accepts, 15, f"{process.name} listens at {path.name}")

    def stop(self) -> None:
        """Ends both, control first: it sends its deletes through the dataplane."""
        for process in (self.control, self.dataplane):
            if process:
                process.stop()
        self.control = self.dataplane = None

    # --- the operator ----------------------------------------------------------------------------------

    def cli(self, command: str, check: bool = True) -> str:
        """One command, one answer."""
        result = run(
            program("adit"), "--socket", str(self.control_socket), *command.split(), check=check
        )
        return result.stdout

    def configure(self, *lines: str) -> None:
        """Configuration lines, as typed after `configure terminal`."""
        commands = [word for line in ("configure terminal", *lines, "end") for word in ("-c", line)]
        run(program("adit"), "--socket", str(self.control_socket), *commands)

    def type_lines(self, lines: str) -> str:
        """Many commands in one session, whatever becomes of each."""
        result = subprocess.run(
            (program("adit"), "--socket", str(self.control_socket)),
            input=lines,
            capture_output=True,
            text=True,
            timeout=30,
        )
        return result.stdout + result.stderr

    def wait_for(self, command: str, pattern: str, timeout: float = 10) -> str:
        """Repeats a show command until `pattern` is in its output; returns the output."""
        text = ""

        def shown() -> bool:
            nonlocal text
            text = self.cli(command, check=False)
            return re.search(pattern, text, re.MULTILINE) is not None

        try:
            wait_until(shown, timeout, pattern, step=0.1)
        except SceneError as error:
            raise SceneError(f"{error}: `{command}` says\n{text}") from None
        return text

    # --- what it shows ---------------------------------------------------------------------------------

    def isakmp_states(self) -> list[str]:
        """States of the ISAKMP SAs that are not deleted."""
        rows = re.findall(
            r"^[\d.]+ +[\d.]+ +(\w+) +\d+ (ACTIVE.*)$",
            self.cli("show crypto isakmp sa"),
            re.MULTILINE,
        )
        return [state for state, status in rows if "deleted" not in status]

    def established(self) -> int:
        return self.isakmp_states().count("QM_IDLE")

    def children(self, half: str = "inbound") -> int:
        """SA pairs, counted by one half. The outbound one comes last when the peer began."""
        return len(self._spis(half))

    def inbound_spis(self) -> set[str]:
        return set(self._spis("inbound"))

    def _spis(self, half: str) -> list[str]:
        blocks = re.findall(
            rf"{half} esp sas:\n((?: {{6,}}.*\n)*)", self.cli("show crypto ipsec sa")
        )
        return re.findall(r"spi: (0x[0-9A-F]+)", "".join(blocks))

    def counters(self, name: str) -> int:
        """Sum of `#pkts NAME: n` over all flows."""
        text = self.cli("show crypto ipsec sa")
        return sum(int(value) for value in re.findall(rf"#pkts {name}: (\d+)", text))

    def failures(self) -> dict[str, int]:
        """`show crypto isakmp failures`: reason -> count, only those that happened."""
        rows = re.findall(
            r"^ *([a-z0-9-]+) +(\d+)\b", self.cli("show crypto isakmp failures"), re.MULTILINE
        )
        return {name: int(count) for name, count in rows if int(count)}

    def metrics(self) -> dict[str, int]:
        """What Prometheus would read: sample -> value."""
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.metrics_socket))
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b"".join(iter(lambda: client.recv(65536), b"")).decode()
        head, body = answer.split("\r\n\r\n", 1)
        assert head.startswith("HTTP/1.1 200 OK"), head
        lines = [line for line in body.splitlines() if not line.startswith("#")]
        return {line.rsplit(" ", 1)[0]: int(line.rsplit(" ", 1)[1]) for line in lines}

    def log(self) -> str:
        return self.control.output() if self.control else ""

    def wait_for_log(self, pattern: str, timeout: float = 10) -> str:
        log = self._folder / "adit-control.log"
        match = wait_until(
            lambda: re.search(pattern, log.read_text(errors="replace"), re.MULTILINE),
            timeout,
            f"control logs {pattern!r}",
        )
        return match[0]

    def leftovers(self) -> list[str]:
        """Socket files that are still there."""
        return [path.name for path in self._folder.glob("*.sock")]
