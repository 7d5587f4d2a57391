"""Every page that nobody and the office find, by links and by address, on a deployment of the demo county; the other half of the walk is test_pages_of_others.py."""

from __future__ import annotations

import pytest

from tests.browser.walk import leave_traces, never_reached, walk_as

pytestmark = pytest.mark.long


def test_every_page_of_the_office_stands(visitors, accounts, walk, shared_folder, tmp_path):
    leave_traces(visitors, accounts, tmp_path)
    walk_as(["", "publicity_office"], visitors, accounts, walk)
    unreached = never_reached(walk, shared_folder, "office")
    assert (walk.issues + visitors.issues, unreached) == ([], set()), (
        "faults, and pages that nobody reached by following links"
    )
