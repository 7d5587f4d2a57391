"""Fields whose names or values hold a number: one of 5,000 digits is passed over, and what is rejected is rejected in Chinese."""

import io
import re

import pytest

from tests.matrix.conftest import stage  # noqa: F401 – a fixture

DIGITS = "9" * 5000
SENT = {
    "a law's change": ("P", "/admin/questions/{question}/law-change/keep", {f"articles-{DIGITS}": "第一条", "articles-²": "第一条"}),
    "an option of a new question": ("P", "/admin/questions/new/single_choice", {"act": f"add_option-{DIGITS}"}),
    "an option of a question": ("P", "/admin/questions/{question}/edit", {"act": f"add_option-{DIGITS}"}),
    "a row of options": ("P", "/admin/questions/new/single_choice", {f"parts-{DIGITS}-stem": "1", f"parts-0-options-{DIGITS}": "1"}),
    "a vote": ("C", "/duties/vote", {f"unit-{DIGITS}": "good", "unit-²": "good"}),
}  # fmt: skip
NO_CHOICE = {
    "/admin/messages/notices/new": ("unit_ids",),
    "/admin/training/new": ("unit_id", "sector_unit_id"),
    "/admin/exams/new": ("main_exam_id", "audience-0-sector_unit_id"),
    "/admin/questions/new/single_choice": ("topic",),
}


@pytest.mark.parametrize("what", SENT)
def test_a_number_of_five_thousand_digits_in_a_name_breaks_no_page(stage, what):
    role, path, fields = SENT[what]
    with stage.call():
        answer = stage.scenario.clients[role].post(
            path.format(question=stage.scenario.things["question"]["same"]), data=fields
        )
    assert answer.status_code < 500 and answer.status_code != 404


@pytest.mark.parametrize("path", NO_CHOICE)
def test_a_choice_that_is_not_offered_is_rejected_in_chinese(stage, path):
    client = stage.scenario.clients["P"]
    with stage.call():
        answer = client.post(path, data=dict.fromkeys(NO_CHOICE[path], DIGITS))
    errors = re.findall(r'class="field-error"[^>]*>([^<]+)<', answer.text)
    assert errors, answer.status_code
    assert [text for text in errors if text.isascii()] == [] and "Not a valid" not in answer.text


@pytest.mark.parametrize("path", ["/admin/exams/new", "/admin/messages/notices/new", "/admin/org/units/new"])
def test_a_file_in_a_field_for_words_breaks_no_page(stage, path):
    client = stage.scenario.clients["P"]
    with stage.call():
        names = set(re.findall(r'name="([^"]+)"', client.get(path).text))
        answer = client.post(
            path, data={name: (io.BytesIO(b"x"), "x.txt") for name in names}, content_type="multipart/form-data"
        )
    assert len(names) > 3 and answer.status_code in {200, 400, 422}
