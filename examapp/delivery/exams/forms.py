"""Forms of the exam pages: shape only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from flask_wtf.file import FileField
from wtforms import BooleanField, FormField, HiddenField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from examapp.clock import from_local, local
from examapp.delivery.exams.actions import AudiencePart, ExamSettings
from examapp.delivery.exams.models import (
    EXAM_KIND_NAMES,
    SCORING_RULE_NAMES,
    CountingRule,
    Exam,
    ExamKind,
    ExemptionKind,
    ExemptionReason,
    ReleasePolicy,
)
from examapp.delivery.exams.rules import Window
from examapp.delivery.exemptions.actions import Attachment
from examapp.delivery.exemptions.queries import ExemptionStatus
from examapp.web.forms import DateField, DateTimeLocalField, DecimalField, FlaskForm, Form, IntegerField, RowList
from examapp.web.params import read_id, sent_number
from question_bank.kinds.base import ScoringRule

COUNTING_RULE_NAMES = {
    CountingRule.BEST: "取最高分",
    CountingRule.LAST: "取最后一次",
    CountingRule.FIRST: "取第一次",
}
RESULTS_POLICY_NAMES = {
    ReleasePolicy.AT_ONCE: "评分后立即公布",
    ReleasePolicy.AT_CLOSE: "考试结束后公布",
    ReleasePolicy.AT_TIME: "在指定时间公布",
    ReleasePolicy.NEVER: "不公布",
}
KEYS_POLICY_NAMES = RESULTS_POLICY_NAMES | {ReleasePolicy.AT_ONCE: "随成绩立即公布"}
EXEMPTION_KIND_NAMES = {ExemptionKind.EXEMPTION: "免考", ExemptionKind.DEFERRAL: "缓考"}
EXEMPTION_STATUS_NAMES = {
    ExemptionStatus.PENDING: "待审批",
    ExemptionStatus.APPROVED: "已同意",
    ExemptionStatus.REJECTED: "未同意",
    ExemptionStatus.WITHDRAWN: "已撤回",
}
_BETWEEN = re.compile(r"[\s、，,；;]+")
_BETWEEN_ENTRIES = re.compile(r"[\r\n、，,；;]+")
_LONG = 100_000
NAMED = "姓名或工号；同名的在姓名后面写单位，如：张三 财政局"


@dataclass(frozen=True, slots=True)
class Choices:
    """What the selects of an exam's form offer, as (id, words)."""

    blueprints: Sequence[tuple[int, str]]
    main_exams: Sequence[tuple[int, str]]
    units: Sequence[tuple[int, str]]
    sectors: Sequence[tuple[int, str]]


def offer(nothing: str, pairs: Iterable[tuple[int, str]]) -> list[SelectChoice]:
    """Make a select's choices: first the words for none, then the ids."""
    return [SelectChoice("", nothing), *(SelectChoice(str(value), text) for value, text in pairs)]


def _names(text: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    return [SelectChoice(str(value), label) for value, label in text]


def _instant_field(label: str, *validators: object, help_text: str = "") -> DateTimeLocalField:
    return DateTimeLocalField(label, [*validators], format=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"], description=help_text)


def _years_apart(_form: Form, field: DateTimeLocalField) -> None:
    if field.data is not None and not 2000 <= field.data.year <= 2100:
        raise ValidationError("年份不对，请检查。")


class SessionForm(Form):
    """A session (场次)."""

    name = StringField("场次名称", [DataRequired("请填写场次名称，如“第一场”。"), Length(max=40)])
    opens_at = _instant_field("开始时间", InputRequired("请填写开始时间。"), _years_apart)
    closes_at = _instant_field("结束时间", InputRequired("请填写结束时间。"), _years_apart)

    def validate_closes_at(self, field: DateTimeLocalField) -> None:
        """Reject an end before the beginning."""
        if field.data and self.opens_at.data and field.data <= self.opens_at.data:
            raise ValidationError("结束时间必须晚于开始时间。")


class AudienceForm(Form):
    """One part of the audience."""

    unit_id = SelectField("单位（含下级）", coerce=read_id)
    sector_unit_id = SelectField("系统（含下级）", coerce=read_id)
    ranks = StringField("职级", [Optional(), Length(max=400)], description="多个用顿号隔开；不填为不限")
    blueprint_id = SelectField("专用组卷规则", coerce=read_id)


class ExamForm(FlaskForm):
    """Every setting of an exam."""

    title = StringField("考试名称", [DataRequired("请填写考试名称。"), Length(max=100, message="名称最多 100 字。")])
    kind = SelectField("考试类型", [InputRequired("请选择。")], choices=_names(EXAM_KIND_NAMES.items()))
    main_exam_id = SelectField("补考所属的主考试", coerce=read_id)
    blueprint_id = SelectField("组卷规则", coerce=read_id)
    instructions = TextAreaField(
        "考试说明", [Optional(), Length(max=2000, message="说明最多 2000 字。")], render_kw={"rows": 4}
    )
    opens_at = _instant_field("开始时间", InputRequired("请填写开始时间。"), _years_apart)
    closes_at = _instant_field("结束时间", InputRequired("请填写结束时间。"), _years_apart)
    sessions = RowList(FormField(SessionForm), max_entries=50)
    duration = IntegerField(
        "作答时长（分钟）", [InputRequired("请填写作答时长。"), NumberRange(1, 1440, "应为 1 至 1440 分钟。")]
    )
    lateness = IntegerField("迟到多少分钟后不能进入", [Optional(), NumberRange(0, _LONG, "分钟数不对，请检查。")])
    is_full_duration = BooleanField("迟到考生仍按完整时长作答（可超过结束时间）")
    grace_s = IntegerField(
        "到时间后的收卷宽限（秒）",
        [InputRequired("请填写宽限秒数。"), NumberRange(0, 600, "应为 0 至 600 秒。")],
        default=60,
    )
    attempts_allowed = IntegerField("允许作答次数", [Optional(), NumberRange(1, 1000, "应为 1 以上。")], default=1)
    counting_rule = SelectField(
        "多次作答的计分", [InputRequired("请选择。")], choices=_names(COUNTING_RULE_NAMES.items())
    )
    scoring_rule = SelectField("多选题计分", [InputRequired("请选择。")], choices=_names(SCORING_RULE_NAMES.items()))
    pass_percent = DecimalField(
        "合格线（满分的 %）", [InputRequired("请填写合格线。"), NumberRange(0, 100, "应为 0 至 100。")], default=60
    )
    good_percent = DecimalField(
        "良好线（%）", [InputRequired("请填写良好线。"), NumberRange(0, 100, "应为 0 至 100。")], default=80
    )
    excellent_percent = DecimalField(
        "优秀线（%）", [InputRequired("请填写优秀线。"), NumberRange(0, 100, "应为 0 至 100。")], default=90
    )
    results_policy = SelectField("成绩", [InputRequired("请选择。")], choices=_names(RESULTS_POLICY_NAMES.items()))
    results_at = _instant_field("成绩公布时间", Optional(), _years_apart)
    keys_policy = SelectField(
        "答案和解析",
        [InputRequired("请选择。")],
        choices=_names(KEYS_POLICY_NAMES.items()),
        default=ReleasePolicy.AT_CLOSE,
    )
    keys_at = _instant_field("答案公布时间", Optional(), _years_apart)
    focus_loss_limit = IntegerField("切屏超过几次强制交卷", [Optional(), NumberRange(1, 1000, "应为 1 以上。")])
    has_pledge = BooleanField("开考前须勾选诚信承诺书")
    required_credits = IntegerField("必修学分", [Optional(), NumberRange(0, 10_000, "学分不对，请检查。")])
    elective_credits = IntegerField("选修学分", [Optional(), NumberRange(0, 10_000, "学分不对，请检查。")])
    snapshot_on = DateField("名册冻结日", [Optional()])
    has_snapshot_at_close = BooleanField("没有填冻结日的，考试结束时自动冻结名册", default=True)
    audience = RowList(FormField(AudienceForm), max_entries=50)
    staff_numbers = TextAreaField(
        "点名参加的人员",
        [Optional(), Length(max=200_000, message="名单太长，请改用单位或职级范围。")],
        render_kw={"rows": 5},
    )

    def offer(self, choices: Choices) -> None:
        """Fill the selects, those of the rows too."""
        self.main_exam_id.choices = offer("不是补考", choices.main_exams)
        self.blueprint_id.choices = offer("以后再选", choices.blueprints)
        for row in self.audience:
            offer_in_row(row.form, choices)

    def settings(self) -> ExamSettings:
        """Give the exam as it was filled in, times read as the county's."""
        required_credits = {"required": self.required_credits.data, "elective": self.elective_credits.data}
        snapshot_on = self.snapshot_on.data
        return ExamSettings(
            title=self.title.data.strip(),
            kind=ExamKind(self.kind.data),
            main_exam_id=self.main_exam_id.data,
            blueprint_id=self.blueprint_id.data,
            instructions=(self.instructions.data or "").strip(),
            opens_at=from_local(self.opens_at.data),
            closes_at=from_local(self.closes_at.data),
            duration_s=self.duration.data * 60,
            lateness_s=None if self.lateness.data is None else self.lateness.data * 60,
            is_full_duration=bool(self.is_full_duration.data),
            grace_s=self.grace_s.data,
            attempts_allowed=self.attempts_allowed.data,
            counting_rule=CountingRule(self.counting_rule.data),
            scoring_rule=ScoringRule(self.scoring_rule.data),
            pass_percent=self.pass_percent.data,
            good_percent=self.good_percent.data,
            excellent_percent=self.excellent_percent.data,
            results_policy=ReleasePolicy(self.results_policy.data),
            results_at=_instant_where(self.results_policy.data, self.results_at.data),
            keys_policy=ReleasePolicy(self.keys_policy.data),
            keys_at=_instant_where(self.keys_policy.data, self.keys_at.data),
            focus_loss_limit=self.focus_loss_limit.data,
            has_pledge=bool(self.has_pledge.data),
            study_gate={name: value for name, value in required_credits.items() if value},
            snapshot_due_at=None if snapshot_on is None else from_local(datetime.combine(snapshot_on, time())),
            has_snapshot_at_close=self.has_snapshot_at_close.data,
            sessions=tuple(_window(row.form) for row in self.sessions),
            audience=tuple(_part(row.form) for row in self.audience),
            staff_numbers=tuple(dict.fromkeys(_entries(self.staff_numbers.data))),
        )


def offer_in_row(row: Form, choices: Choices) -> None:
    """Fill the selects of one row of the audience."""
    row.unit_id.choices = offer("不限单位", choices.units)
    row.sector_unit_id.choices = offer("不限系统", choices.sectors)
    row.blueprint_id.choices = offer("与全场相同", choices.blueprints)


def _entries(text: str | None) -> list[str]:
    return [" ".join(entry.split()) for entry in _BETWEEN_ENTRIES.split(text or "") if entry.strip()]


def _instant_where(policy: str, typed: datetime | None) -> datetime | None:
    return from_local(typed) if policy == ReleasePolicy.AT_TIME and typed is not None else None


def _window(row: Form) -> Window:
    return Window(from_local(row.opens_at.data), from_local(row.closes_at.data), row.name.data.strip())


def _part(row: Form) -> AudiencePart:
    return AudiencePart(
        unit_id=row.unit_id.data,
        sector_unit_id=row.sector_unit_id.data,
        ranks=tuple(filter(None, _BETWEEN.split(row.ranks.data or ""))),
        blueprint_id=row.blueprint_id.data,
    )


def exam_form(exam: Exam | None, staff_numbers: Iterable[str] = ()) -> ExamForm:
    """Give the form filled from a stored exam, or from the request where it was sent."""
    if exam is None:
        return ExamForm()
    fields = {name: getattr(exam, name) for name in _SAME_NAMES}
    return ExamForm(
        data=fields
        | {
            "opens_at": local(exam.opens_at),
            "closes_at": local(exam.closes_at),
            "duration": exam.duration_s // 60,
            "lateness": None if exam.lateness_s is None else exam.lateness_s // 60,
            "results_at": exam.results_at and local(exam.results_at),
            "keys_at": exam.keys_at and local(exam.keys_at),
            "required_credits": exam.study_gate.get("required"),
            "elective_credits": exam.study_gate.get("elective"),
            "snapshot_on": exam.snapshot_due_at and local(exam.snapshot_due_at).date(),
            "sessions": [
                {"name": row.name, "opens_at": local(row.opens_at), "closes_at": local(row.closes_at)}
                for row in exam.sessions
            ],
            "audience": [
                {
                    "unit_id": part.unit_id,
                    "sector_unit_id": part.sector_unit_id,
                    "ranks": "、".join(part.ranks),
                    "blueprint_id": part.blueprint_id,
                }
                for part in exam.audiences
                if part.person_id is None
            ],
            "staff_numbers": "\n".join(staff_numbers),
        }
    )


def next_year_form(exam: Exam, staff_numbers: Iterable[str]) -> ExamForm:
    """Give the form of a new exam filled from an earlier one, a year later: each time, and each year in the title; the end of one that was closed early is to be typed."""
    if (form := exam_form(exam, staff_numbers)).is_submitted():
        return form
    form.title.data = re.sub(r"20\d\d", lambda year: str(sent_number(year[0]) + 1), exam.title)
    was_closed_early = exam.closes_at.second or exam.closes_at.microsecond  # an end is typed to the minute
    has_snapshot_of_end = exam.snapshot_due_at is not None and exam.snapshot_due_at >= exam.closes_at
    form.closes_at.data = None if was_closed_early else form.closes_at.data
    form.snapshot_on.data = None if has_snapshot_of_end else form.snapshot_on.data
    dated = [form.opens_at, form.closes_at, form.results_at, form.keys_at, form.snapshot_on]
    for field in dated + [field for row in form.sessions for field in (row.form.opens_at, row.form.closes_at)]:
        if (day := field.data) is not None:
            field.data = day.replace(year=day.year + 1, day=min(day.day, 28 if day.month == 2 else 31))
    return form


def makeup_form(exam: Exam) -> ExamForm:
    """Give the form of a make-up exam filled from its main exam; its times are to be typed."""
    if (form := exam_form(exam)).is_submitted():
        return form
    form.title.data, form.kind.data, form.main_exam_id.data = f"{exam.title}补考", ExamKind.MAKEUP, exam.id
    for field in (form.opens_at, form.closes_at, form.results_at, form.keys_at, form.snapshot_on):
        field.data = None
    for rows in (form.sessions, form.audience):
        while rows.entries:
            rows.pop_entry()
    return form


_SAME_NAMES = (
    "title", "kind", "main_exam_id", "blueprint_id", "instructions", "is_full_duration", "grace_s", "attempts_allowed",
    "counting_rule", "scoring_rule", "pass_percent", "good_percent", "excellent_percent", "results_policy", "keys_policy",
    "focus_loss_limit", "has_pledge", "has_snapshot_at_close",
)  # fmt: skip


class ProlongForm(FlaskForm):
    """A later end of the window."""

    closes_at = _instant_field("新的结束时间", InputRequired("请填写新的结束时间。"), _years_apart)
    is_known = BooleanField("答案已公布，仍要办理")


class ExtensionForm(FlaskForm):
    """Extra time for a unit or one person; a window of its own and more attempts for one person."""

    unit_id = SelectField("单位（含下级）", coerce=read_id)
    staff_number = StringField("或一个人", [Optional(), Length(max=40)], description=NAMED)
    minutes = IntegerField("延长几分钟", [Optional(), NumberRange(0, 240, "应为 0 至 240 分钟。")], default=15)
    opens_at = _instant_field("另定的开始时间", Optional(), _years_apart)
    closes_at = _instant_field("另定的结束时间", Optional(), _years_apart)
    more_attempts = IntegerField("增加几次作答", [Optional(), NumberRange(0, 3, "应为 0 至 3 次。")], default=0)
    reason = StringField("原因", [DataRequired("请填写延长原因，如“停电 12 分钟”。"), Length(max=200)])
    is_known = BooleanField("答案已公布，仍要办理")
    request_key = HiddenField(validators=[DataRequired(), Length(min=8, max=64)])


class ReleaseForm(FlaskForm):
    """When results and keys are shown."""

    results_policy = SelectField("成绩", [InputRequired("请选择。")], choices=_names(RESULTS_POLICY_NAMES.items()))
    results_at = _instant_field("成绩公布时间", Optional(), _years_apart)
    keys_policy = SelectField("答案和解析", [InputRequired("请选择。")], choices=_names(KEYS_POLICY_NAMES.items()))
    keys_at = _instant_field("答案公布时间", Optional(), _years_apart)

    @property
    def results_instant(self) -> datetime | None:
        """The results' instant, where the policy asks for one."""
        return _instant_where(self.results_policy.data, self.results_at.data)

    @property
    def keys_instant(self) -> datetime | None:
        """The keys' instant, where the policy asks for one."""
        return _instant_where(self.keys_policy.data, self.keys_at.data)


class OwnExemptionForm(FlaskForm):
    """A request for one's own exemption or deferral."""

    exam_id = SelectField("考试", coerce=read_id, validators=[InputRequired("请选择考试。")])
    kind = SelectField("申请", [InputRequired("请选择。")], choices=_names(EXEMPTION_KIND_NAMES.items()))
    reason = SelectField("原因", [InputRequired("请选择。")])
    details = TextAreaField("补充说明", [Length(max=500, message="说明最多 500 字。")])
    file = FileField("证明材料（可不交）", description="图片、PDF 或 Word，例如病假证明、任务通知。没有可以不交。")

    def offer_reasons(self, reasons: Sequence[ExemptionReason]) -> None:
        """Offer the office's reasons, and remember which of them say nothing without details."""
        self.reason.choices = [SelectChoice(reason.text, reason.text) for reason in reasons]
        self._empty_text = {reason.text for reason in reasons if reason.needs_details}

    def validate_details(self, field: TextAreaField) -> None:
        """Ask for words where the reason is none of the list."""
        if self.reason.data in self._empty_text and not (field.data or "").strip():
            raise ValidationError(f"原因选“{self.reason.data}”时，请写明具体情况。")

    @property
    def full_reason(self) -> str:
        """The reason with its details."""
        details = (self.details.data or "").strip()
        return f"{self.reason.data}：{details}" if details else str(self.reason.data)

    @property
    def proof(self) -> Attachment | None:
        """The paper that was sent along, if any."""
        sent = self.file.data
        return Attachment(name=sent.filename, content=sent.read()) if sent and sent.filename else None


class UnitExemptionForm(OwnExemptionForm):
    """A unit's request for the exemption or deferral of one of its people."""

    staff_number = StringField("人员", [DataRequired("请填写姓名或工号。"), Length(max=40)], description=NAMED)


class ReasonForm(FlaskForm):
    """A reason that requests may name."""

    text = StringField("原因", [DataRequired("请填写原因。"), Length(max=60, message="原因最多 60 字。")])
    needs_details = BooleanField("选这一项时必须填写补充说明")


class ExemptionDecisionForm(FlaskForm):
    """The office's word on a request."""

    answer = StringField("答复", [Optional(), Length(max=300, message="答复最多 300 字。")])
