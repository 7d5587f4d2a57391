"""A real deployment to measure: the supervisor's own, on a free port, with the demo county, in a folder of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from examapp.ops import supervisor
from examapp.ops.supervisor import Site

_READY_TIMEOUT_S = 240
_SETTLE_TIMEOUT_S = 600
_WORKERS = ("grading", "reports", "imports")
_LOOK_S, _QUIET_LOOKS, _QUIET_SHARE = 5.0, 13, 0.1
"""Longer than a minute: the sweeps look once a minute for more."""


@dataclass(slots=True)
class BenchmarkDeployment:
    """A running site: its parts can be asked for their processor time, its database for what it does."""

    site: Site
    port: int
    accounts: dict

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return self.site.environment

    def cpu_s(self, *names: str) -> float:
        """Processor time so far of parts (`web`, `grading`, …) and servers (`postgres`, `valkey`), in seconds."""
        return cpu_of(self.roots(*names))

    def roots(self, *names: str) -> set[int]:
        """Give the first process of each of these parts and servers; of all, where none is named."""
        parts = [*self.site.servers, *self.site.parts]
        return {part.process.pid for part in parts if not names or part.name in names}

    def stop(self) -> None:
        supervisor.stop(self.site)


def cpu_of(roots: set[int]) -> float:
    """Sum user and system time of these processes and all below them (PostgreSQL's have sessions of their own), from /proc, in seconds."""
    ticks = sum(sum(int(field) for field in fields[11:15]) for _, fields in processes_below(roots))
    return ticks / os.sysconf("SC_CLK_TCK")


def processes_below(roots: set[int]) -> list[tuple[int, list[str]]]:
    """Give each process of these trees, and the fields of its /proc/PID/stat from the third on."""
    rows: dict[int, list[str]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            rows[int(stat.parent.name)] = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
    found = set(roots)
    while more := {pid for pid, fields in rows.items() if int(fields[1]) in found} - found:
        found |= more
    return [(pid, fields) for pid, fields in rows.items() if pid in found]


def memory_mb(deployment: BenchmarkDeployment) -> float:
    """Sum the proportional memory (shared pages counted once) of all processes of the site, in MB."""
    total = 0
    for pid, _ in processes_below(deployment.roots()):
        try:
            rollup = (Path("/proc") / str(pid) / "smaps_rollup").read_text()
            total += int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1])
        except (OSError, StopIteration):
            continue
    return total / 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def deploy(data_folder: Path, *, cell: int = 0) -> BenchmarkDeployment:
    """Start everything and wait until it is ready; `cell` makes it a cell of a province, its ids in the range of that number."""
    port, is_cell = free_port(), cell > 0
    environment = {"PORT": str(port), "DATA_DIR": str(data_folder), "DEMO": str(int(not is_cell)), "CELL": str(cell)}
    os.environ.update({"APP_MODE": "tryout"} | environment)
    site = supervisor.site_from_environment()
    supervisor.start(site)
    try:
        if is_cell:
            for command in (["cell", "begin", str(cell)], ["demo", "load"]):
                subprocess.run(
                    [sys.executable, "-m", "flask", "--app", "wsgi", *command], env=site.environment, check=True
                )
        return _made_ready(site, port, data_folder)
    except BaseException:
        supervisor.stop(site)
        raise


def _made_ready(site: Site, port: int, data_folder: Path) -> BenchmarkDeployment:
    deadline = time.monotonic() + _READY_TIMEOUT_S
    while not _is_ready(port):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the site was not ready within {_READY_TIMEOUT_S} s")
        time.sleep(0.2)
    listed = data_folder / "demo-accounts.json"
    if not listed.exists():
        raise RuntimeError("the demo county was not loaded; what the site printed above says why")
    accounts = json.loads(listed.read_text("utf-8"))
    deployment = BenchmarkDeployment(site, port, accounts)
    run_inside(deployment, "benchmarks.inside", "learn")
    _settle(deployment)
    return deployment


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _settle(deployment: BenchmarkDeployment) -> None:
    """Wait until the workers have done what a new county gives them (certificates, mistake books, tallies): it is not what is measured."""
    deadline = time.monotonic() + _SETTLE_TIMEOUT_S
    quiet = 0
    while quiet < _QUIET_LOOKS and time.monotonic() < deadline:
        before = deployment.cpu_s(*_WORKERS)
        time.sleep(_LOOK_S)
        quiet = quiet + 1 if deployment.cpu_s(*_WORKERS) - before < _QUIET_SHARE * _LOOK_S else 0


def run_inside(deployment: BenchmarkDeployment, module: str, *arguments: str) -> dict:
    """Run a module of the benchmarks in a process of its own with the deployment's environment; it prints one JSON object last."""
    finished = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=deployment.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise RuntimeError(f"{module}: {finished.stderr[-3000:]}")
    return json.loads(finished.stdout.strip().splitlines()[-1])
