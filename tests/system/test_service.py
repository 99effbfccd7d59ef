# SPDX-License-Identifier: Apache-2.0
"""Both processes tell a service manager that they are ready, that they live and that they stop."""

import signal
import socket
import time

import pytest
from lab.adit import Adit
from lab.process import wait_until
from lab.tunnel import SITE_A, SITE_B, Tunnel, ios_config

WATCHDOG = 2  # seconds


class Manager:
    """Listens as systemd does (sd_notify)."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self._socket.setblocking(False)
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": str(WATCHDOG * 1_000_000)}
        self.told: list[tuple[str, float]] = []

    def listen(self) -> list[str]:
        while True:
            try:
                self.told.append((self._socket.recv(256).decode(), time.monotonic()))
            except BlockingIOError:
                return [what for what, _ in self.told]

    def longest_silence(self) -> float:
        times = [when for _, when in self.told]
        return max(later - earlier for earlier, later in zip(times, times[1:]))

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(folder):
    manager = Manager(folder / "notify")
    yield manager
    manager.close()


@pytest.mark.parametrize("which", ["control", "dataplane"])
def test_a_service_manager_is_told(manager, scene, monkeypatch, which):
    adit = Adit(scene.gw_a, scene.folder, ios_config(SITE_A, SITE_B, Tunnel()))
    scene.on_close(adit.stop)
    if which == "control":
        adit.start_dataplane()
    for name, value in manager.environment.items():
        monkeypatch.setenv(name, value)
    getattr(adit, f"start_{which}")()
    process = getattr(adit, which)
    wait_until(lambda: "READY=1" in manager.listen(), 5, "ready")
    wait_until(lambda: manager.listen().count("WATCHDOG=1") >= 6, 3 * WATCHDOG, "signs of life")
    assert manager.told[0][0] == "READY=1"
    assert manager.longest_silence() < WATCHDOG

    process.signal(signal.SIGSTOP)
    before = len(manager.listen())
    time.sleep(WATCHDOG)
    assert len(manager.listen()) == before, "a process that stands still says nothing"
    process.signal(signal.SIGCONT)
    wait_until(lambda: len(manager.listen()) > before, 2, "alive again")

    assert process.stop() == 0
    assert manager.listen()[-1] == "STOPPING=1"
