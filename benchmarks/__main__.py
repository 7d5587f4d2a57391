"""Measure everything once, the waves of an exam day apart (`make bench-waves`): `make bench`; prints a table and writes DATA_DIR/bench.json."""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks import (
    bank,
    certificates,
    chain,
    corrections,
    grading,
    machines,
    measured_openings,
    messages,
    pages,
    phone,
    ratios,
    reports,
    rush,
    saving,
    simulate,
    training,
    waves,
)
from benchmarks.deployment import deploy
from benchmarks.figures import Figure, at_most, not_measured
from examapp.ops.child_processes import end_with_parent

TOPICS = (
    "saving",
    "ratios",
    "pages",
    "phone",
    "rush",
    "grading",
    "messages",
    "reports",
    "bank",
    "search",
    "training",
    "certificates",
    "corrections",
)
APART = ("waves", "lobby", "chain", "cell", "machines", "opening", "simulate")
"""Topics that take minutes each and run by name alone."""

_MAX_S = 720.0

INSIDE: dict[str, Any] = {
    "pages": pages,
    "phone": phone,
    "saving": saving,
    "ratios": ratios,
    "rush": rush,
    "grading": grading,
    "messages": messages,
    "waves": waves,
    "lobby": SimpleNamespace(measure=waves.measure_lobby),
    "opening": measured_openings,
}
"""Topics measured on a running deployment, in this order."""
ALONE: dict[str, Any] = {
    "reports": reports,
    "bank": bank,
    "training": training,
    "certificates": certificates,
    "corrections": corrections,
    "chain": chain,
    "cell": SimpleNamespace(measure=saving.measure_cell),
    "machines": machines,
    "simulate": simulate,
}
"""Topics that bring their own database."""


def main(topics: list[str]) -> int:
    """Measure the topics and write bench.json, whatever becomes of each; return 0 if all limits are kept."""
    if unknown := set(topics) - set(INSIDE) - set(ALONE) - {"search"}:
        print(f"unknown topics: {', '.join(sorted(unknown))}; known: {', '.join((*TOPICS, *APART))}", file=sys.stderr)
        return 2
    _end_with_parent()
    data = Path(os.environ.get("DATA_DIR", ".data")).resolve()
    folder = data / "bench"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    figures: list[Figure] = []
    print(f"Machine: {_machine()}")
    began = time.monotonic()
    try:
        _measure_all(topics, folder, figures)
        if set(topics) == set(TOPICS):
            figures.append(at_most("the whole run", time.monotonic() - began, _MAX_S, "s"))
    finally:
        (data / "bench.json").write_text(
            json.dumps([figure.as_json() for figure in figures], ensure_ascii=False, indent=1), "utf-8"
        )
        _print_table(figures)
        shutil.rmtree(folder, ignore_errors=True)
    return 0 if figures and all(figure.is_kept for figure in figures) else 1


def _measure_all(topics: list[str], folder: Path, figures: list[Figure]) -> None:
    for name in (name for name in ALONE if name in topics):
        figures += _measured(name, ALONE[name].measure)
    filling = bank.begin_search() if "search" in topics else None
    deployment = None
    try:
        if inside := [name for name in INSIDE if name in topics]:
            try:
                deployment = deploy(folder)
            except Exception as error:  # noqa: BLE001 – whatever it was becomes the rows' reason
                traceback.print_exc()
                figures += [not_measured(name, error) for name in inside]
        if filling:
            figures += _measured("search", lambda: bank.measure_search(filling))
        if deployment:
            for name in inside:
                figures += _measured(name, lambda name=name: INSIDE[name].measure(deployment))
    finally:
        if deployment:
            deployment.stop()


def _end_with_parent() -> None:
    """Have the kernel send SIGTERM when the parent dies, and end in order on it, so that no process of a deployment stays."""
    end_with_parent(os.getppid(), signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def _measured(name: str, measure) -> list[Figure]:
    """Measure a topic; give its figures, or a row that says why there are none."""
    print(f"{name} …", flush=True)
    began = time.monotonic()
    try:
        figures = measure()
    except Exception as error:  # noqa: BLE001 – whatever it was becomes the row's reason
        traceback.print_exc()
        figures = [not_measured(name, error)]
    for figure in figures:
        print(f"  {figure.name}: {_value_of(figure)}", flush=True)
    print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
    return figures


def _value_of(figure: Figure) -> str:
    return figure.error or f"{figure.value:g} {figure.unit} ({figure.limit} {figure.limit_value:g})"


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
        if figure.error:
            print(f"{figure.name:<78} {figure.error}  ✗")
            continue
        limit = f"{figure.limit} {figure.limit_value:g} {figure.unit}"
        print(
            f"{figure.name:<78} {figure.value:>10.2f} {limit:>18} {figure.ratio:>7.2f}{'' if figure.is_kept else '  ✗'}"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(TOPICS)))
