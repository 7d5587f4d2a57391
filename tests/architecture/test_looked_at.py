"""A page that the long walk does not look at is looked at by a test that is there."""

from __future__ import annotations

from tests.architecture.proofs import is_test
from tests.browser.elsewhere import NO_PAGES, NOT_IN_THE_WALK, ON_DEMAND, SHOWN_ONCE


def test_a_page_that_the_long_walk_leaves_out_names_the_test_that_looks_at_it(app):
    named = NOT_IN_THE_WALK | ON_DEMAND
    gone = {page: test for page, test in (named | SHOWN_ONCE).items() if not is_test(test)}
    assert not gone, f"these tests are gone or renamed: {gone}"
    read = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in rule.methods}
    assert not {*named, *NO_PAGES} - read, "these stand in tests/browser/elsewhere.py for no page"
    assert not {name for name in SHOWN_ONCE if name not in app.jinja_env.list_templates()}
