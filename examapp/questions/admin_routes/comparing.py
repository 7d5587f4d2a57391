"""Two versions of a question side by side."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template, request
from sqlalchemy.orm import Session

from examapp.core.db import reading
from examapp.core.html import html_to_text
from examapp.core.numbers import sent_number
from examapp.core.permissions import Permission
from examapp.core.textdiff import SideBySide, compare_texts
from examapp.people.access import requires
from examapp.questions import queries
from examapp.questions.admin_routes.frame import admin_blueprint
from examapp.questions.models import QuestionVersion
from question_bank.kinds.registry import KIND_NAMES
from question_bank.model import OPTION_LETTERS, Kind


@dataclass(frozen=True, slots=True)
class ComparedField:
    """A field of a question in both versions."""

    name: str
    texts: SideBySide


@admin_blueprint.get("/<int:question_id>/compare")
@requires(Permission.QUESTIONS_READ)
def compare_question_versions(question_id: int) -> str:
    """Show two versions of a question side by side: `?old=1&new=2`; without, the newest and the one before."""
    session = reading()
    question = queries.get_question(session, question_id)
    versions = queries.list_versions(session, question_id)
    newest = queries.get_version(session, question, request.args.get("new", versions[0].number, type=sent_number))
    before = queries.get_version(
        session, question, request.args.get("old", max(1, newest.number - 1), type=sent_number)
    )
    old, new = _fields(session, before), _fields(session, newest)
    names = list(dict.fromkeys([*old, *new]))
    rows = [ComparedField(name, compare_texts(old.get(name, ""), new.get(name, ""))) for name in names]
    return render_template(
        "questions/compare.html", question=question, old=before, new=newest, rows=rows, versions=versions
    )


def _fields(session: Session, version: QuestionVersion) -> dict[str, str]:
    """Give a version's texts by the name that the page shows, in the page's order."""
    parts = version.content["parts"]
    keys = queries.current_key(session, version.id).parts
    fields = {"案例材料": html_to_text(version.content["material"])} if version.content["material"] else {}
    for number, (part, key) in enumerate(zip(parts, keys, strict=True), 1):
        mark = f"第 {number} 小题　" if len(parts) > 1 else ""
        fields[f"{mark}题型"] = KIND_NAMES[Kind(part["kind"])]
        fields[f"{mark}题干"] = html_to_text(part["stem"])
        options = zip(OPTION_LETTERS, part["options"], strict=False)
        fields |= {f"{mark}选项 {letter}": html_to_text(text) for letter, text in options}
        blanks = "\n".join(" / ".join(variants) for variants in key["blanks"])
        fields[f"{mark}答案"] = blanks or "、".join(key["key"])
        fields[f"{mark}解析"] = html_to_text(key["explanation"])
    cited = queries.list_cited(session, version.id)
    fields["依据"] = "\n".join(f"{one.law}（{one.version.version_on}）{'、'.join(one.labels)}" for one in cited)
    return fields
