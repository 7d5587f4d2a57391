"""Forms of corrections: what is to change, in which exams, and why."""

from __future__ import annotations

from wtforms import BooleanField, FormField, HiddenField, RadioField, SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange

from examapp.content.question_editing.forms import KeyPartForm
from examapp.delivery.exams.models import SCORING_RULE_NAMES
from examapp.delivery.grading.rules import TREATMENT_NAMES
from examapp.web.forms import DecimalField, FlaskForm
from examapp.web.params import sent_number

_LONG = Length(max=500, message="最多 500 个字。")
_PERCENT = [InputRequired("请填写百分比。"), NumberRange(0, 100, "应在 0 到 100 之间。")]


class GradeCorrectionForm(FlaskForm):
    """Why something is corrected, and the dry run that was looked at."""

    reason = StringField("更正理由", validators=[InputRequired("请写明更正的理由。"), _LONG])
    public_reason = StringField("给考生看的说明", validators=[_LONG])
    fingerprint = HiddenField()


class ItemCorrectionForm(GradeCorrectionForm):
    """How a question's part counts in chosen exams."""

    treatment = RadioField(
        "怎样计分",
        choices=[SelectChoice(str(treatment), name) for treatment, name in TREATMENT_NAMES.items()],
        validators=[InputRequired("请选择怎样计分。")],
    )
    key = FormField(KeyPartForm)
    exam_ids = SelectMultipleField("更正哪些考试", coerce=sent_number)
    exams_reason = StringField("有的考试不更正，理由", validators=[_LONG])


class RulesCorrectionForm(GradeCorrectionForm):
    """The scoring rule, pass mark and bands of an exam."""

    scoring_rule = SelectField(
        "多选题计分",
        choices=[SelectChoice(str(rule), name) for rule, name in SCORING_RULE_NAMES.items()],
        validators=[InputRequired("请选择计分办法。")],
    )
    pass_percent = DecimalField("合格线（%）", validators=_PERCENT, places=2)
    good_percent = DecimalField("良好线（%）", validators=_PERCENT, places=2)
    excellent_percent = DecimalField("优秀线（%）", validators=_PERCENT, places=2)


class AnnulmentForm(GradeCorrectionForm):
    """Whether a sitting counts."""

    is_annulled = BooleanField("这次作答无效，按 0 分计")
