"""Forms of the responsibility pages: shape only."""

from __future__ import annotations

from typing import Any

from flask_wtf.file import FileField, FileRequired
from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from examapp.documents.html import normalise
from examapp.oversight.duty_lists.actions import Answerable, Duty, answerable_of, duty_of
from examapp.oversight.duty_lists.models import DutyItem
from examapp.oversight.duty_lists.rules import PlanPeriod
from examapp.oversight.duty_records.actions import Deed
from examapp.web.forms import DateField, FlaskForm, IntegerField

_DAY = "日期请写成 2026-12-04 的样子。"
_YEAR = "年度请写成 2026 的样子。"
_MONTH, _DAY_OF_MONTH = "月份请填 1 到 12。", "日期请填 1 到 31。"
_LONG = {"rows": 3}


def _tidy(text: str | None) -> str:
    return normalise(text or "").strip()


def _text_rules(limit: int) -> list[object]:
    return [Optional(), Length(max=limit, message=f"最多 {limit} 字。")]


class AnswerableForm(FlaskForm):
    """Who answers for an item; all that a unit sets of a common one."""

    version = IntegerField("版本", default=0)
    leader = StringField("责任领导", filters=[_tidy], validators=_text_rules(60))
    person = StringField("责任人", filters=[_tidy], validators=_text_rules(60))
    department = StringField("责任科室", filters=[_tidy], validators=_text_rules(60))

    def answerable(self) -> Answerable:
        """Give who answers, as it was filled in."""
        return Answerable(leader=self.leader.data, person=self.person.data, department=self.department.data)

    def duty(self) -> Duty | None:
        """Give nothing: the words of a common item are the office's."""
        return None


class ItemForm(AnswerableForm):
    """A whole item."""

    content = StringField(
        "内容清单（法律法规或主题）",
        filters=[_tidy],
        validators=[DataRequired("请填写法律法规或主题，如“行政处罚法”。"), Length(max=300, message="最多 300 字。")],
    )
    audience = StringField("普法对象", filters=[_tidy], validators=_text_rules(300))
    carrier = StringField("学习宣传载体", filters=[_tidy], validators=_text_rules(300))
    measures = TextAreaField("方式措施", filters=[_tidy], validators=_text_rules(2000), render_kw=_LONG)
    standard = TextAreaField("标准清单", filters=[_tidy], validators=_text_rules(2000), render_kw=_LONG)
    key_on = DateField(
        "重要时间节点", invalid_value_message=_DAY, validators=[Optional()], render_kw={"list": "key-days"}
    )
    due_on = DateField("完成时限", invalid_value_message=_DAY, validators=[Optional()])

    def duty(self) -> Duty:
        """Give what the item says, as it was filled in."""
        return Duty(
            content=self.content.data,
            audience=self.audience.data,
            carrier=self.carrier.data,
            measures=self.measures.data,
            standard=self.standard.data,
            key_on=self.key_on.data,
            due_on=self.due_on.data,
        )


def item_form(item: DutyItem | None, *, is_whole: bool) -> AnswerableForm:
    """Give the form for an item, whole or who answers alone, filled from the stored one or from the request."""
    kind = ItemForm if is_whole else AnswerableForm
    if item is None:
        return kind()
    duty, answerable = duty_of(item), answerable_of(item)
    return kind(data={**_fields(duty), **_fields(answerable), "version": item.version})


def _fields(row: Duty | Answerable) -> dict[str, object]:
    return {name: getattr(row, name) for name in row.__dataclass_fields__}


class VersionForm(FlaskForm):
    """A press of a button on a list or record, with the version that was looked at."""

    version = IntegerField("版本", validators=[InputRequired("页面内容不完整，请刷新后重试。")])


class SendBackForm(VersionForm):
    """Giving a list back, with a reason."""

    remark = StringField(
        "退回理由",
        filters=[_tidy],
        validators=[DataRequired("请写明退回理由，让单位知道改什么。"), Length(max=500, message="最多 500 字。")],
    )


class DutyListUploadForm(FlaskForm):
    """A list as a table."""

    file = FileField("清单文件（xlsx、xls 或 csv）", validators=[FileRequired("请选择文件。")])


class RecordForm(FlaskForm):
    """What was done on an item; no picture is asked for."""

    version = IntegerField("版本", default=0)
    done_on = DateField(
        "日期", invalid_value_message=_DAY, validators=[InputRequired("请填写开展的日期，如 2026-12-04。")]
    )
    form = StringField(
        "形式",
        filters=[_tidy],
        validators=[DataRequired("请填写形式，如“集中学习”“以案释法”。"), Length(max=100, message="最多 100 字。")],
    )
    place = StringField("地点", filters=[_tidy], validators=_text_rules(100))
    reached = IntegerField(
        "受众人数",
        default=0,
        validators=[InputRequired("请填写人数，没有的填 0。"), NumberRange(0, 10_000_000, "人数应为 0 以上的整数。")],
    )
    law = StringField("宣传的法律法规", filters=[_tidy], validators=_text_rules(300))
    text = TextAreaField("开展情况", filters=[_tidy], validators=_text_rules(2000), render_kw={"rows": 5})

    def deed(self) -> Deed:
        """Give the deed as it was filled in."""
        return Deed(
            done_on=self.done_on.data,
            form=self.form.data,
            place=self.place.data,
            reached=self.reached.data,
            law=self.law.data,
            text=self.text.data,
        )


class PeriodForm(FlaskForm):
    """A plan period with its years."""

    name = StringField(
        "名称",
        filters=[_tidy],
        validators=[DataRequired("请填写名称，如“九五”。"), Length(max=20, message="最多 20 字。")],
    )
    first_year = IntegerField("开始年度", validators=[InputRequired(_YEAR), NumberRange(2000, 2099, _YEAR)])
    last_year = IntegerField("结束年度", validators=[InputRequired(_YEAR), NumberRange(2000, 2099, _YEAR)])

    def period(self) -> PlanPeriod:
        """Give the period as it was filled in."""
        return PlanPeriod(name=self.name.data, first_year=self.first_year.data, last_year=self.last_year.data)


class KeyDayForm(FlaskForm):
    """A key date of every year, one day or several; without a name it is taken off."""

    month = IntegerField("月", validators=[InputRequired(_MONTH), NumberRange(1, 12, _MONTH)])
    day = IntegerField("日", validators=[InputRequired(_DAY_OF_MONTH), NumberRange(1, 31, _DAY_OF_MONTH)])
    last_month = IntegerField("到（月）", validators=[Optional(), NumberRange(1, 12, _MONTH)])
    last_day = IntegerField("到（日）", validators=[Optional(), NumberRange(1, 31, _DAY_OF_MONTH)])
    name = StringField("名称", filters=[_tidy], validators=_text_rules(40))

    def key_day(self) -> dict[str, Any]:
        """Give the key date as it was filled in; without a last day it is one day, a last day alone is one of the same month."""
        first = (self.month.data, self.day.data)
        is_one_day = self.last_day.data is None and self.last_month.data is None
        last = first if is_one_day else (self.last_month.data or first[0], self.last_day.data or 0)
        return {"span": (first, last), "name": self.name.data}
