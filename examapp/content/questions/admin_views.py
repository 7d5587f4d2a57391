"""The blueprint of the question bank's pages, its labels, and the comparison of two versions."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, current_app, render_template, request
from sqlalchemy.orm import Session

from examapp import clock
from examapp.content.question_review.actions import STATE_NAMES
from examapp.content.questions import queries
from examapp.content.questions.models import LawChange, QuestionVersion
from examapp.db.session import read_session
from examapp.documents.html import html_to_text
from examapp.documents.text_diff import SideBySide, compare_texts
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import requires
from examapp.web.params import sent_number
from question_bank.kinds.registry import KIND_NAMES
from question_bank.model import DIFFICULTY_NAMES, OPTION_LETTERS, Kind

PERMISSIONS = {"questions:question:read": {Role.PUBLICITY_OFFICE}}


CHANGE_NAMES = {
    LawChange.MOVED: "条号有变",
    LawChange.CHANGED: "条文有改动",
    LawChange.REPEALED: "条文已删去",
    LawChange.UNKNOWN: "条文无法比较",
    LawChange.LAW_REPEALED: "法律已废止",
}

admin_blueprint = Blueprint("questions_admin", __name__, url_prefix="/admin/questions")


@admin_blueprint.context_processor
def names() -> dict[str, object]:
    """Return the labels of kinds, states, difficulties and changes of articles for templates."""
    return {
        "change_names": CHANGE_NAMES,
        "kind_names": KIND_NAMES,
        "state_names": STATE_NAMES,
        "difficulty_names": DIFFICULTY_NAMES,
    }


def may_review_alone() -> bool:
    """Return whether REVIEW_ALONE is set and nobody else may review: then authors may review their own questions."""
    is_set: bool = current_app.config["SETTINGS"].review_alone
    return is_set and queries.count_reviewers(read_session(), now=clock.now()) <= 1


@dataclass(frozen=True, slots=True)
class ComparedField:
    """A field of a question in both versions."""

    name: str
    texts: SideBySide


@admin_blueprint.get("/<int:question_id>/compare")
@requires("questions:question:read")
def compare_question_versions(question_id: int) -> str:
    """Show two versions of a question side by side: `?old=1&new=2`; without, the newest and the one before."""
    session = read_session()
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
    """Return a version's texts by the label that the page shows, in the page's order."""
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
