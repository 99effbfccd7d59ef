# SPDX-License-Identifier: Apache-2.0
"""Children with a name, a log file and an end. They are ended by process id, never by name."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

# Every child inherits this, so that leftovers can be found without knowing their names.
LAB_MARK = "ADIT_LAB"


class SceneError(AssertionError):
    """Something in the scene's surroundings failed; the text says what and shows the output."""


def wait_until(condition: Callable[[], object], timeout: float, what: str, step: float = 0.05):
    """Returns the first true value of `condition`; fails with `what` when there is none in time."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise SceneError(f"not within {timeout:g} s: {what}")
        time.sleep(step)


class Process:
    """A running program. Standard output and error go to `log_path`."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        log_path: Path,
        env: Mapping[str, str] | None = None,
    ):
        self.name = name
        self.log_path = log_path
        with open(log_path, "ab") as log:
            self._child = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    @property
    def status(self) -> int | None:
        return self._child.poll()

    def output(self) -> str:
        return self.log_path.read_text(errors="replace")

    def signal(self, number: int) -> None:
        if self.alive:
            os.kill(self.pid, number)

    def wait(self, timeout: float = 10) -> int:
        try:
            return self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise SceneError(f"{self.name} still runs after {timeout:g} s") from None

    def stop(self, timeout: float = 5) -> int:
        """Asks, waits, insists. Returns the exit status, negative for a signal."""
        self.signal(signal.SIGTERM)
        try:
            return self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            return self._child.wait(5)

    def wait_for_output(self, text: str, timeout: float = 5) -> None:
        def there() -> bool:
            if text in self.output():
                return True
            if not self.alive:
                raise SceneError(f"{self.name} ended with {self.status}:\n{self.output()}")
            return False

        wait_until(there, timeout, f"{self.name} says {text!r}")


def marked_processes(mark: str) -> list[int]:
    """Ids of the processes, other than this one, that were started with this lab's mark."""
    wanted = f"{LAB_MARK}={mark}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:  # ended meanwhile, or a zombie
            continue
    return found
