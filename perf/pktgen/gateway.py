# SPDX-License-Identifier: Apache-2.0
"""One gateway of the local form: adit-dataplane on two memif ports, adit-control, and what its CLI counts."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from lab.process import Process, SceneError, wait_until
from plan import Site

START_SECONDS = 30


@dataclass(frozen=True)
class Placement:
    """The cores a dataplane may use (its housekeeper takes the first), and whether its worker polls."""

    cores: str
    idle: str  # "poll" or "sleep"


@dataclass(frozen=True)
class Counters:
    """What a gateway counted: since its start, or between two looks."""

    lan_in: int
    encaps: int
    decaps: int
    drops: dict[str, int] = field(default_factory=dict)

    def since(self, before: Counters) -> Counters:
        drops = {name: count - before.drops.get(name, 0) for name, count in self.drops.items()}
        return Counters(
            self.lan_in - before.lan_in,
            self.encaps - before.encaps,
            self.decaps - before.decaps,
            {name: count for name, count in drops.items() if count},
        )

    def dropped(self) -> int:
        return sum(self.drops.values())


class Gateway:
    """Its files are in `folder`; port 0 is wan, port 1 is lan, both memif servers at `memif_socket`."""

    def __init__(self, site: Site, build: Path, folder: Path, config: str, lan_mac: str):
        self.site = site
        self._build = build
        self._folder = folder / site.name
        self._folder.mkdir()
        self._lan_mac = lan_mac
        self.memif_socket = self._folder / "memif.sock"
        self._dataplane_socket = self._folder / "dataplane.sock"
        self._cli_socket = self._folder / "control.sock"
        self._config_path = self._folder / "startup-config"
        self._config_path.touch(mode=0o600)
        self._config_path.write_text(config)
        self.processes: list[Process] = []

    def start(self, placement: Placement, max_sas: int, hugepages: str) -> None:
        memif = f"role=server,socket-abstract=no,socket={self.memif_socket}"
        self._start(
            ["taskset", "-c", placement.cores, self._program("dataplane/adit-dataplane")]
            + ["--idle", placement.idle, "--socket", str(self._dataplane_socket)]
            + ["--port", f"GigabitEthernet0/0=net_memif0,id=0,{memif}"]
            + ["--port", f"GigabitEthernet0/1=net_memif1,id=1,{memif},mac={self._lan_mac}"]
            + ["--max-sas", str(max_sas), "--max-policies", str(max_sas)]
            + ["--hugepages", hugepages, "--file-prefix", f"adit-local-{self.site.name}"],
            self._dataplane_socket,
        )
        self._start(
            ["taskset", "-c", placement.cores, self._program("control/adit-control")]
            + ["--config", str(self._config_path)]
            + ["--dataplane", str(self._dataplane_socket), "--cli", str(self._cli_socket)],
            self._cli_socket,
        )

    def _program(self, path: str) -> str:
        return str(self._build / path)

    def _start(self, argv: list[str], socket: Path) -> None:
        name = f"{self.site.name} {Path(argv[3]).name}"
        process = Process(name, argv, self._folder / f"{Path(argv[3]).name}.log")
        self.processes.append(process)

        def listens() -> bool:
            self.check_alive()
            return socket.exists()

        wait_until(listens, START_SECONDS, f"{name} listens at {socket}")

    def check_alive(self) -> None:
        for process in self.processes:
            if not process.alive:
                raise SceneError(f"{process.name} ended with {process.status}:\n{process.output()}")

    def stop(self) -> None:
        """Control first: it says goodbye through its dataplane."""
        for process in reversed(self.processes):
            process.stop()

    def cli(self, command: str) -> str:
        self.check_alive()
        argv = [self._program("control/client/adit"), "--socket", str(self._cli_socket), *command.split()]
        result = subprocess.run(argv, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise SceneError(f"{self.site.name}# {command}\n{result.stdout}{result.stderr}")
        return result.stdout

    def ports_up(self) -> bool:
        return self.cli("show interfaces").count("is up, line protocol is up") == 2

    def active_sas(self) -> int:
        return int(re.search(r"active: (\d+)", self.cli("show crypto ipsec sa count"))[1])

    def counters(self) -> Counters:
        lan = self.cli("show interfaces GigabitEthernet0/1")
        flows = self.cli("show crypto ipsec sa")
        drops = self.cli("show dataplane drops")
        return Counters(
            lan_in=int(re.search(r"(\d+) packets input", lan)[1]),
            encaps=sum(map(int, re.findall(r"#pkts encaps: (\d+)", flows))),
            decaps=sum(map(int, re.findall(r"#pkts decaps: (\d+)", flows))),
            drops={name: int(count) for name, count in re.findall(r"^(\S+) +(\d+) ", drops, re.MULTILINE)},
        )
