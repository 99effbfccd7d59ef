# SPDX-License-Identifier: Apache-2.0
"""Certificates made when a scene runs, by the openssl program: CAs, chains, revocation lists."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path

KEY_COMMANDS = {
    "rsa": ("genrsa", "-traditional", "2048"),
    "ec256": ("ecparam", "-name", "prime256v1", "-genkey", "-noout"),
    "ec384": ("ecparam", "-name", "secp384r1", "-genkey", "-noout"),
}

CA_CONFIG = """
[ca]
default_ca = here
[here]
database = {folder}/index.txt
serial = {folder}/serial
crlnumber = {folder}/crlnumber
new_certs_dir = {folder}
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
[any]
organizationName = optional
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
O = Example
CN = {name}
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[end]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
subjectAltName = {names}
"""


def _openssl(*words: object) -> None:
    subprocess.run(
        ("openssl", *map(str, words)), check=True, capture_output=True, text=True, timeout=60
    )


@dataclass(frozen=True)
class Entity:
    """A certificate with its key; `chain` holds it and the intermediates above it."""

    certificate: Path
    key: Path
    chain: Path


class Authority:
    """A CA in a folder of its own; under `issuer` when it is no root."""

    def __init__(self, folder: Path, name: str, issuer: Authority | None = None, key: str = "rsa"):
        self.folder = folder / name.replace(" ", "-")
        self.folder.mkdir(parents=True)
        self.name = name
        self.issuer = issuer
        self._key_kind = key
        self.certificate = self.folder / "ca.pem"
        self.key = self.folder / "ca.key"
        self.crl = self.folder / "ca.crl"
        self._config = self.folder / "ca.cnf"
        (self.folder / "index.txt").write_text("")
        (self.folder / "serial").write_text("1000\n")
        (self.folder / "crlnumber").write_text("01\n")
        _openssl(*KEY_COMMANDS[key][:1], "-out", self.key, *KEY_COMMANDS[key][1:])
        self._write_config(name, "DNS:unused.example.com")
        if issuer is None:
            _openssl(
                *("req", "-x509", "-new", "-key", self.key, "-config", self._config),
                *("-extensions", "root", "-days", "30", "-out", self.certificate),
            )
        else:
            request = self.folder / "ca.csr"
            _openssl("req", "-new", "-key", self.key, "-config", self._config, "-out", request)
            issuer.sign(request, self.certificate, "root")
        self.publish_crl()

    def _write_config(self, name: str, names: str) -> None:
        self._config.write_text(CA_CONFIG.format(folder=self.folder, name=name, names=names))

    def sign(self, request: Path, certificate: Path, extensions: str, begin: int = -1, end: int = 20) -> None:
        """Valid from `begin` to `end`, in days from now."""
        now = datetime.now(timezone.utc)
        date = lambda days: (now + timedelta(days=days)).strftime("%Y%m%d%H%M%SZ")  # noqa: E731
        _openssl(
            *("ca", "-batch", "-notext", "-config", self._config, "-extensions", extensions),
            *("-cert", self.certificate, "-keyfile", self.key, "-in", request, "-out", certificate),
            *("-startdate", date(begin), "-enddate", date(end)),
        )

    def issue(self, name: str, names: str, key: str = "", begin: int = -1, end: int = 20) -> Entity:
        """`names` as subjectAltName writes them: "DNS:gw.example.com,IP:192.0.2.1"."""
        kind = KEY_COMMANDS[key or self._key_kind]
        stem = self.folder / name
        private, request = stem.with_suffix(".key"), stem.with_suffix(".csr")
        certificate, chain = stem.with_suffix(".pem"), stem.with_suffix(".chain")
        _openssl(kind[0], "-out", private, *kind[1:])
        self._write_config(name, names)
        _openssl("req", "-new", "-key", private, "-config", self._config, "-out", request)
        self.sign(request, certificate, "end", begin, end)
        chain.write_text(certificate.read_text() + self._intermediates())
        return Entity(certificate, private, chain)

    def _intermediates(self) -> str:
        return self.certificate.read_text() + self.issuer._intermediates() if self.issuer else ""

    def revoke(self, entity: Entity) -> None:
        _openssl(
            *("ca", "-config", self._config, "-cert", self.certificate, "-keyfile", self.key),
            *("-revoke", entity.certificate),
        )
        self.publish_crl()

    def publish_crl(self) -> None:
        _openssl(
            *("ca", "-config", self._config, "-cert", self.certificate, "-keyfile", self.key),
            *("-gencrl", "-crldays", "7", "-out", self.crl),
        )


def trustpoint(authority: Path, own: Entity, crl: Path | None = None) -> str:
    """The lines of `crypto pki trustpoint`."""
    lines = [
        "crypto pki trustpoint LAB",
        " enrollment terminal pem",
        f" ca-file {authority}",
        f" certificate-file {own.chain}",
        f" key-file {own.key}",
    ]
    lines += [f" crl-file {crl}", " revocation-check crl"] if crl else [" revocation-check none"]
    return "\n".join(lines) + "\n"


def swanctl_folder(folder: Path, authority: Path, own: Entity) -> Path:
    """What swanctl loads besides its configuration; the chain's first certificate is strongSwan's."""
    base = folder / "credentials"
    for name in ("x509", "x509ca", "private"):
        (base / name).mkdir(parents=True, exist_ok=True)
    (base / "x509ca" / "ca.pem").write_text(authority.read_text())
    (base / "private" / "own.key").write_text(own.key.read_text())
    parts = own.chain.read_text().split("-----END CERTIFICATE-----\n")[:-1]
    for number, part in enumerate(parts):
        where = base / ("x509" if number == 0 else "x509ca") / f"own{number}.pem"
        where.write_text(part + "-----END CERTIFICATE-----\n")
    return base
