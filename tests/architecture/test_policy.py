"""Every view of the application stands in the access policy, and no row stands for a view that is gone."""

from __future__ import annotations

import re

from examapp.organisation.access.rules import PERMISSION_HOLDERS
from tests.matrix.policy import EVERYBODY, HOLDERS, KINDS, POLICY, ROLES


def test_every_view_has_its_row_in_the_access_policy_and_no_row_is_left_over(app):
    arguments = {rule.endpoint: set(re.findall(r"<(?:\w+:)?(\w+)>", rule.rule)) for rule in app.url_map.iter_rules()}
    missing = sorted(set(arguments) - set(POLICY))
    assert not missing, f"say in tests/matrix/policy.py who may call these: {missing}"
    assert not sorted(set(POLICY) - set(arguments)), "these rows of tests/matrix/policy.py stand for no view"
    assert set(HOLDERS) == set(PERMISSION_HOLDERS), "say in HOLDERS who holds it"
    wrong = [name for name, row in POLICY.items() if set(row.things) != arguments[name]]
    assert not wrong, f"the rows name other things than the paths: {wrong}"
    unknown = {kind for row in POLICY.values() for kind in row.things.values()} - set(KINDS)
    assert not unknown, f"KINDS does not say whose these are: {unknown}"
    assert all(set(row.roles) <= set(EVERYBODY) for row in POLICY.values()) and set(ROLES) < set(EVERYBODY)
