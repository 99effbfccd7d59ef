# SPDX-License-Identifier: Apache-2.0
"""strongSwan as the far gateway: charon in its own namespace, ESP in userspace (kernel-libipsec).

libipsec does tunnel mode only and always encapsulates in UDP: it fakes the NAT-D hash, so the other side
must do NAT-T on every link (RFC 3947).
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from lab.net import Namespace
from lab.process import Process, wait_until

CHARON = Path("/usr/sbin/charon-systemd")
SWANCTL = Path("/usr/sbin/swanctl")

# An explicit list: what the distribution enables besides (bypass-lan, resolve ...) would act on the host.
PLUGINS = (
    "random nonce openssl aes gcm sha1 sha2 md5 hmac kdf gmp pem pkcs1 x509 pubkey "
    "kernel-libipsec kernel-netlink socket-default vici updown counters xauth-generic"
)


def unconfined_copy(program: Path, folder: Path) -> str:
    """AppArmor profiles go by path and would tie these programs to /etc and /run: run a copy of our own."""
    copy = folder / program.name
    if not copy.exists():
        shutil.copy(program, copy)
    return str(copy)


class Strongswan:
    """One charon. `folder` holds its configuration, socket and log; `credentials`, if given,
    x509, x509ca and private as swanctl wants them."""

    plugins = PLUGINS
    log_level = 1
    patience = """retransmit_tries = 2
  retransmit_timeout = 1.0
  retransmit_base = 1.4"""

    def __init__(
        self,
        namespace: Namespace,
        folder: Path,
        swanctl: str,
        options: str = "",
        credentials: Path | None = None,
    ):
        self.namespace = namespace
        self._folder = folder
        self._log = folder / f"{namespace.label}.charon.log"
        self._uri = f"unix://{folder}/{namespace.label}.vici"
        self._conf = folder / f"{namespace.label}.strongswan.conf"
        # swanctl looks for certificates and keys beside its configuration
        self._swanctl_conf = (credentials or folder) / f"{namespace.label}.swanctl.conf"
        self._conf.write_text(self._charon_conf(options))
        self._swanctl_conf.write_text(swanctl)
        self._charon_program = unconfined_copy(CHARON, folder)
        self._swanctl_program = unconfined_copy(SWANCTL, folder)
        self._process: Process | None = None

    def _charon_conf(self, options: str) -> str:
        return f"""
charon-systemd {{
  load = {self.plugins}
  {self.patience}
  {options}
  plugins {{
    vici {{
      socket = {self._uri}
    }}
  }}
  filelog {{
    file {{
      path = {self._log}
      default = {self.log_level}
      flush_line = yes
    }}
  }}
  journal {{
    default = -1
  }}
}}
swanctl {{
  load = pem pkcs1 x509 openssl random
}}
"""

    @property
    def _env(self) -> dict[str, str]:
        return {"STRONGSWAN_CONF": str(self._conf)}

    def start(self) -> None:
        self._process = self.namespace.start(
            "charon", [self._charon_program], self._folder / f"{self.namespace.label}.charon.out", self._env
        )
        wait_until(
            lambda: self.swanctl("--stats", check=False).returncode == 0, 10, "charon answers"
        )
        self._load()

    def load(self, swanctl: str) -> None:
        """Another configuration in place of the first."""
        self._swanctl_conf.write_text(swanctl)
        self._load()

    def _load(self) -> None:
        self.swanctl("--load-all", "--noprompt", "--file", str(self._swanctl_conf))

    def stop(self) -> None:
        if self._process:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """As a power cut would: no delete is sent."""
        assert self._process
        self._process.signal(9)
        self._process.wait()
        self._process = None

    def swanctl(self, *words: str, check: bool = True, timeout: float = 30):
        return self.namespace.run(
            self._swanctl_program, *words, "--uri", self._uri, check=check, timeout=timeout, env=self._env
        )

    @property
    def environment(self) -> dict[str, str]:
        """For words that are run beside the scene, as those of initiate_argv()."""
        return {**os.environ, **self._env}

    def initiate_argv(self, child: str = "net0") -> list[str]:
        words = ("--initiate", "--child", child, "--timeout", "12", "--uri", self._uri)
        return self.namespace.argv(self._swanctl_program, *words)

    def initiate(self, child: str = "net0", check: bool = True) -> str:
        result = self.swanctl("--initiate", "--child", child, "--timeout", "12", check=check)
        return result.stdout

    def sas(self) -> str:
        return self.swanctl("--list-sas").stdout

    def children(self) -> int:
        """CHILD_SAs that are installed."""
        return len(re.findall(r"^  \S+: #\d+, reqid \d+, INSTALLED", self.sas(), re.MULTILINE))

    def established(self) -> int:
        """ISAKMP SAs that are established."""
        return len(re.findall(r"^\S+: #\d+, ESTABLISHED", self.sas(), re.MULTILINE))

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""
