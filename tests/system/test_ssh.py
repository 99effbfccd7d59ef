# SPDX-License-Identifier: Apache-2.0
"""The CLI through a real sshd, as people, netmiko and Ansible come to it."""

import json
import os
import sys
from pathlib import Path

import pexpect
import pytest
from lab.sshd import FORCED_USER, PASSWORD, PORT, SHELL_USER, Sshd
from lab.tunnel import Tunnel

LAB = Path(__file__).parent / "lab"
INVENTORY = f"""
[gateway]
127.0.0.1 ansible_port={PORT}
[gateway:vars]
ansible_connection=ansible.netcommon.network_cli
ansible_network_os=cisco.ios.ios
ansible_network_cli_ssh_type=paramiko
ansible_user={SHELL_USER}
ansible_password={PASSWORD}
ansible_become=yes
ansible_become_method=enable
ansible_host_key_checking=no
"""


@pytest.fixture
def adit(scene):
    return scene.adit(Tunnel())


@pytest.fixture
def sshd(scene, adit):
    sshd = Sshd(adit, scene.folder)
    scene.on_close(sshd.stop)
    return sshd


USERS = (SHELL_USER, FORCED_USER)


def test_sessions_and_single_commands(sshd):
    for user in USERS:
        words = sshd.namespace.argv(*sshd.argv(user, "-tt"))
        session = pexpect.spawn(words[0], words[1:], encoding="utf-8", timeout=10)
        session.expect_exact("gw-a#")
        session.send("show crypto isa sa\r")
        session.expect_exact("IPv4 Crypto ISAKMP SA")
        session.expect_exact("gw-a#")
        session.send("exit\r")
        session.expect(pexpect.EOF)
        session.close()
        assert session.exitstatus == 0

        good = sshd.run("show crypto isakmp sa", user)
        assert good.returncode == 0 and "IPv4 Crypto ISAKMP SA" in good.stdout
        bad = sshd.run("show nonsense", user)
        assert bad.returncode == 1 and "% Invalid input detected at '^' marker." in bad.stdout


def test_nothing_leads_to_a_shell(sshd, folder):
    """Whatever is asked for, no other program runs and no file is written; nothing is forwarded."""
    mark = folder / "mark"
    folder.chmod(0o777)
    tries = (
        f"touch {mark}",
        f"; touch {mark}",
        f"$(touch {mark})",
        f"show version | touch {mark}",
        f"show version\ntouch {mark}",
        f"show version && touch {mark}",
        f"-c 'touch {mark}'",
        "--socket=/nonexistent show version",
        "--help",
        "bash -i",
        f"scp -t {folder}",
        "/usr/lib/openssh/sftp-server",
    )
    for user in USERS:
        for command in tries:
            answer = sshd.run(command, user)
            assert answer.returncode == 1 and "%" in answer.stdout, f"{command}: {answer}"
        assert not mark.exists()
        through = sshd.namespace.run(*sshd.argv(user, "-W", "127.0.0.1:22"), check=False)
        assert through.returncode == 255 and "SSH-2.0" not in through.stdout
        back = sshd.run("show clock", user, "-o", "ExitOnForwardFailure=yes", "-R", "7007:127.0.0.1:22")
        assert back.returncode == 255 and "UTC" not in back.stdout
        files = sshd.namespace.run("sftp", "-b", "/dev/null", *sshd.argv(user)[1:], check=False)
        assert files.returncode != 0


def test_netmiko(sshd, adit):
    script = str(LAB / "netmiko_session.py")
    output = sshd.namespace.run(sys.executable, script, SHELL_USER, PASSWORD, timeout=120).stdout
    found = json.loads(output[output.index("{") :])
    assert found["prompt"] == "gw-a#" and found["enabled"]
    assert "uptime is" in found["show version"]
    assert "NAME:" in found["show inventory"]
    assert found["show running-config"].startswith("Building configuration...")
    assert found["show running-config"].endswith("\nend")
    assert "% Invalid input detected at '^' marker." in found["refused"]
    assert found["piped"].splitlines()[0] == "crypto isakmp policy 10"
    assert "Invalid input" in found["configured"] and not found["in_configuration"]
    assert found["policy"].splitlines() == [
        "crypto isakmp policy 77",
        " encr aes 256",
        " hash sha512",
        " authentication pre-share",
        " group 20",
        " lifetime 4000",
    ]
    assert "[OK]" in found["saved"] and "[OK]" in found["copied"]
    assert "A" * 180 in found["long_kept"] and "%" not in found["long"]
    assert "crypto isakmp policy 77" in adit.config_path.read_text()


def test_ansible(sshd, adit, folder):
    inventory = folder / "inventory"
    inventory.write_text(INVENTORY)
    answer = sshd.namespace.run(
        *("/usr/bin/ansible-playbook", "-i", str(inventory), str(LAB / "ansible/playbook.yml")),
        check=False,
        timeout=240,
        env={
            "HOME": str(folder),
            "ANSIBLE_LOCAL_TEMP": str(folder / "ansible"),
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PERSISTENT_CONTROL_PATH_DIR": str(folder / "pc"),
            "LC_ALL": "C.UTF-8",
            "PATH": "/usr/bin:" + os.environ["PATH"],
        },
    )
    assert answer.returncode == 0, answer.stdout
    assert "crypto isakmp keepalive 15 3 periodic" in adit.config_path.read_text()
