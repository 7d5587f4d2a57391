"""The register of personal data as people read it, and the terms; that it is whole is a rule of the application (tests/architecture)."""

from __future__ import annotations

import pytest

from examapp.config import Settings, SettingsError, read_settings
from examapp.db.personal_data import RetentionPolicy, list_personal_data
from examapp.platform.privacy.rules import Terms


def test_the_notice_is_open_to_everybody_and_says_it_all(world):
    page = world.client().get("/privacy")
    assert page.status_code == 200
    for category in list_personal_data():
        assert category.purpose in page.text
    assert "满 5 年后匿名" in page.text
    assert "/privacy" in world.client().get("/login").text


@pytest.mark.parametrize(
    ("name", "text"),
    [("KEEP_AUDIT_DAYS", "199"), ("KEEP_SIGN_INS_DAYS", "30"), ("KEEP_RESULTS_YEARS", "0"), ("KEEP_LEAVERS_DAYS", "x")],
)
def test_terms_that_would_break_the_law_or_make_no_sense_are_rejected_at_the_start(name, text):
    with pytest.raises(SettingsError, match=name):
        read_settings({name: text})


def test_every_term_is_said():
    terms = Terms.from_settings(Settings())
    assert all(terms.text(term) for term in RetentionPolicy)
