"""Measure everything once, the waves of an exam day apart (`make bench-waves`): `make bench`; prints a table and writes DATA_DIR/bench.json."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import time
from pathlib import Path

from benchmarks import bank, certificates, grading, pages, phone, reports, rush, saving, training, waves
from benchmarks.deployment import deploy
from benchmarks.figures import Figure

TOPICS = ("saving", "pages", "phone", "rush", "grading", "reports", "bank", "search", "training", "certificates")


def main(topics: list[str]) -> int:
    data = Path(os.environ.get("DATA_DIR", ".data")).resolve()
    folder = data / "bench"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    figures: list[Figure] = []
    print(f"Machine: {_machine()}")
    inside = {"pages": pages, "phone": phone, "saving": saving, "rush": rush, "grading": grading, "waves": waves}
    alone = {"reports": reports, "bank": bank, "training": training, "certificates": certificates}
    for name, module in alone.items():
        if name in topics:
            figures += _measured(name, module.measure)
    filling = bank.begin_search() if "search" in topics else None
    deployment = deploy(folder) if set(topics) - set(alone) - {"search"} else None
    try:
        if filling:
            figures += _measured("search", lambda: bank.measure_search(filling))
        if deployment:
            for name, module in inside.items():
                if name in topics:
                    figures += _measured(name, lambda module=module: module.measure(deployment))
    finally:
        if deployment:
            deployment.stop()
    (data / "bench.json").write_text(
        json.dumps([figure.as_json() for figure in figures], ensure_ascii=False, indent=1), "utf-8"
    )
    _print_table(figures)
    shutil.rmtree(folder, ignore_errors=True)
    return 0 if all(figure.is_kept for figure in figures) else 1


def _measured(name: str, measure) -> list[Figure]:
    print(f"{name} …", flush=True)
    began = time.monotonic()
    figures = measure()
    for figure in figures:
        print(f"  {figure.name}: {figure.value:g} {figure.unit} ({figure.limit} {figure.limit_value:g})", flush=True)
    print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    return figures


def _machine() -> str:
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = int(Path("/proc/meminfo").read_text().split()[1]) // 1024 // 1024
    return f"{os.cpu_count()} × {model}, {memory} GiB, Python {platform.python_version()}, {platform.system()} {platform.release()}"


def _print_table(figures: list[Figure]) -> None:
    print(f"\n{'figure':<78} {'value':>10} {'limit':>18} {'ratio':>7}")
    for figure in figures:
        limit = f"{figure.limit} {figure.limit_value:g} {figure.unit}"
        print(
            f"{figure.name:<78} {figure.value:>10.2f} {limit:>18} {figure.ratio:>7.2f}{'' if figure.is_kept else '  ✗'}"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(TOPICS)))
