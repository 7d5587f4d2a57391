"""The simulated opening: queues whose answer is known, the program's gates in simulated time, and the judgement of a simulation by a measured wave."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from benchmarks import __main__ as command
from benchmarks import simulate
from benchmarks.measured_openings import CALIBRATION, JUDGED
from benchmarks.openings import COMPARED, OpeningShape
from benchmarks.simulation import Cost, Costs, Opening, SimulatedMachine

_CALLS = ("page", "turn", "sign_in", "turned_away", "start", "queued", "paper", "save")
_FREE = Costs(dict.fromkeys(_CALLS, Cost()), hash_s=0.0)
"""Nothing takes time."""
_ONE = SimulatedMachine(cores=1, web_processes=1, hashes_at_once=1, hash_queue=1000, starts_per_second=1000.0)


def _hashing(seconds: float) -> Costs:
    return replace(_FREE, hash_s=seconds)


def test_passwords_that_come_evenly_are_a_queue_with_one_server():
    """D/D/1: each second one comes and is served for two; the tenth comes at 9 s, when four have left, and leaves at 20 s."""
    opening = Opening(_hashing(2.0), _ONE, OpeningShape(people=10, seconds=10.0))
    tally = opening.run()
    assert tally.last_sign_in_s == pytest.approx(20.0)
    assert tally.longest_sign_in_queue == 6
    assert opening.busy_share() == pytest.approx(1.0)


def test_two_processors_check_two_passwords_at_once():
    """D/D/2: the tenth comes at 9 s and is served at once, for each is free again after 1.9 s."""
    two = replace(_ONE, cores=2, hashes_at_once=2)
    opening = Opening(_hashing(1.9), two, OpeningShape(people=10, seconds=10.0))
    tally = opening.run()
    assert tally.last_sign_in_s == pytest.approx(10.9)
    assert tally.longest_sign_in_queue == 2
    assert opening.busy_share() == pytest.approx(19 / 21.8)


def test_starts_pass_at_the_rate_of_the_gate_behind_its_burst():
    """A hundred and twenty of 160 who come at once are let in; forty more need four seconds at ten a second, and call again in whole seconds."""
    gate = replace(_ONE, starts_per_second=10.0)
    tally = Opening(_FREE, gate, OpeningShape(people=160, seconds=0.001, signed_in_before=160)).run()
    assert tally.longest_start_queue == 40
    assert 4.0 <= tally.last_start_s <= 5.01
    assert tally.started == 160


def test_processors_are_as_busy_as_the_calls_that_were_made_say():
    """Twenty come five seconds apart, and each saves two seconds after the last save ended, for a tenth of one, until the last has come."""
    costs = Costs({**_FREE.calls, "save": Cost(database_s=0.1)}, hash_s=0.0)
    opening = Opening(
        costs,
        replace(_ONE, cores=20, slots=20),
        OpeningShape(people=20, seconds=100.0, signed_in_before=20, pause_s=2.0),
    )
    saves = sum(int((95 - 5 * number) / 2.1) for number in range(20))
    assert opening.run().saves == pytest.approx(saves, abs=1)
    assert opening.busy_s == pytest.approx(0.1 * saves, abs=0.2)


def test_slow_saves_lower_the_rate_of_the_gate():
    gate = replace(_ONE, cores=8, starts_per_second=2.0)
    shape = OpeningShape(people=140, seconds=0.001, signed_in_before=140, pause_s=1.0)
    quick = Opening(_FREE, gate, shape).run().last_start_s
    slow = Opening(Costs({**_FREE.calls, "save": Cost(database_s=0.2)}, hash_s=0.0), gate, shape).run().last_start_s
    assert slow > 1.5 * quick


def test_the_lobby_turns_no_password_away_and_holds_nobody_back_when_there_is_room():
    crowd, few = OpeningShape(people=200, seconds=1.0), replace(_ONE, hash_queue=20)
    alone, beside = (Opening(_hashing(0.1), replace(few, has_lobby=has), crowd).run() for has in (False, True))
    assert alone.signed_in == beside.signed_in == 200
    assert beside.turned_away < alone.turned_away / 10
    assert 20.0 <= beside.last_sign_in_s <= 26.0, "the one server is hardly ever idle"
    quiet = Opening(_hashing(0.1), few, OpeningShape(people=20, seconds=4.0)).run()
    assert (quiet.turned_away, quiet.looks) == (0, 0)


def test_the_same_seed_gives_the_same_opening():
    machine, shape = replace(_ONE, web_processes=3, hash_queue=5), OpeningShape(people=60, seconds=2.0, is_even=False)
    runs = [Opening(_hashing(0.05), machine, shape, seed=seed).run().as_json() for seed in (7, 7, 8)]
    assert runs[0] == runs[1] != runs[2]


def _stage(name, seconds, calls=None, **cpu_s):
    parts = dict.fromkeys(("web", "hashing", "database", "others", "client"), 0.0)
    return {"name": name, "seconds": seconds, "calls": calls or {}, "cpu_s": parts | cpu_s}


@pytest.fixture
def calibration():
    """A first wave: each call of it costs as much as the test below says, beside an idle site that takes a hundredth of a processor in `others`."""
    idle = {"others": 0.1}
    return {
        "begun_at": "2026-12-02", "host": "a machine", "hash_alone_ms": [12.0, 12.0], "failed": [],
        "stages": [
            _stage("idle", 10.0, others=0.1),
            _stage("pages", 10.0, {"page": 100}, web=0.3, **idle),
            _stage("turns", 10.0, {"turn": 100}, web=0.1, **idle),
            _stage("sign-ins", 10.0, {"sign_in": 100, "session": 100}, web=0.5, hashing=1.0, database=0.2, client=0.1, **idle),
            _stage("sign-ins, crowded", 10.0, {"sign_in": 100, "session": 100, "turned_away": 50}, web=0.6, hashing=1.0, database=0.2, client=0.1, **idle),
            _stage("starts", 10.0, {"start": 100}, web=0.2, database=0.2, **idle),
            _stage("starts, crowded", 10.0, {"start": 100, "queued": 100}, web=0.3, database=0.3, **idle),
            _stage("papers", 10.0, {"paper": 100}, web=0.2, **idle),
            _stage("saves", 10.0, {"save": 100}, web=0.1, database=0.05, **idle),
            _stage("hand-ins", 10.0, {"hand_in": 100}, web=0.4, others=0.2),
            _stage("grading", 10.0, others=0.3),
        ],
    }  # fmt: skip


def test_costs_are_what_each_stage_took_beyond_the_idle_site(calibration):
    costs = simulate.costs_of(calibration)
    assert (costs.hash_s, costs.idle) == (pytest.approx(0.01), pytest.approx(0.01))
    ms = {name: [round(1000 * part, 6) for part in asdict(cost).values()] for name, cost in costs.calls.items()}
    assert ms == {
        "page": [3, 0, 0, 0],
        "turn": [1, 0, 0, 0],
        "sign_in": [5, 2, 0, 1],
        "turned_away": [2, 0, 0, 0],
        "start": [2, 2, 0, 0],
        "queued": [1, 1, 0, 0],
        "paper": [2, 0, 0, 0],
        "save": [1, 0.5, 0, 0],
        "hand_in": [4, 0, 3, 0],
    }


def test_the_command_fails_where_a_measured_queue_is_missed_and_says_by_how_much(
    calibration, monkeypatch, tmp_path, capsys
):
    machine, shape = replace(_ONE, web_processes=1, starts_per_second=20.0), OpeningShape(people=100, seconds=1.0)
    found = Opening(simulate.costs_of(calibration), machine, shape).run().as_json()
    assert all(found[name] > 0 for name in COMPARED)
    monkeypatch.setattr(simulate, "_print_cells", lambda _costs: None)
    monkeypatch.setattr(command, "_end_with_parent", lambda: None)
    monkeypatch.setenv("OPENING_RESULTS", str(tmp_path))
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    (tmp_path / CALIBRATION).write_text(json.dumps(calibration), "utf-8")
    codes = []
    for factor in (1.0, 1.2, 1.5):  # a fifth less than what was measured, and a third less
        tally = found | {"last_start_s": factor * found["last_start_s"]}
        judged = calibration | {"machine": asdict(machine), "shape": asdict(shape), "tally": tally}
        (tmp_path / JUDGED).write_text(json.dumps(judged), "utf-8")
        codes.append(command.main(["simulate"]))
    assert codes == [0, 0, 1]
    printed = capsys.readouterr().out
    assert "last_start_s off what was measured: 33.3" in printed
    assert "p99" not in printed
