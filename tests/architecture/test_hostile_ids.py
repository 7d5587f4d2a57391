"""Each row of hostile input has a test with its id in its name, and what is named as a proof elsewhere is there."""

from __future__ import annotations

import re

from tests.architecture.proofs import is_test, named_tests
from tests.architecture.source import ROOT
from tests.hostile.elsewhere import ELSEWHERE

IDS = {f"H{number:02d}" for number in range(1, 25)}


def test_every_row_of_hostile_input_has_a_test_by_its_id():
    named = {
        f"H{number}"
        for path in ROOT.glob("tests/*/test_*.py")
        for name in named_tests(str(path.relative_to(ROOT)))
        for number in re.findall(r"_h(\d\d)(?=_)", name)
    }
    assert not IDS - named, f"write a test for these rows, with the id in its name: {sorted(IDS - named)}"
    assert named == IDS, "a test names a row that the list does not have"
    assert set(ELSEWHERE) <= IDS


def test_what_is_named_as_a_proof_elsewhere_is_there():
    gone = [test for tests in ELSEWHERE.values() for test in tests if not is_test(test)]
    assert not gone, f"these tests are gone or renamed: {gone}"
