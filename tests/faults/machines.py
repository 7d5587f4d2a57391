"""Machines as network namespaces: two (`a`, `b`), a witness (`w`) and the one the site or the candidates run on, with a cable from each to a bridge.

A machine is a namespace with a cable (veth) to a bridge in a namespace of its own; nothing is in the root namespace. Root only. A drill and a
benchmark that use them wait for each other.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.faults.deployment import DeploymentError
from tests.helpers.processes import wait_until

PACKAGES = "etcd-server haproxy pgbackrest"
PREFIX = "examha-"
HUB = "hub"
ADDRESSES = {"a": "10.77.0.1", "b": "10.77.0.2", "w": "10.77.0.3", "site": "10.77.0.100"}
_LOCK = Path("/run/examapp-drill-ha.lock")
_CGROUPS = Path("/sys/fs/cgroup")
_PERIOD_US = 100_000


@contextlib.contextmanager
def cables_laid() -> Iterator[None]:
    """Have the machines for as long as this lasts, alone; raises DeploymentError where this machine does not allow it."""
    if os.geteuid() != 0:
        raise DeploymentError("needs root: a machine is a network namespace")
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _take_cables_away()  # of a drill that was killed
        try:
            _lay_cables()
            yield
        finally:
            _take_cables_away()


def on_machine(name: str, command: list[str]) -> list[str]:
    """Give the command as it is run on a machine, which has a host name of its own."""
    own_name = ["unshare", "--uts", "sh", "-c", f'hostname {name}; exec "$@"', "sh"]
    return [*_entering(name), *own_name, *command]


def run_on_site(module: str, *arguments: str, is_read: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a module on the site's machine until it ends; what it prints is read where it is asked for."""
    command = [*_entering("site"), sys.executable, "-m", module, *arguments]
    return subprocess.run(command, check=False, text=True, stdout=subprocess.PIPE if is_read else None)


def _entering(name: str) -> list[str]:
    """Begin a command in a namespace; `ip netns exec` would take the control groups out of sight."""
    return ["nsenter", f"--net=/run/netns/{PREFIX}{name}"]


def program_named(name: str) -> str:
    """Find a program that a drill needs, beside our Python or on this machine; raises DeploymentError."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        raise DeploymentError(f"{name} is not installed (requirements-dev.txt; apt-get install {PACKAGES})")
    return found


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _lay_cables() -> None:
    """Make the namespaces, a bridge in the hub, and a cable from each to it."""
    try:
        for name in (HUB, *ADDRESSES):
            ip("netns", "add", PREFIX + name)
            ip("-n", PREFIX + name, "link", "set", "lo", "up")
        ip("-n", PREFIX + HUB, "link", "add", "bridge", "type", "bridge")
        ip("-n", PREFIX + HUB, "link", "set", "bridge", "up")
        for name, address in ADDRESSES.items():
            cable = ["type", "veth", "peer", "name", f"to-{name}", "netns", PREFIX + HUB]
            ip("-n", PREFIX + name, "link", "add", "eth0", *cable)
            ip("-n", PREFIX + HUB, "link", "set", f"to-{name}", "master", "bridge", "up")
            ip("-n", PREFIX + name, "addr", "add", f"{address}/24", "dev", "eth0")
            ip("-n", PREFIX + name, "link", "set", "eth0", "up")
    except (OSError, subprocess.CalledProcessError) as error:
        text = getattr(error, "stderr", b"") or str(error).encode()
        raise DeploymentError(f"no network namespaces here: {text.decode('utf-8', 'replace').strip()}") from error


def _take_cables_away() -> None:
    """Kill what runs in the namespaces, and delete them."""
    for name in (*ADDRESSES, HUB):
        kill_all(name)
        subprocess.run(["ip", "netns", "del", PREFIX + name], check=False, capture_output=True)


def pids_of(name: str) -> list[int]:
    done = subprocess.run(["ip", "netns", "pids", PREFIX + name], capture_output=True, text=True, check=False)
    return [int(pid) for pid in done.stdout.split() if int(pid) != os.getpid()]


def kill_all(name: str, number: int = signal.SIGKILL) -> None:
    """Signal all that runs in a namespace, until nothing new is there where it is to end."""
    for _ in range(20):
        pids = pids_of(name)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if number != signal.SIGKILL or not pids:
            return
        wait_until(lambda: not pids_of(name), within_s=0.5, every_s=0.05)


@contextlib.contextmanager
def processor_share(name: str, cores: float) -> Iterator[Path]:
    """Hold so much processor time for a machine, by the kernel's quota: who writes its number into the file that this gives has no more."""
    is_first_version = (_CGROUPS / "cpu" / "cgroup.procs").exists()
    group = (_CGROUPS / "cpu" if is_first_version else _CGROUPS) / (PREFIX + name)
    quota = round(cores * _PERIOD_US)
    try:
        if is_first_version:
            group.mkdir()
            (group / "cpu.cfs_period_us").write_text(str(_PERIOD_US))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (_CGROUPS / "cgroup.subtree_control").write_text("+cpu")
            group.mkdir()
            (group / "cpu.max").write_text(f"{quota} {_PERIOD_US}")
    except OSError as error:
        raise DeploymentError(f"no control group with a processor quota here: {error}") from error
    try:
        yield group / "cgroup.procs"
    finally:
        wait_until(lambda: not (group / "cgroup.procs").read_text(), within_s=10)
        group.rmdir()
