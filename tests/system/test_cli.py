# SPDX-License-Identifier: Apache-2.0
"""The CLI over a terminal, as fingers use it."""

import re

import pexpect
import pytest
from lab.adit import program
from lab.tunnel import SITE_A, Tunnel

PROMPT = "gw-a#"
UP, CTRL_A, CTRL_C, CTRL_Z = "\x1b[A", "\x01", "\x03", "\x1a"


class Terminal:
    """A session on a pseudo-terminal of 80 columns."""

    def __init__(self, adit, rows: int = 24):
        self._child = pexpect.spawn(
            program("adit"),
            ["--socket", str(adit.control_socket)],
            dimensions=(rows, 80),
            encoding="utf-8",
            timeout=5,
        )
        self._child.expect_exact(PROMPT)

    def type(self, keys: str) -> None:
        self._child.send(keys)

    def expect(self, pattern: str) -> str:
        """Waits for a regular expression; returns what came before and with it."""
        self._child.expect(pattern)
        return self._child.before + self._child.after

    def command(self, line: str, prompt: str = PROMPT) -> str:
        """Types a line and Enter; returns the output before the next prompt."""
        self._child.send(line + "\r")
        self._child.expect_exact(prompt)
        return self._child.before.replace("\r\n", "\n")

    def wait_end(self) -> None:
        self._child.expect(pexpect.EOF)
        self._child.close()

    def close(self) -> None:
        self._child.close(force=True)


@pytest.fixture
def adit(scene):
    return scene.adit(Tunnel())


@pytest.fixture
def terminal(adit):
    terminal = Terminal(adit)
    yield terminal
    terminal.close()


def test_question_mark_lists_what_may_come_next(terminal):
    terminal.type("show crypto ?")
    text = terminal.expect(r"gw-a#show crypto $")
    assert re.search(r"^\s+isakmp\s+\w+", text, re.MULTILINE)
    assert re.search(r"^\s+ipsec\s+\w+", text, re.MULTILINE)
    terminal.type("isa?")
    assert "isakmp" in terminal.expect(r"gw-a#show crypto isa$")


def test_tab_completes_a_certain_word(terminal):
    terminal.type("sh cry isak\t")
    terminal.expect(r"isakmp ")
    assert "IPv4 Crypto ISAKMP SA" in terminal.command("sa")


def test_abbreviations_and_the_caret(terminal):
    assert "IPv4 Crypto ISAKMP SA" in terminal.command("sh cry isa sa")
    assert re.search(r"\n +\^\n% Invalid input detected at '\^' marker\.", terminal.command("show crypto isakmp nosuch"))
    assert "% Incomplete command." in terminal.command("show crypto")
    assert "% Ambiguous command" in terminal.command("show crypto i")


def test_pager(terminal):
    terminal.command("terminal length 10")
    terminal.type("show running-config\r")
    first = terminal.expect(r"--More--")
    assert first.count("\n") <= 11
    terminal.type(" ")
    terminal.expect(r"--More--|gw-a#")
    terminal.type("q")
    terminal.expect(r"gw-a#")
    terminal.command("terminal length 0")
    assert "--More--" not in terminal.command("show running-config")


def test_history(terminal):
    terminal.command("show version")
    terminal.command("show ip route")
    terminal.type(UP)
    terminal.expect(r"show ip route")
    terminal.type(UP)
    terminal.expect(r"show version")
    terminal.type("\r")
    terminal.expect(r"uptime is[\s\S]*gw-a#")


def test_editing_and_ctrl_c(terminal):
    terminal.type("version" + CTRL_A + "show \r")
    terminal.expect(r"uptime is[\s\S]*gw-a#")
    terminal.type("show nonsense" + CTRL_C)
    terminal.expect(r"gw-a#")
    assert "uptime is" in terminal.command("show version")


def test_ctrl_z_leaves_configuration_and_runs_what_is_typed(terminal):
    terminal.command("configure terminal", "gw-a(config)#")
    terminal.command("crypto isakmp policy 33", "gw-a(config-isakmp)#")
    terminal.type("group 20" + CTRL_Z)
    terminal.expect(r"gw-a#")
    assert " group 20" in terminal.command("show running-config | section policy 33")


def test_a_question_waits_for_its_answer(terminal, adit):
    terminal.type("copy running-config startup-config\r")
    terminal.expect(r"Destination filename \[startup-config\]\? $")
    terminal.type(CTRL_C)
    terminal.expect(r"gw-a#$")
    adit.config_path.unlink()
    terminal.type("copy run start\r")
    terminal.expect(r"Destination filename \[startup-config\]\? $")
    terminal.type("\r")
    terminal.expect(r"\[OK\]\r\n[\s\S]*gw-a#$")
    assert "crypto map VPNMAP 10 ipsec-isakmp" in adit.config_path.read_text()


def test_a_change_is_taken_back_on_request(terminal):
    terminal.command("configure terminal revert timer 5", "gw-a(config)#")
    terminal.command("hostname risky", "risky(config)#")
    terminal.type("end\r")
    terminal.expect(r"risky#$")
    assert "+hostname risky" in terminal.command("show archive config differences", "risky#")
    terminal.type("configure revert now\r")
    terminal.expect(r"gw-a#$")


def test_exit_ends_the_session(terminal):
    terminal.type("exit\r")
    terminal.wait_end()


def test_one_shot_command_and_its_status(adit):
    assert "IPv4 Crypto ISAKMP SA" in adit.cli("sh cry isa sa")
    with pytest.raises(AssertionError, match="Invalid input"):
        adit.cli("show nonsense")


def test_running_configuration_hides_the_key(adit):
    text = adit.cli("show running-config")
    assert "crypto map VPNMAP 10 ipsec-isakmp" in text
    assert "crypto isakmp key" in text
    assert Tunnel().secret not in text


@pytest.mark.parametrize(
    "command, pattern",
    [
        ("show crypto isakmp sa", r"^dst +src +state +conn-id status$"),
        ("show crypto isakmp sa detail", r"^C-id  Local +Remote +I-VRF"),
        ("show crypto isakmp policy", r"^Global IKE policy$"),
        ("show crypto ipsec sa", r"^interface: GigabitEthernet0/0$"),
        ("show crypto session", r"^Session status: DOWN"),
        ("show crypto session detail", r"^Crypto session current status$"),
        ("show crypto map", r'^Crypto Map IPv4 "VPNMAP" 10 ipsec-isakmp$'),
        ("show interfaces", rf"^  Internet address is {SITE_A.wan}/24$"),
        ("show ip interface brief", r"^GigabitEthernet0/0 +192\.0\.2\.1 +YES"),
        ("show ip route", r"^C  +192\.0\.2\.0/24 is directly connected, GigabitEthernet0/0$"),
        ("show ip arp", r"^Internet +192\.0\.2\.1 +- "),
        ("show version", r"^gw-a uptime is "),
        ("show running-config", r"^hostname gw-a$"),
    ],
)
def test_show_commands(adit, command, pattern):
    text = adit.cli(command)
    assert re.search(pattern, text, re.MULTILINE), text
