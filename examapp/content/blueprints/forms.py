"""Forms of the blueprint pages: shape only."""

from __future__ import annotations

import re
from decimal import Decimal

from wtforms import BooleanField, FormField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from examapp.content.blueprints.actions import BlueprintSettings
from examapp.content.blueprints.models import Blueprint
from examapp.content.blueprints.rules import Section
from examapp.web.forms import DecimalField, FlaskForm, Form, IntegerField, RowList
from question_bank.kinds.registry import DRAWN_KINDS, KIND_NAMES, KINDS, kind_of
from question_bank.model import Difficulty, Kind

MAX_SECTIONS = 20
SECTION_SCORING = [SelectChoice("", "按题型常规")] + [
    SelectChoice(rule, name) for kind in KINDS.values() for rule, name in kind.section_scoring.items()
]
"""Rules that a section may choose; the page shows the field for kinds that offer some."""
_BETWEEN_NAMES = re.compile(r"[\r\n、，,；;]+")


class SectionForm(Form):
    """One section of a blueprint; within the whole form, so without a token of its own."""

    title = StringField(
        "名称", [DataRequired("请填写名称，如“一、单选题”。"), Length(max=60, message="名称最多 60 字。")]
    )
    kind = SelectField(
        "题型",
        [InputRequired("请选择题型。")],
        choices=[SelectChoice(str(kind), KIND_NAMES[kind]) for kind in DRAWN_KINDS],
    )
    count = IntegerField(
        "题数", [InputRequired("请填写题数。"), NumberRange(1, 200, "题数应为 1 至 200。")], default=10
    )
    points_each = DecimalField(
        "每题分值", [InputRequired("请填写分值。"), NumberRange(Decimal("0.01"), 1000, "分值应大于 0。")], places=2
    )
    part_count = IntegerField("每题小题数", [Optional(), NumberRange(1, 50, "小题数应为 1 至 50。")])
    scoring = SelectField("计分", [Optional()], choices=SECTION_SCORING)
    instructions = StringField("答题说明", [Optional(), Length(max=300, message="说明最多 300 字。")])
    laws = TextAreaField("法律法规", [Optional(), Length(max=4000)], render_kw={"rows": 4})
    topics = TextAreaField("主题", [Optional(), Length(max=4000)], render_kw={"rows": 4})
    knowledge_points = TextAreaField("知识点", [Optional(), Length(max=4000)], render_kw={"rows": 4})
    codes = TextAreaField("指定题目", [Optional(), Length(max=8000)], render_kw={"rows": 4})
    easy = IntegerField("易", [Optional(), NumberRange(0, 200, "题数应为 0 至 200。")])
    medium = IntegerField("中", [Optional(), NumberRange(0, 200, "题数应为 0 至 200。")])
    hard = IntegerField("难", [Optional(), NumberRange(0, 200, "题数应为 0 至 200。")])

    def section(self) -> Section:
        """Give the section as it was filled in."""
        counts = {str(level): self[str(level)].data or 0 for level in Difficulty}
        return Section(
            title=self.title.data.strip(),
            instructions=(self.instructions.data or "").strip(),
            kind=Kind(self.kind.data),
            count=self.count.data,
            points_each=self.points_each.data,
            scoring=self._scoring(),
            part_count=None if kind_of(self.kind.data).is_part else self.part_count.data,
            laws=_names(self.laws.data),
            topics=_names(self.topics.data),
            knowledge_points=_names(self.knowledge_points.data),
            codes=_names(self.codes.data),
            difficulties={level: count for level, count in counts.items() if count},
        )

    def _scoring(self) -> str:
        """Give the chosen rule where the section's kind offers it; one left over from another kind is dropped."""
        chosen = self.scoring.data or ""
        return chosen if chosen in kind_of(self.kind.data).section_scoring else ""


class BlueprintForm(FlaskForm):
    """A blueprint with its sections."""

    name = StringField("规则名称", [DataRequired("请填写规则名称。"), Length(max=80, message="名称最多 80 字。")])
    is_shuffled = BooleanField("每人的选项顺序不同（判断题除外）", default=True)
    sections = RowList(FormField(SectionForm), label="试卷各部分", min_entries=1, max_entries=MAX_SECTIONS)

    def settings(self) -> BlueprintSettings:
        """Give the blueprint as it was filled in."""
        return BlueprintSettings(
            name=self.name.data.strip(),
            is_shuffled=bool(self.is_shuffled.data),
            sections=tuple(entry.form.section() for entry in self.sections),
        )


def blueprint_form(blueprint: Blueprint | None) -> BlueprintForm:
    """Give the form filled from a stored blueprint, or from the request where it was sent."""
    if blueprint is None:
        return BlueprintForm()
    sections = [
        {
            "title": row.title,
            "kind": row.kind,
            "count": row.count,
            "points_each": row.points_each,
            "scoring": row.scoring,
            "part_count": row.part_count,
            "instructions": row.instructions,
            "laws": "\n".join(row.laws),
            "topics": "\n".join(row.topics),
            "knowledge_points": "\n".join(row.knowledge_points),
            "codes": "\n".join(row.codes),
            **row.difficulties,
        }
        for row in blueprint.sections
    ]
    return BlueprintForm(data={"name": blueprint.name, "is_shuffled": blueprint.is_shuffled, "sections": sections})


def _names(text: str | None) -> frozenset[str]:
    return frozenset(name.strip() for name in _BETWEEN_NAMES.split(text or "") if name.strip())
