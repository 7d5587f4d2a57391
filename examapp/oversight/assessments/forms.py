"""Forms of the assessment: shape only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from wtforms import SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from examapp.documents.html import normalise
from examapp.oversight.assessment_tables.actions import AssessmentSettings
from examapp.oversight.assessments.queries import ScoreSheetLine
from examapp.oversight.assessments.rules import (
    INDICATOR_NAMES,
    AssessmentBand,
    Indicator,
    TableItem,
    read_bands,
    read_number,
)
from examapp.oversight.duty_lists.forms import VersionForm
from examapp.web.forms import DateField, DecimalField, FlaskForm, IntegerField
from examapp.web.params import sent_number

_DAY = "日期请写成 2026-12-04 的样子。"
_MAX_REASON = 500


def _tidy(text: str | None) -> str:
    return normalise(text or "").strip()


class SettingsForm(FlaskForm):
    """What the office sets of an assessment beside its items."""

    version = IntegerField("版本", default=0)
    title = StringField(
        "名称",
        filters=[_tidy],
        validators=[
            DataRequired("请填写名称，如“2026 年度普法责任制考核”。"),
            Length(max=60, message="最多 60 字。"),
        ],
    )
    exam_id = SelectField("取用哪一场考试", coerce=sent_number)
    self_due_on = DateField("自评截止日期", invalid_value_message=_DAY, validators=[Optional()])
    appeal_days = IntegerField(
        "申诉天数",
        validators=[InputRequired("请填写天数，如 7。"), NumberRange(1, 60, "天数应在 1 到 60 之间。")],
    )
    vote_until = DateField("社会评议截止日期", invalid_value_message=_DAY, validators=[Optional()])
    bands = TextAreaField("等次", filters=[_tidy], render_kw={"rows": 4})

    def read(self) -> tuple[AssessmentSettings | None, str]:
        """Give what was set, or why it cannot stand."""
        bands, problem = read_bands(self.bands.data)
        return (None, problem) if problem else (self._settings(bands), "")

    def _settings(self, bands: Sequence[AssessmentBand]) -> AssessmentSettings:
        return AssessmentSettings(
            title=self.title.data,
            exam_id=self.exam_id.data or None,
            self_due_on=self.self_due_on.data,
            appeal_days=self.appeal_days.data,
            vote_until=self.vote_until.data,
            bands=bands,
        )


class TableItemForm(FlaskForm):
    """A line of the score table."""

    version = IntegerField("版本", default=0)
    section = StringField(
        "考核项目",
        filters=[_tidy],
        validators=[DataRequired("请填写考核项目，如“组织领导”。"), Length(max=40, message="最多 40 字。")],
    )
    content = StringField(
        "考核内容",
        filters=[_tidy],
        validators=[DataRequired("请填写考核内容，如“普法责任落实”。"), Length(max=200, message="最多 200 字。")],
    )
    points = DecimalField(
        "分值",
        places=2,
        validators=[
            InputRequired("请填写分值，如 10。"),
            NumberRange(Decimal("0.5"), 1000, "分值应在 0.5 到 1000 之间。"),
        ],
    )
    standard = TextAreaField(
        "评分标准",
        filters=[_tidy],
        validators=[Optional(), Length(max=1000, message="最多 1,000 字。")],
        render_kw={"rows": 3},
    )
    indicator = SelectField("计分方式", choices=[SelectChoice(str(key), name) for key, name in INDICATOR_NAMES.items()])
    full_from = DecimalField(
        "得满分的比率（%）",
        places=2,
        default=Decimal(100),
        validators=[Optional(), NumberRange(1, 100, "比率应在 1 到 100 之间。")],
    )

    def item(self) -> TableItem:
        """Give the item as it was filled in."""
        return TableItem(
            section=self.section.data,
            content=self.content.data,
            points=self.points.data.quantize(Decimal("0.01")),
            standard=self.standard.data,
            indicator=Indicator(self.indicator.data),
            full_from=(self.full_from.data or Decimal(100)).quantize(Decimal("0.01")),
        )


class ReviewerForm(FlaskForm):
    """Naming a reviewer."""

    staff_number = StringField(
        "评审人（姓名或工号；同名的在姓名后面写单位）",
        filters=[_tidy],
        validators=[DataRequired("请填写评审人的姓名或工号。"), Length(max=50, message="最多 50 字。")],
    )


class AppealForm(VersionForm):
    """An appeal against what was fed back."""

    text = TextAreaField(
        "申诉理由",
        filters=[_tidy],
        validators=[DataRequired("请写明对哪一项有异议、理由是什么。"), Length(max=1000, message="最多 1,000 字。")],
        render_kw={"rows": 4},
    )


class RevisionDecisionForm(VersionForm):
    """Why points are changed after they were fed back, or why not."""

    reason = TextAreaField(
        "说明",
        filters=[_tidy],
        validators=[DataRequired("请写明理由。"), Length(max=1000, message="最多 1,000 字。")],
        render_kw={"rows": 3},
    )


@dataclass(slots=True, kw_only=True)
class SentScores:
    """Points and words by item as a form of lines sent them, and what was wrong by item."""

    points: dict[int, Decimal] = field(default_factory=dict)
    text: dict[int, str] = field(default_factory=dict)
    raw: dict[int, str] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)


def read_marks(sent: Mapping[str, str], lines: Sequence[ScoreSheetLine], *, is_whole: bool) -> SentScores:
    """Read `points-<item>` and `text-<item>` of lines; an empty mark is wrong only where all are wanted."""
    marks = SentScores()
    for line in lines:
        item = line.item
        raw, text = _tidy(sent.get(f"points-{item.id}")), _tidy(sent.get(f"text-{item.id}"))
        marks.raw[item.id], marks.text[item.id] = raw, text[:_MAX_REASON]
        value, problem = read_number(raw, limit=item.points)
        if value is not None:
            marks.points[item.id] = value
        elif problem and (raw or is_whole):
            marks.problems[item.id] = problem
        if len(text) > _MAX_REASON:
            marks.problems[item.id] = f"文字最多 {_MAX_REASON} 字，请精简。"
    return marks


class OpinionForm(FlaskForm):
    """What a supervising bureau proposes for a unit's sheet."""

    points = DecimalField("建议得分", validators=[Optional()])
    text = TextAreaField(
        "评议意见",
        filters=[_tidy],
        validators=[DataRequired("请写明意见。"), Length(max=1000, message="最多 1000 字。")],
        render_kw={"rows": 3},
    )
