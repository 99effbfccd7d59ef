# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the system scenes. Run them through scripts/test, or:

    sudo ADIT_BUILD=build /usr/bin/python3 -m pytest tests/system -k 'main_mode'
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from lab.adit import build_folder
from lab.net import lab_prefix, leftover_namespaces
from lab.process import LAB_MARK, marked_processes
from lab.scene import Scene

LOG_TAIL_LINES = 60


def pytest_configure(config):
    if os.geteuid() != 0:
        pytest.exit("system scenes make network namespaces: run as root", returncode=2)
    os.environ[LAB_MARK] = lab_prefix()


@pytest.fixture(scope="session", autouse=True)
def nothing_left_behind():
    """After all scenes: no namespace and no process of ours."""
    yield
    assert leftover_namespaces() == []
    assert marked_processes(lab_prefix()) == []


def not_worth_keeping(where, names):
    """Sockets cannot be copied, programs need not be."""
    paths = [Path(where) / name for name in names]
    return [p.name for p in paths if p.is_socket() or (p.is_file() and p.stat().st_mode & 0o111)]


@pytest.fixture
def folder(request):
    """A scene's own files. Copied to <build>/system-logs when the scene fails, removed in any case."""
    path = Path(tempfile.mkdtemp(prefix=f"{lab_prefix()}-"))
    request.node.scene_folder = path
    yield path
    if getattr(request.node, "scene_failed", False):
        name = re.sub(r"[^\w.-]+", "_", request.node.name)
        kept = build_folder() / "system-logs" / name
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(path, kept, ignore=not_worth_keeping)
    shutil.rmtree(path)


@pytest.fixture
def scene(folder):
    scene = Scene(folder)
    yield scene
    scene.close()


@pytest.fixture(params=["initiator", "responder"])
def role(request) -> str:
    """Which part the appliance plays in phase 1."""
    return request.param


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Puts the end of every log of a failed scene into the report."""
    report = (yield).get_result()
    folder = getattr(item, "scene_folder", None)
    if not report.failed or folder is None or not folder.is_dir():
        return
    item.scene_failed = True
    for log in sorted([*folder.rglob("*.log"), *folder.rglob("*.out")]):
        lines = log.read_text(errors="replace").splitlines()
        if lines:
            report.sections.append((log.name, "\n".join(lines[-LOG_TAIL_LINES:])))
