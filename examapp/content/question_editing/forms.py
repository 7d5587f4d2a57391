"""Forms of questions, keys and question files, and the question that a form describes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    FormField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from examapp.content.questions.rules import TOPICS
from examapp.web.forms import FlaskForm, Form, IntegerField, RowList
from examapp.web.params import sent_number
from question_bank.formats import registry
from question_bank.kinds.base import MAX_OPTIONS, MAX_TEXT, KeyFields
from question_bank.kinds.registry import KIND_NAMES, PART_KINDS, kind_of
from question_bank.model import DIFFICULTY_NAMES, OPTION_LETTERS, Citation, Difficulty, Kind, Question

_TEXT = [Optional(), Length(max=MAX_TEXT, message=f"最多 {MAX_TEXT} 个字，请精简。")]
_SHORT_TEXT = [Optional(), Length(max=200, message="最多 200 个字。")]
_LETTERS = list(OPTION_LETTERS[:MAX_OPTIONS])
_TRUTHS = [SelectChoice("A", "正确"), SelectChoice("B", "错误")]


def _choices(names: Mapping[Any, str], *, nothing: str | None = None) -> list[SelectChoice]:
    first = [] if nothing is None else [SelectChoice("", nothing)]
    return first + [SelectChoice(str(value), name) for value, name in names.items()]


_PART_KINDS = {kind: KIND_NAMES[kind] for kind in PART_KINDS}
FLAG_NAMES = {"doubt": "答案待核对", "law": "法律有变，待处理", "uncited": "没有法律依据"}
_STATES = {"draft": "草稿", "reviewed": "已审核", "active": "启用", "retired": "停用"}
_OWN_LAW = re.compile(r"《(.+?)》(?:[（(](\d{4}-\d{2}-\d{2})[)）])?(.*)")


class PartForm(Form):
    """A plain question, or one sub-question of a case."""

    kind = SelectField("题型", choices=_choices(_PART_KINDS))
    stem = TextAreaField("题干", validators=_TEXT)
    options = RowList(TextAreaField("选项", validators=_TEXT), max_entries=MAX_OPTIONS)
    key = SelectMultipleField("答案", choices=_LETTERS, validators=[Optional()])
    truth = RadioField("答案", choices=_TRUTHS, validators=[Optional()])
    blanks = TextAreaField("每个空的答案", validators=_TEXT)
    answer = TextAreaField("参考答案", validators=_TEXT)
    explanation = TextAreaField("解析", validators=_TEXT)
    articles = StringField("条文", validators=_SHORT_TEXT)


class QuestionForm(FlaskForm):
    """A question of any kind."""

    kind = SelectField("题型", choices=_choices(KIND_NAMES))
    material = TextAreaField("案例材料", validators=_TEXT)
    parts = RowList(FormField(PartForm), min_entries=1, max_entries=20)
    difficulty = SelectField("难度", choices=_choices(DIFFICULTY_NAMES, nothing="未定"))
    topic = SelectField("主题", choices=_choices({topic: topic for topic in TOPICS}, nothing="未定"))
    law = StringField("法律", validators=_SHORT_TEXT)
    law_version = StringField("法律版本", validators=[Optional(), Length(max=10)])
    knowledge_points = StringField("知识点", validators=_SHORT_TEXT)
    is_html = BooleanField("高级编辑（表格、上下标）")
    read_version = HiddenField()


class KeyPartForm(Form):
    """The key of one part."""

    key = SelectMultipleField("答案", choices=_LETTERS, validators=[Optional()])
    truth = RadioField("答案", choices=_TRUTHS, validators=[Optional()])
    blanks = TextAreaField("每个空的答案", validators=_TEXT)
    answer = TextAreaField("参考答案", validators=_TEXT)


class KeyForm(FlaskForm):
    """A corrected key, with its reason."""

    parts = RowList(FormField(KeyPartForm), max_entries=20)
    reason = StringField(
        "更正理由", validators=[InputRequired("请写明更正的理由。"), Length(max=500, message="最多 500 个字。")]
    )


MAX_PASTED = 300_000
"""Characters of a text pasted instead of a file; below what a form may hold in memory."""


class QuestionUploadForm(FlaskForm):
    """A question file, or a text pasted instead of one."""

    file = FileField("题库文件")
    text = TextAreaField(
        "或者粘贴文字",
        validators=[Length(max=MAX_PASTED, message=f"粘贴的文字超过 {MAX_PASTED} 字。请存为文本文件后上传。")],
        render_kw={"rows": 8},
    )
    answers = FileField("答案文件")
    format = SelectField(
        "格式", choices=_choices({registry.AUTO: "自动识别"} | {each.name: each.label for each in registry.FORMATS})
    )

    def validate_file(self, field: FileField) -> None:
        """Reject a form with neither a file nor a text, or with both."""
        if bool(field.data) is bool((self.text.data or "").strip()):
            both = "文件和粘贴的文字只能用一样。请去掉其中一样。"
            raise ValidationError(both if field.data else "请选择文件，或在下面粘贴文字。")


class ConfirmForm(FlaskForm):
    """The state in which the questions of a previewed file are stored."""

    state = SelectField("导入为", choices=_choices({"draft": "草稿，审核后启用", "active": "直接启用"}))
    is_census_seen = BooleanField("已核对题数")


class StateForm(FlaskForm):
    """A new state for questions."""

    state = SelectField("状态", choices=list(_STATES))
    ids = SelectMultipleField("题目", coerce=sent_number, choices=[], validate_choice=False, validators=[Optional()])


class BulkForm(FlaskForm):
    """What to change of many questions at once."""

    ids = HiddenField()
    difficulty = SelectField(
        "难度", choices=[SelectChoice("keep", "不改"), SelectChoice("none", "改为未定"), *_choices(DIFFICULTY_NAMES)]
    )
    topic = SelectField(
        "主题",
        choices=[
            SelectChoice("keep", "不改"),
            SelectChoice("none", "改为未定"),
            *_choices({topic: topic for topic in TOPICS}),
        ],
    )
    added_point = StringField("加上知识点", validators=[Optional(), Length(max=60, message="最多 60 个字。")])
    removed_point = StringField("去掉知识点", validators=[Optional(), Length(max=60, message="最多 60 个字。")])


class FilterForm(FlaskForm):
    """The filters of the question list; read from the address, so without a token."""

    class Meta:
        """No token: a filter changes nothing."""

        csrf = False

    q = StringField("查找", validators=_SHORT_TEXT)
    law = StringField("法律", validators=_SHORT_TEXT)
    topic = StringField("主题", validators=_SHORT_TEXT)
    point = StringField("知识点", validators=_SHORT_TEXT)
    kind = SelectField("题型", choices=_choices(KIND_NAMES, nothing="全部题型"))
    difficulty = SelectField("难度", choices=_choices(DIFFICULTY_NAMES, nothing="全部难度"))
    state = SelectField("状态", choices=_choices(_STATES, nothing="全部状态"))
    article = StringField("条文", validators=_SHORT_TEXT)
    flag = SelectField("标记", choices=_choices(FLAG_NAMES, nothing="不限"))
    author = IntegerField("撰写人", validators=[Optional()])
    import_id = IntegerField("导入批次", validators=[Optional()])
    page = IntegerField("页", validators=[Optional()])


def question_of(form: QuestionForm) -> Question:
    """Return the question that a form describes; what is missing is found when it is prepared."""
    kind = Kind(form.kind.data)
    points = tuple(
        p.strip() for p in (form.knowledge_points.data or "").replace("；", "、").replace(";", "、").split("、")
    )
    common: dict[str, Any] = {
        "difficulty": Difficulty(form.difficulty.data) if form.difficulty.data else None,
        "tags": (form.topic.data,) if form.topic.data else (),
        "knowledge_points": tuple(point for point in points if point),
        "is_html": form.is_html.data,
    }
    parts = tuple(_part(entry.form, form) for entry in form.parts)
    if kind_of(kind).is_part:
        part = parts[0]
        own = kind if kind_of(kind).swappable_with else part.kind
        return Question(**{**{name: getattr(part, name) for name in _KEPT}, **common, "kind": own})
    citation = next((part.citation for part in parts if part.citation), None)
    return Question(kind=kind, stem=form.material.data or "", parts=parts, citation=citation, **common)


_KEPT = ("stem", "options", "key", "blanks", "explanation", "citation")


def _part(part: PartForm, form: QuestionForm) -> Question:
    kind = kind_of(form.kind.data)
    if not kind.is_part:
        kind = kind_of(part.kind.data)
    fields = key_fields(part)
    options = [option or "" for option in part.options.data]
    while options and not options[-1].strip():
        options.pop()
    question = Question(
        kind=kind.code,
        stem=part.stem.data or "",
        options=tuple(options),
        key=kind.key_of_fields(fields),
        blanks=kind.blanks_of_fields(fields),
        explanation=part.explanation.data or "",
        citation=_citation(part, form),
        is_html=form.is_html.data,
    )
    return replace(question, options=kind.options_of(question))


def _citation(part: PartForm, form: QuestionForm) -> Citation | None:
    """Return what a part cites: the form's law, or the one named before its articles as `《法律》（版本）第一条`."""
    own = _OWN_LAW.match((part.articles.data or "").strip())
    law, version, article = own.groups() if own else (form.law.data, form.law_version.data, part.articles.data)
    if not (law or "").strip():
        return None
    return Citation(law=law.strip(), article=(article or "").strip(), version=(version or "").strip())


def key_fields(part: PartForm | KeyPartForm) -> KeyFields:
    """Return what a part's form says of its key."""
    return KeyFields(
        key=part.key.data or (),
        truth=part.truth.data or "",
        blanks=part.blanks.data or "",
        answer=part.answer.data or "",
    )


def form_data(question: Question, *, stamp: str) -> dict[str, Any]:
    """Return the data with which a form shows a question."""
    citation = question.citation
    return {
        "kind": str(question.kind),
        "material": "" if kind_of(question.kind).is_part else question.stem,
        "parts": [_part_data(part, citation) for part in question.parts or (question,)],
        "difficulty": question.difficulty or "",
        "topic": question.tags[0] if question.tags else "",
        "law": citation.law if citation else "",
        "law_version": citation.version or "" if citation else "",
        "knowledge_points": "、".join(question.knowledge_points),
        "is_html": question.is_html or any(part.is_html for part in question.parts),
        "read_version": stamp,
    }


def _part_data(part: Question, common: Citation | None) -> dict[str, Any]:
    cited = part.citation
    is_own = cited is not None and common is not None and (cited.law, cited.version) != (common.law, common.version)
    law = f"《{cited.law}》（{cited.version}）" if cited is not None and is_own else ""
    return {
        "kind": str(part.kind),
        "stem": part.stem,
        "options": list(part.options) if kind_of(part.kind).has_options else [],
        "explanation": part.explanation,
        "articles": f"{law}{cited.article}" if cited else "",
        **key_data(part),
    }


def key_data(part: Question) -> dict[str, Any]:
    """Return the data with which a form shows a key."""
    return asdict(kind_of(part.kind).fields_of(part))
