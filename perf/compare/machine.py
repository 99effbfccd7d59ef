# SPDX-License-Identifier: Apache-2.0
"""This computer: what it is, and what a comparison borrows from it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build-perf"
SECGW = BUILD / "secgw" / "ipsec-secgw"
TARGETS = ("perf/bench-worker", "perf/secgw/libadit-secgw-ends.so")

HUGEPAGES = Path("/sys/kernel/mm/hugepages/hugepages-2048kB")
HUGEPAGE_MOUNT = Path("/dev/hugepages")
ADIT_PAGES = 128  # bench-worker takes 64 MB for packets
SECGW_PAGES = 1024  # perf/secgw/README.md

PRIORITY = -19  # of ordinary scheduling: under SCHED_FIFO EAL never starts (perf/secgw/run)
# Idle otherwise, one core measures. What more is running takes its caches, or the core itself.
QUIET_LOAD = 0.5


class MachineError(Exception):
    """The machine lacks something; the text names the remedy."""


def succeeds(*words: object) -> bool:
    """What it prints goes to standard error: our output is tables."""
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False).returncode == 0


def tell(text: str) -> None:
    print(f"perf/{Path(sys.argv[0]).name}: {text}", file=sys.stderr)


def build(targets: tuple[str, ...] = TARGETS) -> None:
    if not succeeds(REPOSITORY / "scripts" / "build", "perf", *targets):
        raise MachineError("the build failed: see build-perf/build.log")
    built, product = build_options()["buildtype"], "debugoptimized"
    if built != product:
        remedy = f"meson configure build-perf -Dbuildtype={product}"
        tell(f"build-perf is a {built} build, the product is {product}: {remedy}")


def build_secgw() -> bool:
    """False when it cannot be had, for want of a network perhaps; perf/secgw/build has said why."""
    if SECGW.exists():
        return True
    return succeeds(REPOSITORY / "perf" / "secgw" / "build")


def check_core(core: int) -> None:
    if core not in os.sched_getaffinity(0):
        usable = ", ".join(map(str, sorted(os.sched_getaffinity(0))))
        raise MachineError(f"core {core} is not there: choose with --core, of {usable}")


def load_average() -> float:
    """Before we build: afterwards it is our own."""
    load = os.getloadavg()[0]
    if load > QUIET_LOAD:
        tell(f"the load average is {load:.1f}: other programs disturb the figures; wait until the machine is idle")
    return load


def take_priority() -> None:
    """For us and for what we start; back to normal when we end."""
    os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)


def read_number(path: Path) -> int:
    return int(path.read_text())


@contextmanager
def hugepages(wanted: int) -> Iterator[None]:
    """At least that many free ones of 2 MiB, within; afterwards as many as before."""
    total = HUGEPAGES / "nr_hugepages"
    if not total.exists():
        raise MachineError("this kernel has no hugepages of 2 MiB: it lacks CONFIG_HUGETLBFS")
    before = read_number(total)
    lacking = wanted - read_number(HUGEPAGES / "free_hugepages")
    try:
        if lacking > 0:
            total.write_text(str(before + lacking))
        free = read_number(HUGEPAGES / "free_hugepages")
        if free < wanted:
            raise MachineError(f"there is memory for {free} of {wanted} hugepages of 2 MiB: end what uses it, "
                               f"or boot with hugepages={wanted} on the kernel's command line")  # fmt: skip
        yield
    finally:
        if lacking > 0:
            total.write_text(str(before))


def has_hugetlbfs() -> bool:
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    return any(kind == "hugetlbfs" and "pagesize=2M" in options for _, _, kind, options, *_ in mounts)


@contextmanager
def hugetlbfs() -> Iterator[None]:
    """Without a mount EAL "cannot get hugepage information"."""
    if has_hugetlbfs():
        yield
        return
    made = not HUGEPAGE_MOUNT.exists()
    HUGEPAGE_MOUNT.mkdir(exist_ok=True)
    words = ("mount", "-t", "hugetlbfs", "-o", "pagesize=2M", "hugetlbfs", str(HUGEPAGE_MOUNT))
    try:
        if not succeeds(*words):
            raise MachineError(f"hugetlbfs cannot be mounted, see above: {' '.join(words)}")
        yield
    finally:
        unmounted = succeeds("umount", "-q", HUGEPAGE_MOUNT)
        if unmounted and made:
            HUGEPAGE_MOUNT.rmdir()


# ---------------------------------------------------------------------------------------------------------
# what it is


def said_by(*words: str) -> str:
    """Nothing when the program is missing or fails."""
    try:
        result = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""


def package_version(name: str) -> str:
    return said_by("dpkg-query", "-W", "-f=${Version}", name)


def commit() -> str:
    # Under sudo the tree is not root's, which git distrusts.
    return said_by("git", "-c", "safe.directory=*", "describe", "--always", "--abbrev=12", "--dirty")


def build_options() -> dict[str, str]:
    options = json.loads((BUILD / "meson-info" / "intro-buildoptions.json").read_text())
    wanted = ("buildtype", "optimization", "b_ndebug", "cpp_args")
    return {option["name"]: option["value"] for option in options if option["name"] in wanted}


def cpu_facts() -> dict[str, str]:
    names = {
        "Model name": "cpu",
        "L1d cache": "l1d",
        "L2 cache": "l2",
        "L3 cache": "l3",
        "Hypervisor vendor": "hypervisor",
    }
    said = re.findall(r"^ *([^:\n]+):[ \t]+(.+)$", said_by("lscpu"), re.MULTILINE)
    return {names[name]: value for name, value in said if name in names}


def facts(load: float) -> dict:
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        **cpu_facts(),
        "cores": os.cpu_count(),
        "kernel": os.uname().release,
        "dpdk": package_version("libdpdk-dev"),
        "ipsec_mb": package_version("libipsec-mb-dev"),
        "compiler": said_by("g++", "-dumpfullversion"),
        "commit": commit(),
        "build": build_options(),
        "load_average": load,
    }
