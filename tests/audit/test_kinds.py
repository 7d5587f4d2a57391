"""Which kinds of acts the log must hold (issue: sign-in, rejection, export, reveal, grant, correction, extension), each by name and by its place in the code."""

from __future__ import annotations

import re

import pytest

from examapp.platform.audit.models import AuditEvent
from examapp.platform.audit.rules import ACT_LABELS, DETAIL_LABELS, VALUE_LABELS
from tests.architecture.source import ROOT

KINDS = {
    "sign-in": {
        "people.sign_in", "people.sign_out", "people.delay_sign_in", "people.pass_second_factor", "people.fail_second_factor", "people.fail_own_password",
        "people.end_sign_in", "people.end_other_sign_ins", "people.issue_login_token", "people.send_reset_code", "people.change_password",
        "people.reset_password",
    },
    "refusal": {"people.deny_access", "people.reject_sign_in", "people.reject_approval"},
    "export": {
        "reports.request_export", "reports.download_export", "audit.export_events", "questions.export",
        "people.export_first_passwords", "privacy.copy_own_data", "people.download_file",
    },
    "reveal": {"people.reveal_numbers"},
    "grant": {"people.request_approval", "people.approve", "people.grant_role", "people.revoke_role"},
    "correction": {"questions.correct_key", "grading.grade_again", "people.edit_person"},
    "extension": {"exams.extend", "exams.prolong_window", "attempts.apply_extension", "grading.reopen_attempt"},
    "keys": {"people.rotate_keys"},
}  # fmt: skip
LABEL = re.compile(r'"[a-z_]+[.][a-z_]+": "')
FILES = re.compile(
    r"(export|download|fetch)_|take_(copy|along)$|print_unit$|(my_)?event_file$|show_(file|version|shipped)$"
)
"""Views that hand out files, by their names."""
CODE = {path: LABEL.sub("", path.read_text("utf-8")) for path in (ROOT / "examapp").rglob("*.py")}
"""Everything but the labels, which name each act and write none."""


@pytest.mark.parametrize(("kind", "act"), [(kind, act) for kind, acts in KINDS.items() for act in sorted(acts)])
def test_each_kind_of_act_is_written_and_said(kind, act):
    assert act in ACT_LABELS, f"{kind}: add its label to AUDIT_ACTS of its feature"
    assert any(f'"{act}"' in text for text in CODE.values()), f"{kind}: nothing writes it"


def test_every_file_that_an_administrator_takes_leaves_a_line_whichever_view_hands_it_out(world, session):
    """One watch over all answers that are files; not one line a view that somebody could forget."""
    client = world.client(world.admin("publicity_office", world.unit("某县", kind="county")))
    for path in ("/my/data/copy.json", "/my/data/copy.xlsx"):
        assert client.get(path).status_code == 200
    taken = [event.details["view"] for event in session.query(AuditEvent).filter_by(act="people.download_file")]
    assert taken == ["privacy.take_copy"] * 2
    assert client.get("/my/data").status_code == 200
    assert session.query(AuditEvent).filter_by(act="people.download_file").count() == 2, "a page is no file"


def test_no_line_about_a_file_speaks_the_programs_language(app):
    """The views that hand out files, and the numbers in their addresses, are told by Chinese words."""
    rules = [rule for rule in app.url_map.iter_rules() if FILES.match(rule.endpoint.partition(".")[2])]
    assert len(rules) > 40
    numbers = {name for rule in rules for name in rule.arguments if name.endswith(("_id", "_year"))}
    unsaid = {rule.endpoint for rule in rules} - set(VALUE_LABELS) | numbers - set(DETAIL_LABELS)
    assert sorted(unsaid) == [], "add them to AUDIT_VALUES and AUDIT_DETAILS"


def test_a_candidates_own_file_is_not_watched(world, session):
    assert world.client(world.person()).get("/my/data/copy.json").status_code == 200
    assert session.query(AuditEvent).filter_by(act="people.download_file").count() == 0
