"""Forms of assignments; the question that a unit writes is a form of question_editing."""

from __future__ import annotations

from wtforms import SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange

from examapp.web.forms import DateField, FlaskForm, IntegerField
from question_bank.kinds.registry import KIND_NAMES


class AssignmentForm(FlaskForm):
    """What units are asked for; which units is a list of ticks."""

    subject = StringField(
        "法律或主题",
        validators=[InputRequired("请写明哪部法律或什么主题。"), Length(max=100, message="最多 100 个字。")],
    )
    kind = SelectField(
        "题型",
        choices=[SelectChoice("", "不限"), *(SelectChoice(str(kind), name) for kind, name in KIND_NAMES.items())],
    )
    count = IntegerField(
        "每个单位出多少题",
        default=10,
        validators=[InputRequired("请填写题数。"), NumberRange(min=1, max=500, message="请填写 1 到 500。")],
    )
    due_on = DateField("截止日期", validators=[InputRequired("请填写截止日期。")])
    text = TextAreaField("要求", validators=[Length(max=1000, message="最多 1000 个字。")], render_kw={"rows": 4})


class AssignmentReplyForm(FlaskForm):
    """Why an assignment is sent back."""

    answer = TextAreaField(
        "要改什么",
        validators=[InputRequired("退回时请写明要改什么。"), Length(max=500, message="最多 500 个字。")],
        render_kw={"rows": 3},
    )
