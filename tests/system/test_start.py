# SPDX-License-Identifier: Apache-2.0
"""Starting wrongly: a message with the remedy and a non-zero status, soon, and nothing left behind."""

import re

import pytest
from lab.adit import REPOSITORY, Adit, program
from lab.net import run
from lab.tunnel import SITE_A, SITE_B, Tunnel, ios_config

AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")


@pytest.fixture
def appliance(scene) -> Adit:
    """Not started; ended with the scene if a test starts it."""
    adit = Adit(scene.gw_a, scene.folder, ios_config(SITE_A, SITE_B, Tunnel()))
    yield adit
    adit.stop()


def refuses(namespace, argv: list[str], *patterns: str, timeout: float = 15) -> str:
    """The program ends by itself with an error that matches every pattern, and not by a signal."""
    result = namespace.run(*argv, check=False, timeout=timeout)
    assert 0 < result.returncode < 128, result.stdout
    for pattern in patterns:
        assert re.search(pattern, result.stdout), f"{pattern!r} is not in:\n{result.stdout}"
    return result.stdout


def test_dataplane_without_its_interface(appliance):
    argv = appliance.dataplane_argv({"GigabitEthernet0/0": "nosuch0"})
    refuses(appliance.namespace, argv, "nosuch0")
    assert appliance.leftovers() == []


def test_dataplane_with_an_mtu_its_interface_lacks(appliance):
    argv = appliance.dataplane_argv({"GigabitEthernet0/0": "wan,mtu=9000"})
    refuses(appliance.namespace, argv, "has MTU 1500", "ip link set dev wan mtu 9000")


def test_dataplane_opens_every_queue_of_a_fanout_group(appliance):
    """The kernel spreads over all of them, however many workers there are."""
    argv = appliance.dataplane_argv({"GigabitEthernet0/0": "wan,qpairs=2"})
    log = appliance.dataplane_socket.with_name("adit-dataplane.log")
    appliance.dataplane = appliance.namespace.start("adit-dataplane", argv, log)
    appliance.dataplane.wait_for_output("queues 2 rx 1 tx", timeout=15)


def test_dataplane_without_ports(appliance):
    refuses(appliance.namespace, appliance.dataplane_argv({}), "--port")


def test_dataplane_without_permission(appliance):
    refuses(appliance.namespace, [*AS_NOBODY, *appliance.dataplane_argv()], "(?i)permi|privilege|root")


def test_second_dataplane_on_the_same_socket(appliance):
    appliance.start_dataplane()
    refuses(appliance.namespace, appliance.dataplane_argv(), re.escape(str(appliance.dataplane_socket)))
    assert appliance.dataplane.alive
    assert appliance.dataplane_socket.exists()


def test_second_control_on_the_same_socket(appliance):
    appliance.start()
    refuses(appliance.namespace, appliance.control_argv(), re.escape(str(appliance.control_socket)))
    assert appliance.cli("show version")


def test_control_with_a_bad_line(appliance):
    lines = appliance.config_path.read_text().splitlines()
    number = lines.index("crypto isakmp policy 10") + 2
    lines[number - 1] = " encryption rot13"
    appliance.config_path.write_text("\n".join(lines) + "\n")
    refuses(appliance.namespace, appliance.control_argv(), rf"\b{number}\b", "rot13")


def test_control_without_its_configuration(appliance):
    appliance.config_path.unlink()
    refuses(appliance.namespace, appliance.control_argv(), re.escape(str(appliance.config_path)))


def test_control_may_not_read_its_configuration(appliance):
    appliance.config_path.chmod(0o600)
    argv = [*AS_NOBODY, *appliance.control_argv()]
    refuses(appliance.namespace, argv, "(?i)permission")


@pytest.mark.parametrize("name", ["gw-a", "gw-b"])
def test_check_accepts_the_examples(name):
    path = REPOSITORY / "docs" / "examples" / f"{name}.cfg"
    run(program("adit-control"), "--check", str(path))


def test_check_names_every_problem_with_its_line(folder):
    path = folder / "bad.cfg"
    path.write_text(
        "hostname bad\n"
        "crypto isakmp policy 10\n"
        " group 77\n"
        "!\n"
        "crypto map M 10 ipsec-isakmp\n"
        " set transform-set NOSUCH\n"
        " match address NOSUCH\n"
    )
    result = run(program("adit-control"), "--check", str(path), check=False)
    assert 0 < result.returncode < 128
    assert re.search(r"\b3\b.*group|group.*\b3\b", result.stdout), result.stdout
    assert "NOSUCH" in result.stdout


@pytest.mark.parametrize("name", ["adit-dataplane", "adit-control", "adit"])
def test_help_explains_itself(name):
    text = run(program(name), "--help").stdout
    assert name in text
    assert "--socket" in text or "--cli" in text


def test_cli_without_control(folder):
    socket = folder / "nobody.sock"
    result = run(program("adit"), "--socket", str(socket), "show", "version", check=False)
    assert result.returncode != 0
    assert str(socket) in result.stdout
