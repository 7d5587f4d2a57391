"""Forms of reports: shape only."""

from __future__ import annotations

from flask import request
from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from examapp.oversight.duty_reports.rules import HEADS, MAX_TEXT
from examapp.web.forms import DateField, FlaskForm, IntegerField


def _tidy(text: str | None) -> str:
    return (text or "").strip()


class AskForm(FlaskForm):
    """Asking for the reports of a year."""

    due_on = DateField("报送期限", validators=[InputRequired("请填写报送期限，如 2026-12-20。")])


class LeaderForm(FlaskForm):
    """Who is the first responsible person of a unit."""

    person = StringField(
        "第一责任人", validators=[DataRequired("请填写姓名或工号。"), Length(max=60, message="最多 60 字。")]
    )


class RemarkForm(FlaskForm):
    """What the superior says of a report."""

    remark = TextAreaField(
        "审阅意见",
        filters=[_tidy],
        validators=[Length(max=1000, message="最多 1000 字。")],
        render_kw={"rows": 3},
    )


class DutyReportForm(FlaskForm):
    """A report being written; its heads follow from its kind."""

    version = IntegerField("版本", default=0)


def read_texts(kind: str) -> tuple[dict[str, str], list[str]]:
    """Read what was sent under the heads of a kind; gives the texts, and what is wrong with them."""
    texts = {key: request.form.get(f"text-{key}", "").replace("\0", "").strip() for key in HEADS[kind]}
    long = [HEADS[kind][key] for key, text in texts.items() if len(text) > MAX_TEXT]
    return texts, [f"“{name}”最多 {MAX_TEXT} 字，请精简。" for name in long]
