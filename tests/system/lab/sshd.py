# SPDX-License-Identifier: Apache-2.0
"""A real sshd beside the appliance, with accounts that exist for it alone.

It listens on its namespace's loopback. `ip netns exec` gives it mounts of its own, and there it sees a
passwd, a shadow and a /run that are not the machine's; nothing on the machine changes.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from lab.adit import REPOSITORY, Adit, program
from lab.net import run
from lab.process import SceneError, wait_until

PORT = 22
PASSWORD = "a-lab-password"
SHELL_USER = "noc"  # its login shell is adit
FORCED_USER = "forced"  # its login shell is sh, its ForceCommand adit
_FIRST_UID = 60100


class Sshd:
    """Started; `argv()` runs the ssh client against it."""

    def __init__(self, adit: Adit, folder: Path):
        self.namespace = adit.namespace
        self._folder = folder / "sshd"
        self._folder.mkdir()
        self.client_key = self._folder / "client_key"
        for key in (self.client_key, self._folder / "host_key"):
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
        group = os.stat(adit.control_socket).st_gid
        self._write_accounts(group)
        (self._folder / "sshd_config").write_text(self._config())
        (self._folder / "start").write_text(self._start_script(adit))
        self._process = self.namespace.start(
            "sshd", ["sh", str(self._folder / "start")], self._folder / "sshd.log"
        )
        wait_until(self._listens, 10, "sshd listens")

    def _listens(self) -> bool:
        if not self._process.alive:
            raise SceneError(f"sshd ended:\n{self._process.output()}")
        return f":{PORT} " in self.namespace.run("ss", "-tlnH").stdout

    def _write_accounts(self, group: int) -> None:
        passwd, shadow = Path("/etc/passwd").read_text(), Path("/etc/shadow").read_text()
        digest = run("openssl", "passwd", "-6", PASSWORD).stdout.strip()
        shells = {SHELL_USER: "/run/bin/adit", FORCED_USER: "/bin/sh"}
        for number, (name, shell) in enumerate(shells.items()):
            passwd += f"{name}:x:{_FIRST_UID + number}:{group}::/run/home:{shell}\n"
            shadow += f"{name}:{digest}:19000:0:99999:7:::\n"
        (self._folder / "passwd").write_text(passwd)
        (self._folder / "shadow").write_text(shadow)

    def _config(self) -> str:
        documented = (REPOSITORY / "docs/examples/sshd-adit.conf").read_text()
        return f"""
ListenAddress 127.0.0.1:{PORT}
HostKey {self._folder}/host_key
PidFile none
UsePAM no
StrictModes no
AuthorizedKeysFile /run/authorized_keys
PasswordAuthentication yes
Subsystem sftp internal-sftp
{documented.replace("Match Group adit", f"Match User {SHELL_USER},{FORCED_USER}")}
Match User {FORCED_USER}
    ForceCommand /run/bin/adit
"""

    def _start_script(self, adit: Adit) -> str:
        here = shlex.quote(str(self._folder))
        # The client's own place: where an installed one looks for the socket.
        sockets = shlex.quote(str(adit.control_socket.parent))
        return f"""set -e
mount --bind {here}/passwd /etc/passwd
mount --bind {here}/shadow /etc/shadow
exec 3<{shlex.quote(program("adit"))} 4<{here}/client_key.pub
cd {sockets}
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/sshd /run/adit /run/bin /run/home
mount --bind . /run/adit
cat <&3 >/run/bin/adit && chmod 755 /run/bin/adit
cat <&4 >/run/authorized_keys
exec /usr/sbin/sshd -D -e -f {here}/sshd_config 3<&- 4<&-
"""

    def argv(self, user: str = SHELL_USER, *options: str) -> list[str]:
        return [
            *("ssh", "-F", "none", "-i", str(self.client_key), "-p", str(PORT)),
            *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
            *("-o", "LogLevel=ERROR", "-o", "BatchMode=yes"),
            *(*options, f"{user}@127.0.0.1"),
        ]

    def run(self, command: str, user: str = SHELL_USER, *options: str):
        """An exec request. The result has returncode and stdout (with stderr in it)."""
        return self.namespace.run(*self.argv(user, *options), "--", command, check=False)

    def stop(self) -> None:
        self._process.stop()
