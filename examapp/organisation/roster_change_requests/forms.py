"""The shape of what is filled in in the unit book."""

from __future__ import annotations

from wtforms import SelectField, StringField
from wtforms.fields.core import Flags
from wtforms.validators import DataRequired, InputRequired, Length

from examapp.documents.html import normalise
from examapp.organisation.roster_change_requests.models import ChangeKind
from examapp.web.forms import DateField, FlaskForm
from examapp.web.params import sent_number


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


class ReplyForm(FlaskForm):
    """The office's words to the unit."""

    answer = StringField("答复", filters=[_tidy], validators=[Length(max=300, message="答复最多 300 字。")])
