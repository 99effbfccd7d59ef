# SPDX-License-Identifier: Apache-2.0
"""scripts/bind-nic on a tree of files that answers writes as sysfs would: no NIC is touched."""

import json
import shutil
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest
from lab.adit import REPOSITORY

WAN = "0000:00:03.0"  # virtio, carries the default route
NIC = "0000:03:00.0"
OTHER_NIC = "0000:03:00.1"
DISK = "0000:05:00.0"
PAGES_FREE = 1000

DEVICES = "sys/bus/pci/devices"
DRIVERS = "sys/bus/pci/drivers"
HUGEPAGES = "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"


def load_script():
    loader = SourceFileLoader("bind_nic", str(REPOSITORY / "scripts" / "bind-nic"))
    module = module_from_spec(spec_from_loader("bind_nic", loader))
    sys.modules["bind_nic"] = module  # dataclasses look their module up
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


bind_nic = load_script()


class FakeMachine(bind_nic.Machine):
    """Drivers take and lose devices when the files for it are written."""

    def __init__(self, root):
        super().__init__(root)
        self.has_vfio_module = True
        self.broken_drivers = set()
        for driver in ("virtio-pci", "ixgbe", "mlx5_core", "nvme"):
            self.path(f"{DRIVERS}/{driver}").mkdir(parents=True)
        self.put(HUGEPAGES, "16")
        self.put("proc/net/route", ROUTES)

    def put(self, name, text):
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        self.path(name).write_text(text)

    def add_device(self, address, driver, interface="", kind="0x020000", iommu=True):
        folder = f"{DEVICES}/{address}"
        self.put(f"{folder}/class", kind)
        self.put(f"{folder}/numa_node", "1")
        self.put(f"{folder}/driver_override", "(null)")
        self.put(f"{folder}/native", driver)
        if iommu:
            self.path(f"{folder}/iommu_group").mkdir()
        if interface:
            self.put(f"{folder}/native_interface", interface)
        self._attach(address, driver)

    def load_module(self, name):
        assert name == "vfio-pci"
        if self.has_vfio_module:
            self.path(f"{DRIVERS}/vfio-pci").mkdir(parents=True)
            self.put("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "N")

    def write(self, name, text):
        text = text.strip()
        if name.endswith("/driver/unbind"):
            self._detach(text)
        elif name == "sys/bus/pci/drivers_probe":
            self._attach(text, self._taker(text))
        elif name == HUGEPAGES:
            super().write(name, str(min(int(text), PAGES_FREE)))
        else:
            super().write(name, text)

    def _taker(self, address):
        override = self.read(f"{DEVICES}/{address}/driver_override").replace("(null)", "")
        return override or self.read(f"{DEVICES}/{address}/native")

    def _detach(self, address):
        self.path(f"{DEVICES}/{address}/driver").unlink()
        shutil.rmtree(self.path(f"{DEVICES}/{address}/net"), ignore_errors=True)

    def _attach(self, address, driver):
        if driver in self.broken_drivers:
            return
        self.path(f"{DEVICES}/{address}/driver").symlink_to(self.path(f"{DRIVERS}/{driver}"))
        interface = self.read(f"{DEVICES}/{address}/native_interface")
        if interface and driver == self.read(f"{DEVICES}/{address}/native"):
            self.path(f"{DEVICES}/{address}/net/{interface}").mkdir(parents=True)
            self.put(f"sys/class/net/{interface}/speed", "10000")

    def driver(self, address):
        return self.link_name(f"{DEVICES}/{address}/driver")


# 0.0.0.0/0 via 192.0.2.1 dev wan; 192.0.2.0/24 dev wan; 10.9.0.0/16 dev nic0
ROUTES = (
    "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
    "wan\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    "wan\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
    "nic0\t0000090A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
)
# 10.9.0.1:22 to 10.9.0.7:40000, established
SSH_OVER_NIC0 = (
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
    "   0: 0100090A:0016 0700090A:9C40 01 00000000:00000000 00:00000000 00000000     0\n"
)


@pytest.fixture
def machine(tmp_path):
    fake = FakeMachine(tmp_path)
    fake.add_device(WAN, "virtio-pci", "wan")
    fake.add_device(NIC, "ixgbe", "nic0")
    fake.add_device(OTHER_NIC, "ixgbe", "nic1")
    fake.add_device(DISK, "nvme", kind="0x010802")
    return fake


@pytest.fixture
def run(machine, capsys):
    """Returns (exit status, what it said)."""

    def runner(*words):
        status = bind_nic.main(list(words), machine)
        output = capsys.readouterr()
        return status, output.out + output.err

    return runner


@pytest.mark.parametrize("word", [NIC, "03:00.0", "nic0"])
def test_binds_and_reserves(machine, run, word):
    status, text = run("--hugepages", "64", word)
    assert status == 0, text
    assert machine.driver(NIC) == "vfio-pci"
    assert machine.driver(OTHER_NIC) == "ixgbe"
    assert machine.read(HUGEPAGES) == "64"
    assert f"--port NAME={NIC}" in text


def test_undo_restores_everything(machine, run):
    run("--hugepages", "64", "nic0")
    run("--hugepages", "128", "nic1")
    status, text = run("--undo")
    assert status == 0, text
    assert machine.driver(NIC) == machine.driver(OTHER_NIC) == "ixgbe"
    assert machine.read(f"{DEVICES}/{NIC}/driver_override") == ""
    assert machine.read(HUGEPAGES) == "16"
    assert not machine.path(bind_nic.STATE).exists()


def test_undo_without_a_bind_changes_nothing(machine, run):
    assert run("--undo") == (0, "")
    assert machine.read(HUGEPAGES) == "16"


def test_remembers_the_first_driver_when_bound_twice(machine, run):
    run("nic0")
    status, text = run(NIC)
    assert status == 0 and "already" in text
    state = json.loads(machine.read(bind_nic.STATE))
    assert state["devices"][NIC]["driver"] == "ixgbe"


def test_never_takes_hugepages_away(machine, run):
    machine.put(HUGEPAGES, "512")
    assert run("--hugepages", "64", "nic0")[0] == 0
    assert machine.read(HUGEPAGES) == "512"


def test_refuses_the_default_route(machine, run):
    status, text = run("wan", "nic0")
    assert status == 1
    assert "wan" in text and "default route" in text and "--force" in text
    assert machine.driver(WAN) == "virtio-pci"
    assert machine.driver(NIC) == "ixgbe"  # nothing half done


def test_force_takes_the_default_route(machine, run):
    assert run("--force", "wan")[0] == 0
    assert machine.driver(WAN) == "vfio-pci"


def test_refuses_the_default_route_of_a_bond(machine, run):
    machine.put("proc/net/route", ROUTES.replace("wan", "bond0"))
    machine.put("sys/class/net/wan/upper_bond0", "")
    status, text = run("wan")
    assert status == 1 and "default route" in text


def test_refuses_the_interface_of_an_ssh_session(machine, run):
    machine.put("proc/net/tcp", SSH_OVER_NIC0)
    status, text = run("nic0")
    assert status == 1
    assert "ssh session from 10.9.0.7" in text
    assert run("nic1")[0] == 0


def test_refuses_the_ipv6_default_route(machine, run):
    zero = "0" * 32
    machine.put("proc/net/ipv6_route", f"{zero} 00 {zero} 00 {zero} 00000400 1 0 00000003 nic0\n")
    status, text = run("nic0")
    assert status == 1 and "default route" in text


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("0000:99:00.0", "no PCI device 0000:99:00.0"),
        (DISK, "not a network device"),
        ("nosuch0", "neither a PCI address nor an interface"),
        ("br0", "stays with the kernel"),
    ],
)
def test_wrong_devices(machine, run, word, reason):
    machine.path("sys/class/net/br0").mkdir(parents=True)
    status, text = run(word)
    assert status == 1
    assert reason in text
    assert machine.read(HUGEPAGES) == "16"


def test_no_vfio_module(machine, run):
    machine.has_vfio_module = False
    status, text = run("nic0")
    assert status == 1
    assert "no vfio-pci" in text and "linux-image-amd64" in text
    assert machine.driver(NIC) == "ixgbe"


def test_no_iommu(machine, run):
    machine.add_device("0000:07:00.0", "ixgbe", "nic7", iommu=False)
    status, text = run("nic7")
    assert status == 1
    assert "intel_iommu=on" in text and "--unsafe-noiommu" in text
    assert machine.driver("0000:07:00.0") == "ixgbe"


def test_unsafe_noiommu_warns_and_is_undone(machine, run):
    switch = "sys/module/vfio/parameters/enable_unsafe_noiommu_mode"
    machine.add_device("0000:07:00.0", "ixgbe", "nic7", iommu=False)
    status, text = run("--unsafe-noiommu", "nic7")
    assert status == 0, text
    assert "warning" in text
    assert machine.read(switch) == "Y"
    run("--undo")
    assert machine.read(switch) == "N"


def test_a_driver_that_refuses_leaves_the_nic_as_it_was(machine, run):
    machine.broken_drivers.add("vfio-pci")
    machine.load_module("vfio-pci")
    status, text = run("nic0")
    assert status == 1 and "did not take it" in text
    assert machine.driver(NIC) == "ixgbe"


def test_too_few_hugepages(machine, run):
    status, text = run("--hugepages", str(PAGES_FREE + 1), "nic0")
    assert status == 1
    assert f"hugepages={PAGES_FREE + 1}" in text
    assert machine.read(HUGEPAGES) == "16"
    assert machine.driver(NIC) == "ixgbe"


def test_mellanox_stays_with_its_driver(machine, run):
    machine.add_device("0000:0a:00.0", "mlx5_core", "mlx0")
    status, text = run("mlx0")
    assert status == 0 and "stays with mlx5_core" in text
    assert machine.driver("0000:0a:00.0") == "mlx5_core"


def test_status_shows_what_adit_would_use(machine, run):
    run("nic0")
    status, text = run("--status")
    rows = {line.split()[0]: line for line in text.splitlines() if line}
    assert status == 0
    assert "carries the default route" in rows[WAN] and "--port" not in rows[WAN]
    assert "(nic0)" in rows[NIC] and f"--port GigabitEthernet0/0={NIC}" in rows[NIC]
    assert "--port GigabitEthernet0/1=net_af_packet1,iface=nic1" in rows[OTHER_NIC]
    assert "10000M" in rows[OTHER_NIC]
    assert DISK not in text


def test_damaged_state_is_named(machine, run):
    machine.put(bind_nic.STATE, "{")
    status, text = run("--undo")
    assert status == 1 and bind_nic.STATE in text
