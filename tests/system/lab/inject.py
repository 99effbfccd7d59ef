# SPDX-License-Identifier: Apache-2.0
"""Sends what no honest host sends. Runs inside a scene's namespace.

    inject.py spoof PORT GATEWAY SOURCE DESTINATION COUNT   clear-text pings, by way of GATEWAY
    inject.py replay PORT PCAP SENDER                       UDP-encapsulated ESP that SENDER sent
    inject.py esp PORT TARGET SPI COUNT                     the same from UDP PORT, with nothing true in it but
                                                            the SPI
"""

import os
import socket
import struct
import subprocess
import sys

from scapy.config import conf
from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.l2 import Ether
from scapy.sendrecv import sendp
from scapy.utils import rdpcap

conf.verb = 0


def neighbor(port: str, address: str) -> str:
    """The MAC address that the kernel has learned."""
    words = ["ip", "neighbour", "show", address, "dev", port]
    fields = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    return fields[fields.index("lladdr") + 1]


def spoof(port: str, gateway: str, source: str, destination: str, count: str) -> None:
    frame = Ether(dst=neighbor(port, gateway)) / IP(src=source, dst=destination) / ICMP()
    sendp(frame, iface=port, count=int(count))


def replay(port: str, recorded: str, sender: str) -> None:
    frames = [
        frame
        for frame in rdpcap(recorded)
        if IP in frame and frame[IP].src == sender and UDP in frame and frame[UDP].dport == 4500
    ]
    sendp(frames, iface=port)


def esp(port: str, target: str, spi: str, count: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("", int(port)))
        for sequence in range(1_000_000, 1_000_000 + int(count)):
            sender.sendto(struct.pack("!II", int(spi, 0), sequence) + os.urandom(120), (target, 4500))


{"spoof": spoof, "replay": replay, "esp": esp}[sys.argv[1]](*sys.argv[2:])
