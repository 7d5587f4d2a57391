"""The papers for the inspector name tests that are there, and enough of them."""

from __future__ import annotations

import re

from tests.architecture.proofs import is_test
from tests.architecture.source import ROOT


def test_every_proof_that_the_papers_name_is_a_test_that_is_there():
    text = (ROOT / "docs" / "compliance.md").read_text("utf-8")
    named = re.findall(r"`(tests/[^`]+::[^`]+)`", text)
    assert len(set(named)) >= 80
    gone = sorted({test for test in named if not is_test(test)})
    assert not gone, f"docs/compliance.md names tests that are gone or renamed: {gone}"


def test_what_is_called_met_has_a_proof_and_what_is_not_says_why():
    rows = [
        line.split(" | ")
        for line in (ROOT / "docs" / "compliance.md").read_text("utf-8").splitlines()
        if re.match(r"\| (8\.1|V\d)", line)
    ]
    assert len(rows) >= 55
    unproved = [row[0] for row in rows if row[1].startswith("满足") and "::" not in row[3]]
    assert not unproved, f"called met without a test: {unproved}"
    silent = [row[0] for row in rows if not row[2].strip()]
    assert not silent
