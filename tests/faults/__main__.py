"""`make drill`: run the rows of the fault table and print theirs: `python -m tests.faults [--rows F01,F05] [--seed 1]`, `SEEDS=5` for more.

What a row came to is kept in `DATA_DIR/drill.json` (default `.data/drill`), and a row that stands there is not run again: `--again`
forgets them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.deployment import DeploymentError, DrillDeployment
from tests.faults.rows import NOT_INJECTED, ROWS
from tests.faults.rows.register import FaultRow
from tests.faults.trial import Result

_STATE = Path(os.environ.get("DATA_DIR") or ".data/drill") / "drill.json"
_MAX_SECONDS = 55 * 60


def main() -> int:
    options = _options()
    chosen = [name for name in sorted(ROWS) if not options.rows or name in options.rows]
    done = {} if options.again else _read_state()
    began = time.monotonic()
    for seed in range(options.seed, options.seed + int(os.environ.get("SEEDS", "1"))):
        rows = [ROWS[name] for name in chosen if _key(name, seed, options) not in done]
        with _shared(rows, options) as site:
            _run_all([row for row in rows if row.site is None], site, seed, options, done, began)
        _run_all([row for row in rows if row.site is not None], None, seed, options, done, began)
    return _report(done, options, chosen)


def _key(name: str, seed: int, options: argparse.Namespace) -> str:
    return f"{name}/{seed}/{options.people}"


def _run_all(
    rows: list[FaultRow],
    site: DrillDeployment | None,
    seed: int,
    options: argparse.Namespace,
    done: dict[str, dict[str, Any]],
    began: float,
) -> None:
    for row in rows:
        if time.monotonic() - began > _MAX_SECONDS:
            print(f"{row.id}: not begun, the time is over; run again to go on", flush=True)
            continue
        result = _run(row, site, seed, options)
        done[_key(row.id, seed, options)] = result.as_json()
        _write_state(done)
        print(line(result), *(f"      {text}" for text in result.faults), sep="\n", flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=lambda text: text.split(","), default=[], help="such as F01,F05")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--short", action="store_true", help="short times, as in make drill-short")
    parser.add_argument("--again", action="store_true", help="forget the rows already run")
    return parser.parse_args()


@contextlib.contextmanager
def _shared(rows: list[FaultRow], options: argparse.Namespace) -> Iterator[DrillDeployment | None]:
    """One deployment for all rows that need none of their own."""
    sharing = [row for row in rows if row.site is None]
    if not sharing:
        yield None
        return
    with DrillDeployment() as site:
        site.settle(options.people, [row.exam for row in sharing])
        yield site


def _run(row: FaultRow, site: DrillDeployment | None, seed: int, options: argparse.Namespace) -> Result:
    if row.site is None:
        assert site is not None
        return row.run(site, seed=seed, people=options.people, is_short=options.short)
    try:
        with row.site({}) as own:
            own.settle(options.people, [row.exam])
            return row.run(own, seed=seed, people=options.people, is_short=options.short)
    except DeploymentError as error:
        return Result(row.id, row.fault, faults=[f"no deployment: {str(error)[-600:]}"], seed=seed)


def line(result: Result) -> str:
    """Write a row of the table in Markdown."""
    recovery = "–" if result.recovery_s is None else f"{result.recovery_s:.1f} s"
    verdict = "held" if result.is_held else "**not held**"
    notes = "; ".join(result.notes)
    return f"| {result.row} | {result.fault} | {result.acknowledged} | {result.lost} | {result.silence_s:.1f} s | {recovery} | {verdict} | {notes} | {result.seconds:.0f} s |"


def _report(done: dict[str, dict[str, Any]], options: argparse.Namespace, chosen: list[str]) -> int:
    results = [
        Result(**value)
        for key, value in sorted(done.items())
        if key.split("/")[0] in chosen and key.endswith(f"/{options.people}")
    ]
    print(
        "\n| row | fault | acknowledged | lost | longest silence | recovery | verdict | notes | took |\n|---|---|---|---|---|---|---|---|---|"
    )
    for result in results:
        print(line(result))
    if not options.rows:
        print("\nNot injected here:")
        for name, reason in sorted(NOT_INJECTED.items()):
            print(f"- {name}: {reason}")
    red = [result for result in results if not result.is_held]
    for result in red:
        print(f"\n{result.row} (seed {result.seed}):", *result.faults, sep="\n  ")
    return 1 if red or len(results) < len(chosen) else 0


def _read_state() -> dict[str, dict[str, object]]:
    return json.loads(_STATE.read_text()) if _STATE.exists() else {}


def _write_state(done: dict[str, dict[str, Any]]) -> None:
    _STATE.parent.mkdir(parents=True, exist_ok=True)
    _STATE.write_text(json.dumps(done, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    sys.exit(main())
