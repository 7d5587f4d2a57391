"""The drill's check of I9 notices an answer of a returning device that is neither saved nor shown."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.faults.invariants import InvariantFindings, _brought_back_is_there_or_shown
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
