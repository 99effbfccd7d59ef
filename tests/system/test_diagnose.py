# SPDX-License-Identifier: Apache-2.0
"""`show crypto diagnose` against faults that are made for real: the cause is named, and no other one on
the way there. One pair of gateways works, breaks, and works again, fault after fault."""

import json
import subprocess
import time
from dataclasses import dataclass, replace

from lab.process import SceneError, wait_until
from lab.traffic import ping, ping_until_answered
from lab.tunnel import SITE_A, SITE_B, Esp, Phase1, Tunnel, swanctl_config
from test_certificates import Lab

GOOD = Tunnel(keepalive="10 2 periodic")
# What may be said before there is enough to say more.
UNDECIDED = {"none", "no-traffic", "unknown", "negotiating"}
ESP_IN_UDP = "udp dport 4500 @th,64,32 != 0"  # no non-ESP marker


def diagnosis(adit) -> dict:
    answer = json.loads(adit.cli(f"show crypto diagnose peer {SITE_B.wan} json"))
    assert answer["schema"] == "crypto.diagnose/1"
    return answer["tunnels"][0]


def wait_for_code(adit, expected: str, timeout: float, doing=lambda: None) -> tuple[dict, float]:
    """The verdict, and after how many seconds it came. Another cause on the way is a failure."""
    begin = time.monotonic()
    seen = []

    def decided():
        doing()
        found = diagnosis(adit)
        if found["code"] not in seen:
            seen.append(found["code"])
        wrong = set(seen) - UNDECIDED - {expected}
        if wrong:
            raise SceneError(f"{expected} is the fault, diagnosed was {wrong}: {found}")
        return found if found["code"] == expected else None

    try:
        verdict = wait_until(decided, timeout, expected, step=0.3)
    except SceneError as error:
        raise SceneError(f"{error}; diagnosed was {seen}") from None
    return verdict, time.monotonic() - begin


@dataclass
class Fault:
    """What breaks, how it is provoked, and what must be said of it."""

    name: str
    code: str
    theirs: Tunnel = GOOD  # what the peer has while it is broken
    filter: str = ""  # nftables rules in the peer's input chain
    ours: tuple[str, ...] = ()  # configuration lines, and what takes them back
    mended: tuple[str, ...] = ()
    begins: str = "us"  # who tries: us, them, nobody
    says: str = ""  # some words of the verdict


MAP = "crypto map VPNMAP 10 ipsec-isakmp"
PROFILE = (
    *("crypto keyring K", f"pre-shared-key address {SITE_B.wan} key {GOOD.secret}"),
    *("crypto isakmp profile P", "keyring K", "match identity host other.example"),
    *(MAP, "set isakmp-profile P"),
)
NO_PROFILE = (MAP, "no set isakmp-profile P", "no crypto isakmp profile P", "no crypto keyring K")

FAULTS = (
    Fault("no traffic yet", "no-traffic", begins="nobody"),
    Fault("pre-shared keys differ", "psk-mismatch", replace(GOOD, secret="another")),
    Fault("pre-shared keys differ", "psk-mismatch", replace(GOOD, secret="another"), begins="them"),
    Fault("policies differ", "p1-notify", replace(GOOD, phase1=(Phase1("aes", "sha", 14),)), says="aes256-sha256-ecp256"),
    Fault("policies differ", "p1-policy", replace(GOOD, phase1=(Phase1("aes", "sha", 14),)), begins="them", says="AES-CBC-128"),
    Fault("the peer's name is another", "p1-identity", ours=PROFILE, mended=NO_PROFILE),
    Fault("transforms differ", "p2-transform", replace(GOOD, esp=(Esp("esp-aes 256 esp-sha-hmac"),))),
    Fault("transforms differ", "p2-transform", replace(GOOD, esp=(Esp("esp-aes 256 esp-sha-hmac"),)), begins="them", says="aes128gcm16"),
    Fault("access lists differ", "p2-proxy", replace(GOOD, flows=(("10.1.0.0/16", "10.3.0.0/16"),))),
    Fault("access lists differ", "p2-proxy", replace(GOOD, flows=(("10.1.0.0/16", "10.3.0.0/16"),)), begins="them", says="permit ip 10.2.0.0 0.0.255.255 10.1.0.0 0.0.255.255"),
    Fault("no key here", "local-config", ours=(f"no crypto isakmp key SECRET address {SITE_B.wan}",), mended=(f"crypto isakmp key {GOOD.secret} address {SITE_B.wan}",)),
    Fault("UDP 500 filtered", "no-reply", filter="udp dport 500 drop"),
    Fault("our answers from 500 filtered", "one-way-500", filter="udp sport 500 drop", begins="them"),
    Fault("UDP 4500 filtered", "one-way-4500", filter="udp dport 4500 drop"),
    Fault("ESP filtered on the way", "esp-blocked", filter=f"{ESP_IN_UDP} drop", says="4500"),
    Fault("interface shut down", "interface", ours=("interface GigabitEthernet0/0", "shutdown"), mended=("interface GigabitEthernet0/0", "no shutdown"), begins="nobody"),
    Fault("no route", "no-route", ours=("interface GigabitEthernet0/0", "ip address 192.0.2.1 255.255.255.252"), mended=("interface GigabitEthernet0/0", "ip address 192.0.2.1 255.255.255.0"), begins="nobody"),
)


class Bench:
    """The pair, and how it is broken and mended."""

    def __init__(self, scene):
        self.scene = scene
        self.adit, self.peer = scene.pair(GOOD)

    def attempt(self, fault: Fault):
        """A step of the provocation, repeated while the verdict is awaited."""
        if fault.begins == "us":
            ping(self.scene.host_a, SITE_B.host, count=1, wait=0.1)

    def apply(self, fault: Fault) -> subprocess.Popen | None:
        if fault.filter:
            rules = f"table ip fault {{ chain in {{ type filter hook input priority 0; {fault.filter}; }}; }}"
            self.scene.gw_b.run("nft", rules)
        if fault.theirs is not GOOD:
            self.peer.load(swanctl_config(SITE_B, SITE_A, fault.theirs))
        if fault.ours:
            self.adit.configure(*fault.ours)
        if fault.code not in ("esp-blocked", "no-traffic"):
            self.adit.cli("clear crypto isakmp")
            self.adit.cli("clear crypto sa")
            self.peer.swanctl("--terminate", "--ike", "peer", "--force", check=False)
        if fault.begins != "them":
            return None
        words = self.peer.initiate_argv("net0")
        return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.peer.environment)

    def mend(self, fault: Fault):
        self.scene.gw_b.run("nft", "delete table ip fault", check=False)
        if fault.mended:
            self.adit.configure(*fault.mended)
        if fault.theirs is not GOOD:
            self.peer.load(swanctl_config(SITE_B, SITE_A, GOOD))
        self.adit.cli("clear crypto isakmp")
        self.peer.swanctl("--terminate", "--ike", "peer", "--force", check=False)
        ping_until_answered(self.scene.host_a, SITE_B.host, timeout=20)

    def run(self, fault: Fault) -> tuple[str, float]:
        child = self.apply(fault)
        try:
            verdict, seconds = wait_for_code(self.adit, fault.code, 25, lambda: self.attempt(fault))
        finally:
            if child:
                child.wait(20)
        text = self.adit.cli(f"show crypto diagnose peer {SITE_B.wan}")
        assert verdict["next"] and fault.says in text, text
        self.mend(fault)
        assert diagnosis(self.adit)["condition"] == "UP"
        return f"{fault.name} ({fault.begins})", seconds


def test_each_fault_is_named(scene):
    bench = Bench(scene)
    rows = []
    for fault in FAULTS:
        name, seconds = bench.run(fault)
        rows.append(f"{name:40} {fault.code:14} {seconds:5.1f} s")
        print(rows[-1], flush=True)


def test_clear_text_a_dead_peer_and_no_dataplane(scene):
    bench = Bench(scene)
    adit = bench.adit
    # The peer's kernel routes what strongSwan has no policy for.
    verdict, seconds = wait_for_code(
        adit, "clear-text", 10, lambda: ping(scene.host_b, SITE_A.host, count=1, wait=0.1)
    )
    print(f"{'the peer sends in the clear':40} clear-text     {seconds:5.1f} s")
    assert "10.2.0.10 -> 10.1.0.10" in json.dumps(verdict)
    ping_until_answered(scene.host_a, SITE_B.host)
    bench.peer.kill()
    _, seconds = wait_for_code(adit, "no-reply", 45)
    print(f"{'the peer died':40} no-reply       {seconds:5.1f} s")
    adit.dataplane.stop()
    _, seconds = wait_for_code(adit, "dataplane", 10)
    print(f"{'no dataplane':40} dataplane      {seconds:5.1f} s")


def test_expired_certificate(scene):
    lab = Lab(scene, "ec256")
    lab.theirs = lab.root.issue("gw-b-old", "IP:192.0.2.20", begin=-30, end=-2)
    adit, peer = lab.start()
    child = subprocess.Popen(
        peer.initiate_argv("net0"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=peer.environment
    )
    verdict, seconds = wait_for_code(adit, "cert", 15)
    child.wait(20)
    print(f"{'certificate expired':40} cert           {seconds:5.1f} s")
    assert "expired" in json.dumps(verdict)


def test_problems_history_and_metrics(scene):
    adit, peer = scene.pair(GOOD)
    tunnel = 'tunnel="VPNMAP 10 GigabitEthernet0/0",peer="192.0.2.20"'
    assert adit.metrics()[f"vpn_tunnel_up{{{tunnel}}}"] == 0
    assert adit.cli("show crypto diagnose problems") == "No tunnel has a problem\n"
    ping_until_answered(scene.host_a, SITE_B.host)
    up = adit.metrics()
    assert up[f"vpn_tunnel_up{{{tunnel}}}"] == 1
    flow = 'peer="192.0.2.20",local_ts="10.1.0.0/16",remote_ts="10.2.0.0/16"'
    assert up[f'vpn_ipsec_sa_packets_total{{{flow},direction="in"}}'] >= 1
    peer.load(swanctl_config(SITE_B, SITE_A, replace(GOOD, secret="another")))
    adit.cli("clear crypto isakmp")
    adit.cli(f"test crypto peer {SITE_B.wan} initiate")
    wait_for_code(adit, "psk-mismatch", 20)
    assert "VPNMAP 10 GigabitEthernet0/0, peer 192.0.2.20\n  DOWN  psk-mismatch" in adit.cli("show crypto diagnose problems")
    down = adit.metrics()
    assert down[f'vpn_tunnel_down_cause{{{tunnel},cause="psk-mismatch"}}'] == 1
    assert down['vpn_ike_failures_total{reason="psk-mismatch"}'] >= 1
    assert down['vpn_tunnel_flaps_total{peer="192.0.2.20"}'] >= 1
    history = adit.cli("show crypto isakmp history")
    assert history.index("  up  ") < history.index("psk-mismatch")
    answer = json.loads(adit.cli("show crypto isakmp history json"))
    codes = [event["code"] for event in answer["peers"][0]["events"]]
    assert {"up", "down", "psk-mismatch"} <= set(codes), codes
