"""Forms of cases: shape only."""

from __future__ import annotations

from collections.abc import Iterable

from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length

from examapp.content.explained_cases.actions import CaseContent
from examapp.web.forms import FlaskForm, IntegerField
from examapp.web.params import sent_number


def _tidy(text: str | None) -> str:
    return (text or "").replace("\r\n", "\n").strip()


def _long(label: str, wanted: str) -> TextAreaField:
    rules = [DataRequired(wanted), Length(max=5000, message="最多 5000 字。")]
    return TextAreaField(label, filters=[_tidy], validators=rules, render_kw={"rows": 5})


class CaseForm(FlaskForm):
    """A case of a unit."""

    version = IntegerField("版本", default=0)
    unit_id = SelectField("编写单位", [InputRequired("请选择单位。")], coerce=sent_number)
    title = StringField(
        "案例名称", filters=[_tidy], validators=[DataRequired("请填写名称。"), Length(max=100, message="最多 100 字。")]
    )
    laws = StringField(
        "适用的法律法规",
        filters=[_tidy],
        validators=[DataRequired("请填写法律，如“行政处罚法”。"), Length(max=300, message="最多 300 字。")],
    )
    facts = _long("案情", "请填写案情。")
    holding = _long("处理结果和理由", "请填写处理结果和理由。")
    lesson = _long("启示", "请填写启示。")

    def offer(self, units: Iterable[tuple[int, str]]) -> None:
        """Fill the select of units."""
        self.unit_id.choices = [SelectChoice(str(unit_id), name) for unit_id, name in units]

    def content(self) -> CaseContent:
        """Give the case as it was filled in."""
        return CaseContent(
            title=self.title.data,
            laws=self.laws.data,
            facts=self.facts.data,
            holding=self.holding.data,
            lesson=self.lesson.data,
        )


class CaseReviewForm(FlaskForm):
    """What the office decides on a case."""

    is_anonymised = BooleanField("已隐去当事人姓名、身份证号、电话、住址等，认不出是谁")
    remark = StringField("退回理由", filters=[_tidy], validators=[Length(max=500, message="最多 500 字。")])
