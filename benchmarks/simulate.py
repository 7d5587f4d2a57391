"""The simulation learns from one measured opening, is judged by the other, and says what fourteen cells do: `python -m benchmarks simulate`.

It exits with 1 where it misses the measured queues or ends by more than a quarter. It says nothing of single requests' waits: there is no disk in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.figures import Figure, at_most
from benchmarks.measured_openings import CALIBRATION, JUDGED, results_folder
from benchmarks.openings import COMPARED, OpeningShape, Tally, deviations
from benchmarks.simulation import Cost, Costs, Opening, SimulatedMachine

_MAX_DEVIATION = 25.0
"""Percent."""
_CELLS, _PEOPLE, _AT_ONCE = 14, 1_000_000, 200_000
"""A province as benchmarks/province.py has it, of equal cells, and how many of its people sit at once (docs/scale.md)."""
_CELL = SimulatedMachine(cores=16, web_processes=16, hashes_at_once=8, starts_per_second=120.0)
_SMALL = SimulatedMachine(cores=4, web_processes=4, hashes_at_once=2, starts_per_second=80.0)
"""The machine that docs/scale.md gives a cell, after the other one died, and one with a quarter of its processors."""
_CROWDS = ((_CELL, 100.0), (_SMALL, 30.0))
"""Machines, and the seconds within which all come."""
_STAGES = {
    "page": "pages",
    "turn": "turns",
    "sign_in": "sign-ins",
    "start": "starts",
    "paper": "papers",
    "save": "saves",
    "hand_in": "hand-ins",
}
"""Calls, and the stage of the first wave in which nothing else was called."""
_BEHIND = {"hand_in": "grading"}
"""Calls whose work goes on in a stage of its own."""
_CROWDED = {"turned_away": ("sign-ins, crowded", "sign_in"), "queued": ("starts, crowded", "start")}
"""Calls that come beside others in a stage."""
_PARTS = {"web_s": "web", "database_s": "database", "behind_s": "others", "client_s": "client"}


def costs_of(calibration: Mapping[str, Any]) -> Costs:
    """Give what calls cost by the stages of a measured wave: processor time beyond that of an idle site, by call."""
    stages = {stage["name"]: stage for stage in calibration["stages"]}
    idle = {part: seconds / stages["idle"]["seconds"] for part, seconds in stages["idle"]["cpu_s"].items()}

    def spent(name: str, part: str) -> float:
        return stages[name]["cpu_s"][part] - idle[part] * stages[name]["seconds"] if name else 0.0

    def cost(call: str) -> dict[str, float]:
        count = stages[_STAGES[call]]["calls"][call]
        names = (_STAGES[call], _BEHIND.get(call, ""))
        return {field: max(0.0, sum(spent(name, part) for name in names) / count) for field, part in _PARTS.items()}

    calls = {call: cost(call) for call in _STAGES}
    for call, (name, beside) in _CROWDED.items():
        made = stages[name]["calls"]
        rest = {field: spent(name, part) - made[beside] * calls[beside][field] for field, part in _PARTS.items()}
        calls[call] = {field: max(0.0, seconds / made.get(call, 1)) for field, seconds in rest.items()}
    hashes = [stages[name] for name in ("sign-ins", "sign-ins, crowded")]
    hash_s = sum(stage["cpu_s"]["hashing"] for stage in hashes) / sum(stage["calls"]["sign_in"] for stage in hashes)
    idle_share = sum(share for part, share in idle.items() if part != "client")
    return Costs({call: Cost(**seconds) for call, seconds in calls.items()}, hash_s, idle_share)


def measure() -> list[Figure]:
    """Simulate the second wave with what the first one cost, and then the cells."""
    calibration, judged = (json.loads((results_folder() / name).read_text("utf-8")) for name in (CALIBRATION, JUDGED))
    costs = costs_of(calibration)
    _print_costs(costs, calibration, judged)
    figures = judge(costs, judged)
    _print_cells(costs)
    return figures


def judge(costs: Costs, judged: Mapping[str, Any]) -> list[Figure]:
    """Simulate a measured wave, and give by how much each compared figure differs."""
    simulated = Opening(costs, SimulatedMachine(**judged["machine"]), OpeningShape(**judged["shape"])).run()
    found = deviations(simulated, judged["tally"])
    for name, unit in COMPARED.items():
        print(f"  {name}: measured {judged['tally'][name]:.0f}, simulated {getattr(simulated, name):.0f} {unit}")
    return [
        at_most(f"simulated opening: {name} off what was measured", 100 * abs(share), _MAX_DEVIATION, "%")
        for name, share in found.items()
    ]


def _print_costs(costs: Costs, *waves: Mapping[str, Any]) -> None:
    for wave in waves:
        print(f"  measured {wave['begun_at']} on {wave['host']}; a hash alone {wave['hash_alone_ms']} ms")
    print(f"  a hash {1000 * costs.hash_s:.1f} ms; the idle site {costs.idle:.3f} processors; ms of a call:")
    for name, cost in costs.calls.items():
        parts = ", ".join(f"{field.removesuffix('_s')} {1000 * getattr(cost, field):.2f}" for field in _PARTS)
        print(f"    {name:<12} {parts}")


@dataclass(frozen=True, slots=True)
class _Case:
    """A cell's opening, to be simulated in any process."""

    costs: Costs
    machine: SimulatedMachine
    shape: OpeningShape
    seed: int

    def run(self) -> tuple[Tally, float]:
        """Give the counts, and how full the processors were."""
        opening = Opening(self.costs, self.machine, self.shape, seed=self.seed)
        return opening.run(), opening.busy_share()


def _print_cells(costs: Costs) -> None:
    """Print a row for each cell, on its own machine and on a small one, without the lobby and with it, as docs/scale.md has them."""
    people = round(_AT_ONCE / _CELLS)
    print(f"  {_CELLS} cells of {_PEOPLE // _CELLS:,} people, of whom {people:,} come at once")
    print("  without the lobby | with it: longest queue at sign-in, last sign-in; longest queue at the start, last start; how full")  # fmt: skip
    with ProcessPoolExecutor() as pool:
        for machine, seconds in _CROWDS:
            print(f"  {machine.cores} cores, within {seconds:.0f} s")
            shape = OpeningShape(people=people, seconds=seconds, is_even=False, addresses=1000)
            cases = [
                _Case(costs, replace(machine, has_lobby=has_lobby), shape, cell)
                for cell in range(1, _CELLS + 1)
                for has_lobby in (False, True)
            ]
            rows = iter(pool.map(_Case.run, cases))
            for cell, (without, beside) in enumerate(zip(rows, rows, strict=True), start=1):
                print(f"  | {cell} | {_row(*without)} | {_row(*beside)} |")


def _row(tally: Tally, busy_share: float) -> str:
    """Give a cell's figures as columns of a table."""
    columns = (
        f"{tally.longest_sign_in_queue:,}",
        f"{tally.last_sign_in_s:.0f}",
        f"{tally.longest_start_queue:,}",
        f"{tally.last_start_s:.0f}",
        f"{100 * busy_share:.0f} %",
    )
    return " | ".join(columns)
