"""Forms of practice and courses: shape only."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wtforms import BooleanField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from examapp.learning.course_editing.actions import ChapterSettings, CourseSettings
from examapp.learning.practice.rules import Wanted
from examapp.web.forms import DateField, DecimalField, FlaskForm, IntegerField
from examapp.web.params import read_id
from question_bank.kinds.registry import DRAWN_KINDS, KIND_NAMES
from question_bank.model import DIFFICULTY_NAMES


def any_of(nothing: str, pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """Make a select's choices: first the words for any."""
    return [SelectChoice("", nothing), *(SelectChoice(str(value), text) for value, text in pairs)]


class PracticeForm(FlaskForm):
    """What to practise; a name that the bank does not know simply fits no question."""

    law = SelectField("法律法规", default="", validate_choice=False)
    topic = SelectField("主题", default="", validate_choice=False)
    point = SelectField("知识点", default="", validate_choice=False)
    kind = SelectField(
        "题型",
        default="",
        validate_choice=False,
        choices=any_of("不限题型", [(str(kind), KIND_NAMES[kind]) for kind in DRAWN_KINDS]),
    )
    difficulty = SelectField(
        "难度",
        default="",
        validate_choice=False,
        choices=any_of("不限难度", [(str(level), text) for level, text in DIFFICULTY_NAMES.items()]),
    )

    def offer(self, *, laws: Iterable[str], topics: Iterable[str], points: Iterable[str]) -> None:
        """Fill the selects from the bank."""
        self.point.choices = any_of("不限", [(name, name) for name in points])
        self.law.choices = any_of("不限", [(name, name) for name in laws])
        self.topic.choices = any_of("不限", [(name, name) for name in topics])

    def wanted(self) -> Wanted:
        """Give what was chosen."""
        return Wanted(
            law=self.law.data or "",
            topic=self.topic.data or "",
            point=self.point.data or "",
            kind=self.kind.data or "",
            difficulty=self.difficulty.data or "",
        )


class CourseForm(FlaskForm):
    """A course's settings."""

    title = StringField("课程名称", [DataRequired("请填写课程名称。"), Length(max=100, message="名称最多 100 字。")])
    summary = TextAreaField("简介", [Optional(), Length(max=1000, message="简介最多 1000 字。")], render_kw={"rows": 3})
    year = IntegerField("年度", [InputRequired("请填写年度。"), NumberRange(2000, 2100, "年度不对，请检查。")])
    is_required = BooleanField("必修课", default=True)
    credits = DecimalField(
        "学分", [InputRequired("请填写学分。"), NumberRange(0, 1000, "学分应为 0 至 1000。")], places=2
    )
    due_on = DateField("学完期限", [Optional()])
    unit_id = SelectField("学习范围", coerce=read_id)
    sector_unit_id = SelectField("只限某个主管系统", coerce=read_id, default="")
    ranks = StringField("只限职级", [Optional(), Length(max=300, message="职级太多，请分成几门课程。")])

    def offer(self, units: Iterable[tuple[int, str]], sectors: Iterable[tuple[int, str]], *, anybody: str) -> None:
        """Fill the selects of units; `anybody` names the choice of no unit, empty where there is none."""
        self.sector_unit_id.choices = any_of("不限", [(str(unit_id), text) for unit_id, text in sectors])
        whole = [SelectChoice("", anybody)] if anybody else []
        self.unit_id.choices = [*whole, *(SelectChoice(str(unit_id), text) for unit_id, text in units)]

    def settings(self) -> CourseSettings:
        """Give the course as it was filled in."""
        return CourseSettings(
            title=self.title.data.strip(),
            summary=(self.summary.data or "").strip(),
            year=self.year.data,
            is_required=bool(self.is_required.data),
            credits=self.credits.data,
            due_on=self.due_on.data,
            unit_id=self.unit_id.data,
            sector_unit_id=self.sector_unit_id.data,
            ranks=tuple(dict.fromkeys(re.split(r"[、，,\s]+", (self.ranks.data or "").strip())))
            if self.ranks.data
            else (),
        )


class ChapterForm(FlaskForm):
    """A chapter with its exercise."""

    position = IntegerField("顺序", [InputRequired("请填写顺序。"), NumberRange(1, 1000, "顺序应为 1 至 1000。")])
    title = StringField("章节名称", [DataRequired("请填写章节名称。"), Length(max=100, message="名称最多 100 字。")])
    body = TextAreaField(
        "内容",
        [DataRequired("请填写内容。"), Length(max=200_000, message="内容太长，请分成几章。")],
        render_kw={"rows": 16},
    )
    law = SelectField("练习从哪部法律抽题", default="")
    topic = SelectField("练习从哪个主题抽题", default="")
    exercise_count = IntegerField(
        "练习题数", [InputRequired("请填写题数。"), NumberRange(1, 50, "题数应为 1 至 50。")], default=5
    )
    pass_count = IntegerField(
        "答对几题算通过", [InputRequired("请填写题数。"), NumberRange(1, 50, "应为 1 至 50。")], default=3
    )

    def validate_pass_count(self, field: IntegerField) -> None:
        """Reject more right answers than there are questions."""
        if field.data and self.exercise_count.data and field.data > self.exercise_count.data:
            raise ValidationError("不能多于练习题数。")

    def offer(self, *, laws: Iterable[str], topics: Iterable[str]) -> None:
        """Fill the selects from the bank; what the chapter names already stays on offer."""
        self.law.choices = any_of("不限", [(name, name) for name in sorted({*laws, self.law.data or ""} - {""})])
        self.topic.choices = any_of("不限", [(name, name) for name in sorted({*topics, self.topic.data or ""} - {""})])

    def settings(self) -> ChapterSettings:
        """Give the chapter as it was filled in."""
        return ChapterSettings(
            position=self.position.data,
            title=self.title.data.strip(),
            body=self.body.data,
            law=self.law.data or "",
            topic=self.topic.data or "",
            exercise_count=self.exercise_count.data,
            pass_count=self.pass_count.data,
        )
