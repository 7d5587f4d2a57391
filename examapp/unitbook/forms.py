"""The shape of what is filled in in the unit book."""

from __future__ import annotations

from datetime import datetime

from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.core import Flags
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional, Regexp

from examapp.core import clock
from examapp.core.forms import DateField, DateTimeLocalField, DecimalField, FlaskForm, IntegerField
from examapp.core.html import normalise
from examapp.core.numbers import sent_number
from examapp.unitbook.models import ChangeKind
from examapp.unitbook.rules import LONGEST_REASON


class RemindForm(FlaskForm):
    """The button that reminds a group."""

    group = HiddenField(validators=[InputRequired()])


class CallForm(FlaskForm):
    """Why the numbers are taken out."""

    group = HiddenField(validators=[InputRequired()])
    reason = StringField("用途", validators=[InputRequired("请填写用途。"), Length(max=LONGEST_REASON)])


def _tidy(value: str | None) -> str:
    return normalise(value or "").strip()


class NewListForm(FlaskForm):
    """For which unit a list of changes is begun."""

    unit_id = SelectField("单位", coerce=sent_number, validators=[InputRequired("请选择单位。")])


class ChangeForm(FlaskForm):
    """One change of one person; which fields there are depends on its kind."""

    staff_number = StringField("工号", filters=[_tidy], validators=[DataRequired("请填写工号。"), Length(max=40)])
    name = StringField("姓名", filters=[_tidy], validators=[DataRequired("请填写姓名。"), Length(max=60)])
    position = StringField("职务", filters=[_tidy], validators=[Length(max=60)])
    rank = StringField("职级", filters=[_tidy], validators=[Length(max=60)])
    own_unit_id = SelectField("到哪个单位", coerce=sent_number, validators=[InputRequired("请选择单位。")])
    to_unit = StringField("调往单位", filters=[_tidy], validators=[Length(max=100)])
    effective_on = DateField("生效日期", validators=[InputRequired("请填写生效日期，例如 2026-11-24。")])
    note = StringField("备注", filters=[_tidy], validators=[Length(max=200)])


_FIELDS = {
    ChangeKind.JOIN: ("staff_number", "name", "position", "rank", "own_unit_id"),
    ChangeKind.TRANSFER_IN: ("staff_number", "name", "own_unit_id"),
    ChangeKind.TRANSFER_OUT: ("staff_number", "to_unit"),
    ChangeKind.SECONDMENT: ("staff_number", "to_unit"),
    ChangeKind.RETIRE: ("staff_number",),
    ChangeKind.LEAVE: ("staff_number",),
    ChangeKind.CORRECTION: ("staff_number", "name", "position", "rank"),
}
_ALWAYS = ("effective_on", "note")


def change_form(kind: ChangeKind) -> ChangeForm:
    """Give the form of a kind of change, with the fields that it needs and no other."""
    form = ChangeForm()
    for field in list(form):
        if field.name != "csrf_token" and field.name not in (*_FIELDS[kind], *_ALWAYS):
            del form[field.name]
    if kind is ChangeKind.CORRECTION:
        form.name.validators, form.name.flags = [Length(max=60)], Flags()
        form.name.label.text, form.position.label.text, form.rank.label.text = "姓名改为", "职务改为", "职级改为"
    if kind is ChangeKind.SECONDMENT:
        form.to_unit.label.text = "借调到哪个单位"
        form.to_unit.validators = [DataRequired("请填写借调到的单位。"), Length(max=100)]
    return form


class AnswerForm(FlaskForm):
    """The office's words to the unit."""

    answer = StringField("答复", filters=[_tidy], validators=[Length(max=300, message="答复最多 300 字。")])


_RELOAD = "页面内容不完整，没有办理。请刷新页面后重试。"


class FreezeForm(FlaskForm):
    """The moment at which an exam's roster is frozen."""

    moment = DateTimeLocalField(
        "冻结时间",
        [InputRequired("请填写冻结时间。")],
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"],
    )

    def validate_moment(self, field: DateTimeLocalField) -> None:
        """Refuse years that nobody can mean."""
        moment: datetime | None = field.data
        if moment is not None and not 2000 <= moment.year <= 2100:
            raise ValidationError("请检查年份。")


class LiftForm(FlaskForm):
    """Why a freeze is given up."""

    reason = StringField("原因", validators=[InputRequired("请写明原因。"), Length(max=LONGEST_REASON)])


class CorrectionForm(FlaskForm):
    """One correction, as the page showed it."""

    person_id = IntegerField(validators=[InputRequired(_RELOAD), NumberRange(1, 2**63 - 1, _RELOAD)])
    place = HiddenField(validators=[Regexp(r"^\d{0,18}:(exemption|deferral|)$", message=_RELOAD)])
    reason = StringField(validators=[Length(max=LONGEST_REASON)])


class ResultsForm(FlaskForm):
    """A file of results from another platform, with what it does not say itself."""

    exam_id = SelectField(
        "计入哪场考试",
        coerce=sent_number,
        validators=[InputRequired("请选择考试。"), NumberRange(min=1, message="请选择考试。")],
    )
    file = FileField("成绩文件", validators=[FileRequired("请选择文件。")])
    source = StringField(
        "成绩来源",
        filters=[_tidy],
        validators=[DataRequired("请填写成绩来源，例如「省学法考试平台」。"), Length(max=40)],
    )
    taken_on = DateField("考试日期", validators=[InputRequired("请填写考试日期，例如 2026-11-24。")])
    possible = DecimalField(
        "满分",
        places=2,
        default=100,
        validators=[InputRequired("请填写满分。"), NumberRange(min=1, max=1000, message="满分在 1 到 1000 之间。")],
    )

    def validate_taken_on(self, field: DateField) -> None:
        """Refuse a day that has not come."""
        if field.data and field.data > clock.today():
            raise ValidationError("考试日期不能晚于今天。")


class SettleForm(FlaskForm):
    """Who a row of the file is: one of those it may be, or by staff number; neither leaves it out."""

    person_id = IntegerField(validators=[Optional()])
    staff_number = StringField("工号", filters=[_tidy], validators=[Length(max=40)])


_GROUNDS = "请写明依据或原因，例如：县委编办〔2026〕12 号文。"


class MergerForm(FlaskForm):
    """Into which unit, and why."""

    target = SelectField("并入哪个单位", coerce=sent_number, validators=[InputRequired("请选择单位。")])
    seen = HiddenField()
    reason = StringField("依据或原因", filters=[_tidy], validators=[DataRequired(_GROUNDS), Length(max=200)])


class SplitForm(FlaskForm):
    """The unit that is split off, and who goes there."""

    code = StringField(
        "新单位编码",
        filters=[_tidy],
        validators=[Regexp(r"^[0-9A-Za-z._-]{1,32}$", message="编码只用数字、字母和 . _ -，最多 32 位。")],
    )
    name = StringField("新单位名称", filters=[_tidy], validators=[DataRequired("请填写名称。"), Length(max=100)])
    staff_numbers = TextAreaField("划入新单位的人员工号", validators=[Length(max=40_000, message="内容过长。")])
    reason = StringField("依据或原因", filters=[_tidy], validators=[DataRequired(_GROUNDS), Length(max=200)])


class RenameForm(FlaskForm):
    """A unit's new name."""

    name = StringField("新名称", filters=[_tidy], validators=[DataRequired("请填写新名称。"), Length(max=100)])
    reason = StringField("依据或原因", filters=[_tidy], validators=[DataRequired(_GROUNDS), Length(max=200)])
