"""The shape of what the office types about questions, and the question that it makes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask_wtf.file import FileField, FileRequired
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
from wtforms.validators import InputRequired, Length, Optional

from examapp.core.forms import FlaskForm, Form, IntegerField, RowList
from examapp.core.numbers import sent_number
from examapp.questions.rules.content import LONGEST_TEXT, MOST_OPTIONS, TOPICS
from question_bank.formats import registry
from question_bank.model import (
    CHOICE_KINDS,
    DIFFICULTY_NAMES,
    KIND_NAMES,
    OPTION_LETTERS,
    TRUE_FALSE_OPTIONS,
    Citation,
    Difficulty,
    Kind,
    Question,
)

_TEXT = [Optional(), Length(max=LONGEST_TEXT, message=f"最多 {LONGEST_TEXT} 个字，请精简。")]
_WORDS = [Optional(), Length(max=200, message="最多 200 个字。")]
_LETTERS = list(OPTION_LETTERS[:MOST_OPTIONS])
_TRUTHS = [SelectChoice("A", "正确"), SelectChoice("B", "错误")]


def _choices(names: Mapping[Any, str], *, nothing: str | None = None) -> list[SelectChoice]:
    first = [] if nothing is None else [SelectChoice("", nothing)]
    return first + [SelectChoice(str(value), name) for value, name in names.items()]


_PART_KINDS = {kind: name for kind, name in KIND_NAMES.items() if kind is not Kind.CASE}
FLAG_NAMES = {"doubt": "答案待核对", "law": "法律有变，待处理", "uncited": "没有法律依据"}
_STATES = {"draft": "草稿", "reviewed": "已审核", "active": "启用", "retired": "停用"}
_OWN_LAW = re.compile(r"《(.+?)》(?:[（(](\d{4}-\d{2}-\d{2})[)）])?(.*)")
_SWAPPABLE = (Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE)


class PartForm(Form):
    """A plain question, or one sub-question of a case."""

    kind = SelectField("题型", choices=_choices(_PART_KINDS))
    stem = TextAreaField("题干", validators=_TEXT)
    options = RowList(TextAreaField("选项", validators=_TEXT), max_entries=MOST_OPTIONS)
    key = SelectMultipleField("答案", choices=_LETTERS, validators=[Optional()])
    truth = RadioField("答案", choices=_TRUTHS, validators=[Optional()])
    blanks = TextAreaField("每个空的答案", validators=_TEXT)
    answer = TextAreaField("参考答案", validators=_TEXT)
    explanation = TextAreaField("解析", validators=_TEXT)
    articles = StringField("条文", validators=_WORDS)


class QuestionForm(FlaskForm):
    """A question of any kind."""

    kind = SelectField("题型", choices=_choices(KIND_NAMES))
    material = TextAreaField("案例材料", validators=_TEXT)
    parts = RowList(FormField(PartForm), min_entries=1, max_entries=20)
    difficulty = SelectField("难度", choices=_choices(DIFFICULTY_NAMES, nothing="未定"))
    topic = SelectField("主题", choices=_choices({topic: topic for topic in TOPICS}, nothing="未定"))
    law = StringField("法律", validators=_WORDS)
    law_version = StringField("法律版本", validators=[Optional(), Length(max=10)])
    knowledge_points = StringField("知识点", validators=_WORDS)
    is_html = BooleanField("以 HTML 代码编辑")
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


class UploadForm(FlaskForm):
    """A question file."""

    file = FileField("题库文件", validators=[FileRequired("请选择文件。")])
    answers = FileField("答案文件")
    format = SelectField(
        "格式", choices=_choices({registry.AUTO: "自动识别"} | {each.name: each.label for each in registry.FORMATS})
    )


class ConfirmForm(FlaskForm):
    """How a previewed file enters the bank."""

    state = SelectField("导入为", choices=_choices({"draft": "草稿，审核后启用", "active": "直接启用"}))


class StateForm(FlaskForm):
    """Questions on their way to a state."""

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

    q = StringField("查找", validators=_WORDS)
    law = StringField("法律", validators=_WORDS)
    topic = StringField("主题", validators=_WORDS)
    point = StringField("知识点", validators=_WORDS)
    kind = SelectField("题型", choices=_choices(KIND_NAMES, nothing="全部题型"))
    difficulty = SelectField("难度", choices=_choices(DIFFICULTY_NAMES, nothing="全部难度"))
    state = SelectField("状态", choices=_choices(_STATES, nothing="全部状态"))
    article = StringField("条文", validators=_WORDS)
    flag = SelectField("标记", choices=_choices(FLAG_NAMES, nothing="不限"))
    author = IntegerField("撰写人", validators=[Optional()])
    import_id = IntegerField("导入批次", validators=[Optional()])
    page = IntegerField("页", validators=[Optional()])


def question_of(form: QuestionForm) -> Question:
    """Make the question that a form says; what is missing is found when it is prepared."""
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
    if kind is not Kind.CASE:
        part = parts[0]
        own = Kind(form.kind.data) if kind in _SWAPPABLE else part.kind
        return Question(**{**{name: getattr(part, name) for name in _KEPT}, **common, "kind": own})
    citation = next((part.citation for part in parts if part.citation), None)
    return Question(kind=kind, stem=form.material.data or "", parts=parts, citation=citation, **common)


_KEPT = ("stem", "options", "key", "blanks", "explanation", "citation")


def _part(part: PartForm, form: QuestionForm) -> Question:
    kind = Kind(form.kind.data) if form.kind.data != Kind.CASE else Kind(part.kind.data)
    options = [option or "" for option in part.options.data]
    while options and not options[-1].strip():
        options.pop()
    if kind is Kind.TRUE_FALSE:
        options = list(TRUE_FALSE_OPTIONS)
    return Question(
        kind=kind,
        stem=part.stem.data or "",
        options=tuple(options) if kind in CHOICE_KINDS else (),
        key=key_of(kind, part),
        blanks=blanks_of(kind, part),
        explanation=part.explanation.data or "",
        citation=_citation(part, form),
        is_html=form.is_html.data,
    )


def _citation(part: PartForm, form: QuestionForm) -> Citation | None:
    """Give what a part cites: the form's law, or the one that stands before its articles as `《法律》（版本）第一条`."""
    own = _OWN_LAW.match((part.articles.data or "").strip())
    law, version, article = own.groups() if own else (form.law.data, form.law_version.data, part.articles.data)
    if not (law or "").strip():
        return None
    return Citation(law=law.strip(), article=(article or "").strip(), version=(version or "").strip())


def key_of(kind: Kind, part: PartForm | KeyPartForm) -> tuple[str, ...]:
    """Give the key that a part says, by its kind."""
    if kind is Kind.TRUE_FALSE:
        return (part.truth.data,) if part.truth.data else ()
    if kind is Kind.SHORT_ANSWER:
        return ((part.answer.data or "").strip(),)
    return tuple(sorted(part.key.data or [])) if kind in CHOICE_KINDS else ()


def blanks_of(kind: Kind, part: PartForm | KeyPartForm) -> tuple[tuple[str, ...], ...]:
    """Give the accepted variants a blank: a line a blank, variants divided by `|`."""
    if kind is not Kind.FILL_BLANK:
        return ()
    lines = [line for line in (part.blanks.data or "").replace("｜", "|").splitlines() if line.strip()]
    return tuple(tuple(variant.strip() for variant in line.split("|") if variant.strip()) for line in lines)


def form_data(question: Question, *, stamp: str) -> dict[str, Any]:
    """Give the data with which a form shows a question."""
    citation = question.citation
    return {
        "kind": str(question.kind),
        "material": question.stem if question.kind is Kind.CASE else "",
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
        "options": list(part.options) if part.kind in _SWAPPABLE else [],
        "explanation": part.explanation,
        "articles": f"{law}{cited.article}" if cited else "",
        **key_data(part),
    }


def key_data(part: Question) -> dict[str, Any]:
    """Give the data with which a form shows a key."""
    return {
        "key": list(part.key) if part.kind in _SWAPPABLE else [],
        "truth": part.key[0] if part.kind is Kind.TRUE_FALSE and part.key else None,
        "blanks": "\n".join("|".join(variants) for variants in part.blanks),
        "answer": part.key[0] if part.kind is Kind.SHORT_ANSWER and part.key else "",
    }
