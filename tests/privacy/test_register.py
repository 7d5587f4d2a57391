"""The register of personal data as people read it, and the terms; that it is whole is a rule of the house (tests/architecture)."""

from __future__ import annotations

import pytest

from examapp.config import Settings, SettingsError
from examapp.platform.data_inventory.rules import RetentionPolicy
from examapp.platform.privacy.rules import HOLDINGS, Terms


def test_the_notice_is_open_to_everybody_and_says_it_all(world):
    page = world.client().get("/privacy")
    assert page.status_code == 200
    for holding in HOLDINGS:
        assert holding.purpose in page.text
    assert "满 5 年后匿名" in page.text
    assert "/privacy" in world.client().get("/login").text


@pytest.mark.parametrize(
    "fields",
    [{"keep_audit_days": "199"}, {"keep_sign_ins_days": "30"}, {"keep_results_years": "0"}, {"keep_leavers_days": "x"}],
)
def test_terms_that_would_break_the_law_or_make_no_sense_are_refused_at_the_start(servers, fields):
    from dataclasses import replace

    with pytest.raises(SettingsError, match=next(iter(fields)).upper()):
        replace(servers.settings(), **fields).check()


def test_every_term_is_said():
    terms = Terms.from_settings(Settings())
    assert all(terms.words(term) for term in RetentionPolicy)
