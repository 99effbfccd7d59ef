# SPDX-License-Identifier: Apache-2.0
"""Sends or receives random octets over TCP and prints their sha256. Runs inside a scene's namespace."""

import hashlib
import os
import socket
import sys

CHUNK = 1 << 20
SILENCE_SECONDS = 30


def send(address: str, port: int, megabytes: int) -> str:
    digest = hashlib.sha256()
    with socket.create_connection((address, port), timeout=SILENCE_SECONDS) as connection:
        for _ in range(megabytes):
            chunk = os.urandom(CHUNK)
            digest.update(chunk)
            connection.sendall(chunk)
    return digest.hexdigest()


def receive(port: int) -> str:
    digest = hashlib.sha256()
    with socket.create_server(("", port)) as server:
        print("listening", flush=True)
        server.settimeout(SILENCE_SECONDS)
        connection, _ = server.accept()
        with connection:
            connection.settimeout(SILENCE_SECONDS)
            while chunk := connection.recv(CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


if sys.argv[1] == "send":
    print(send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
else:
    print(receive(int(sys.argv[2])))
