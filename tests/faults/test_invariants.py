"""The drill's checks notice an acknowledged answer that is gone (I1), and one of a returning device that is neither saved nor shown (I9)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.faults.invariants import InvariantFindings, _brought_back_is_there_or_shown, _replaced_is_in_history
from tests.faults.ledger import Ledger

PLACE = (7, 2, 1, 5)
"""Attempt 7, item 2, given under epoch 1."""


@pytest.mark.parametrize(
    ("history", "is_shown", "is_broken"),
    [
        ([(7, 1, 2, 3, 1, ["B"])], False, False),
        ([(7, 1, 2, 1, 5, ["B"])], False, False),
        ([(7, 1, 2, 2, 1, ["A"])], True, False),
        ([(7, 1, 2, 2, 1, ["A"])], False, True),
        ([(7, 1, 2, 1, 4, ["B"])], False, True),
        ([], False, True),
    ],
    ids=["entered_again", "saved_after_all", "asked", "dropped", "only_an_older_one", "nothing"],
)
def test_what_a_returning_device_held_is_saved_or_shown(history, is_shown, is_broken):
    ledger, found = Ledger(), InvariantFindings()
    ledger.brought_back[PLACE] = ["B"]
    if is_shown:
        ledger.shown.add(PLACE)
    _brought_back_is_there_or_shown(found, cast("Any", SimpleNamespace(history=history, attempts={7: ()})), ledger)
    assert bool(found.broken["I9"]) == is_broken


def test_an_acknowledged_answer_that_was_lost_counts_though_its_item_was_answered_again():
    ledger = Ledger()
    for seq in (1, 2, 3):
        ledger.note_acked((7, 2, 1, seq), seq)
    for kept, lost in (((1, 2, 3), 0), ((1, 3), 1), ((3,), 2)):
        found = InvariantFindings()
        rows = SimpleNamespace(history=[(7, 1, 2, 1, seq, ["A"]) for seq in kept], attempts={7: ()})
        _replaced_is_in_history(found, cast("Any", rows), ledger)
        assert (found.lost, len(found.broken["I1"])) == (lost, lost)
