"""Forms: every sentence in Chinese, every number and day within bounds, whichever form is added next."""

from __future__ import annotations

import ast
from pathlib import Path

import flask_wtf
import pytest
import wtforms
from werkzeug.datastructures import MultiDict

from examapp.web import forms
from examapp.web.forms import MESSAGES, FlaskForm
from examapp.web.params import read_id, read_page, read_whole, read_year, sent_number
from tests.architecture.source import CODE, ROOT, nodes_of

OWN = {"FlaskForm", "Form", "FieldList", "IntegerField", "IntegerRangeField", "FloatField", "DecimalField", "DecimalRangeField", "DateField", "DateTimeField", "DateTimeLocalField", "MonthField", "WeekField"}  # fmt: skip


def below(parent: type) -> set[type]:
    return {one for child in parent.__subclasses__() for one in {child, *below(child)}}


def test_every_sentence_that_the_form_libraries_say_is_there_in_chinese():
    said = {
        word.value
        for library in (wtforms, flask_wtf)
        for path in Path(library.__file__).parent.rglob("*.py")
        for node in nodes_of(path)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"gettext", "ngettext"}
        for word in node.args
        if isinstance(word, ast.Constant) and isinstance(word.value, str)
    }
    assert len(said) > 30 and said - MESSAGES.keys() == set()
    assert [text for text in MESSAGES.values() if text.isascii()] == []


def test_every_form_is_made_of_the_applications_own_parts():
    strays = [
        f"{path.relative_to(ROOT)} takes {name.name} from {node.module}: take it from examapp.web.forms"
        for path in CODE
        if path != ROOT / "examapp/web/forms.py"
        for node in nodes_of(path)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in {"wtforms", "flask_wtf"}
        for name in node.names
        if name.name in OWN
    ]
    assert not strays, "\n".join(strays)


def test_no_form_rejects_anything_in_english(app):
    """Each form of the application is sent nonsense in every field; what it says by itself is read."""
    english, said = [], 0
    made = sorted(below(FlaskForm) | below(forms.Form), key=str)
    for kind in (one for one in made if one.__module__.startswith("examapp.")):
        for value in ("²", "x" * 5000, "-1", "", "9" * 5000):
            with app.test_request_context("/", method="POST"):
                form = _bare(kind)
                names = [field.name for field in form if field.name != "csrf_token"]
                sent = MultiDict((name, value) for name in names)
                form = _bare(kind, sent)
                form.validate()
            found = list(_sentences({name: said for name, said in form.errors.items() if name != "csrf_token"}))
            said += len(found)
            english += [f"{kind.__module__}.{kind.__name__}: {text}" for text in found if text.isascii()]
    assert len(made) > 60 and said > 400
    assert not english, "\n".join(sorted(set(english)))


def _bare(kind, sent=None):
    """Make a form whose selects offer nothing where the view would fill them."""
    form = kind(sent)
    if hasattr(form, "offer_reasons"):
        form.offer_reasons([])
    for field in form:
        if isinstance(field, wtforms.SelectField) and field.choices is None:
            field.choices = []
    return form


def _sentences(errors):
    if isinstance(errors, dict):
        errors = errors.values()
    for one in errors:
        if isinstance(one, str):
            yield one
        else:
            yield from _sentences(one)


@pytest.mark.parametrize(
    "text", ["9" * 5000, "²", "١٢", "1.0", "-1", " 1", "", "x", None, True, [1], 2**63, "\0", "\ud800", "1_0"]
)
def test_no_number_is_what_is_not_written_in_plain_digits_within_bounds(text):  # fmt: skip
    assert read_whole(text) is None and read_page(text) == 1 and read_year(text) is None
    with pytest.raises(ValueError, match="no number"):
        sent_number(text)
    if text not in ("", None):
        with pytest.raises(ValueError, match="no id"):
            read_id(text)


@pytest.mark.parametrize("number", [0, 1, 2026, 2**63 - 1])
def test_plain_numbers_are_read(number):
    assert read_whole(str(number)) == read_whole(number) == read_id(str(number)) == sent_number(str(number)) == number


class _Every(FlaskForm):
    whole = forms.IntegerField("n")
    decimal = forms.DecimalField("n")
    day = forms.DateField("n")
    instant = forms.DateTimeLocalField("n", format="%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    "value",
    [
        "sNaN",
        "NaN",
        "Infinity",
        "1e999",
        "1e5",
        "9" * 5000,
        "0001-01-01",
        "9999-12-31",
        "9999-12-31T23:59",
        "0001-01-01T00:00",
        "\0",
        "²",
    ],
)
def test_a_field_for_numbers_and_days_takes_nothing_without_bounds(app, value):  # fmt: skip
    with app.test_request_context(
        "/", method="POST", data=dict.fromkeys(("whole", "decimal", "day", "instant"), value)
    ):
        form = _Every()
        assert not form.validate()
        assert {name for name, errors in form.errors.items() if errors} >= {"whole", "decimal", "day", "instant"}
        assert [form[name].data for name in ("whole", "decimal", "day", "instant")] == [None] * 4


def test_wide_digits_of_a_chinese_keyboard_are_taken(app):
    sent = {"whole": "１２", "decimal": "１２．５", "day": "2026-11-24", "instant": "2026-11-24T08:00"}
    with app.test_request_context("/", method="POST", data=sent):
        form = _Every()
        form.validate()
        assert (form.whole.data, str(form.decimal.data), form.day.data.day, form.instant.data.hour) == (
            12,
            "12.5",
            24,
            8,
        )
