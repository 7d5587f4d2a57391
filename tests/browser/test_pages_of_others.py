"""Every page that the other roles find by following links from home, on a deployment of the demo county."""

from __future__ import annotations

import pytest

from tests.browser.walk import leave_traces, never_reached, walk_as

pytestmark = pytest.mark.long


def test_every_page_of_the_other_roles_stands(visitors, accounts, walk, office_pages, shared_folder, tmp_path):
    walk.seen_by_office = office_pages
    leave_traces(visitors, accounts, tmp_path)
    walk_as(sorted({*accounts} - {"publicity_office"}), visitors, accounts, walk)
    unreached = never_reached(walk, shared_folder, "others")
    assert (walk.issues + visitors.issues, unreached) == ([], set()), (
        "faults, and pages that nobody reached by following links"
    )
