"""Views of questions under which the law has changed: the list, and each with old and new article side by side."""

from __future__ import annotations

from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from examapp.content.law_texts.rules import article_labels
from examapp.content.laws.models import LawVersion
from examapp.content.laws.queries import VersionRow, get_version_row
from examapp.content.question_editing.forms import StateForm
from examapp.content.question_law_changes import actions, queries
from examapp.content.question_review import actions as question_review_actions
from examapp.content.question_search.queries import PAGE_SIZE
from examapp.content.questions import queries as question_queries
from examapp.content.questions.admin_views import admin_blueprint
from examapp.content.questions.models import LawChange, QuestionFlag, QuestionState
from examapp.content.questions.rules import items_of
from examapp.db.session import read_session
from examapp.documents.text_diff import SideBySide, compare_texts
from examapp.errors import DomainError, NotFoundError
from examapp.organisation.accounts.guards import requires
from examapp.web.params import chosen_page, page_count, read_whole
from examapp.web.submit import request_transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownArticle:
    """One article that a question cites, as it was and as it is."""

    old: str
    new: str | None
    change: str
    similarity: str | None
    texts: SideBySide | None
    """None where neither text is known."""
    has_old: bool
    has_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFlag:
    """A flag with its articles side by side."""

    flag: QuestionFlag
    old: VersionRow
    new: VersionRow | None
    articles: list[ShownArticle]
    proposed: str


@admin_blueprint.get("/law-changes/")
@requires("questions:question:read")
def list_law_changes() -> str:
    """Show which laws have changed and which questions wait for a decision, 50 a page."""
    law, kind = request.args.get("law", ""), request.args.get("kind", "")
    session = read_session()
    count = queries.count_open_flags(session, law=law, kind=kind)
    pages = page_count(count, PAGE_SIZE)
    page = chosen_page(pages)
    return render_template(
        "questions/law_changes.html",
        laws=queries.list_laws_with_flags(session),
        rows=queries.list_flagged(session, law=law, kind=kind, page=page),
        law=law,
        kind=kind,
        kinds=list(LawChange),
        count=count,
        page=page,
        pages=pages,
        total=queries.count_flagged(session),
        page_url=lambda number: url_for(".list_law_changes", law=law, kind=kind, page=number),
    )


@admin_blueprint.get("/<int:question_id>/law-change")
@requires("questions:question:read")
def show_law_change(question_id: int) -> str:
    """Show a flagged question with the old and the new article side by side."""
    return _page(question_id)


def _page(question_id: int, rejection: str = "") -> str:
    session = read_session()
    question = question_queries.get_question(session, question_id)
    version = question_queries.get_version(session, question)
    settled = queries.settled_flags(session, question_id)
    return render_template(
        "questions/law_change.html",
        question=question,
        items=items_of(version.content),
        key=question_queries.current_key(session, version.id),
        shown=[_shown(session, flag) for flag in queries.open_flags(session, question_id)],
        settled=settled,
        names=question_queries.names_of(session, [flag.decided_by_id for flag in settled]),
        rejection=rejection,
    )


def _shown(session: Session, flag: QuestionFlag) -> ShownFlag:
    pairs: list[tuple[int | None, str | None]] = [(flag.old_version_id, each["old"]) for each in flag.articles]
    pairs += [(flag.new_version_id, each["new"] or each["old"]) for each in flag.articles]
    texts = queries.texts_of(session, pairs)
    labels = [each["new"] for each in flag.articles if each["new"]]
    if flag.kind == LawChange.UNKNOWN:
        labels = labels or [each["old"] for each in flag.articles]
    return ShownFlag(
        flag=flag,
        old=get_version_row(session, flag.old_version_id),
        new=get_version_row(session, flag.new_version_id) if flag.new_version_id else None,
        articles=[_article(flag, each, texts) for each in flag.articles],
        proposed="、".join(dict.fromkeys(labels)),
    )


def _article(flag: QuestionFlag, each: dict[str, str | None], texts: dict[tuple[int, str], str]) -> ShownArticle:
    label = each["new"] or (each["old"] if flag.kind == LawChange.UNKNOWN else None)
    old = texts.get((flag.old_version_id, each["old"] or ""))
    new = texts.get((flag.new_version_id or 0, label or ""))
    return ShownArticle(
        old=each["old"] or "",
        new=label,
        change=each["change"] or "",
        similarity=each["similarity"],
        texts=compare_texts(old or "", new or "") if old or new else None,
        has_old=old is not None,
        has_new=new is not None,
    )


@admin_blueprint.post("/<int:question_id>/law-change/keep")
@requires("questions:question:review")
def keep_under_new_law(question_id: int) -> AnyResponse | str:
    """Keep a question with the new citation, and go on to the next."""
    named = {
        number: article_labels(value)
        for name, value in request.form.items()
        if name.startswith("articles-") and (number := read_whole(name.removeprefix("articles-"))) is not None
    }
    try:
        with request_transaction() as context:
            actions.keep_under_new_law(context, question_id=question_id, articles=named)
    except NotFoundError:
        raise
    except DomainError as error:
        return _page(question_id, rejection=error.text)
    flash("题目已按新条文保留，可以进入新的试卷。", "success")
    return _next(question_id)


@admin_blueprint.post("/<int:question_id>/law-change/retire")
@requires("questions:question:review")
def retire_under_new_law(question_id: int) -> AnyResponse:
    """Retire a question that the new law has overtaken, and go on to the next."""
    with request_transaction("题目已停用。") as context:
        question_review_actions.set_state(context, question_id=question_id, state=QuestionState.RETIRED)
    return _next(question_id)


def _next(question_id: int) -> AnyResponse:
    following = queries.next_flagged(read_session(), after=question_id)
    if following is None:
        flash("法律有变的题目都处理完了。", "success")
        return redirect(url_for(".list_law_changes"))
    return redirect(url_for(".show_law_change", question_id=following))


@admin_blueprint.post("/law-changes/keep-moved")
@requires("questions:question:review")
def keep_moved() -> AnyResponse:
    """Keep the ticked questions whose articles only got another number."""
    form = StateForm()
    ids = form.ids.data or []
    if not form.csrf_token.validate(form) or not ids:
        flash("请先勾选题目。", "danger")
        return redirect(url_for(".list_law_changes"))
    with request_transaction() as context:
        kept, reasons = actions.keep_moved(context, ids=ids[:1000])
    flash(f"{kept} 道题已按新条号保留。", "success")
    for reason, count in reasons.items():
        flash(f"{count} 道题没有改动：{reason}", "warning")
    return redirect(url_for(".list_law_changes"))


def under_new_law(data: dict[str, object], question_id: int, session: Session) -> dict[str, object]:
    """Return the editor's data with the new version's day and articles where a law has changed."""
    parts = [dict(part) for part in data["parts"]]  # type: ignore[attr-defined]  # a list of dicts by form_data
    for flag in queries.open_flags(session, question_id):
        # meant: the law library is open to everybody
        new = session.get(LawVersion, flag.new_version_id) if flag.new_version_id else None
        labels = [each["new"] for each in flag.articles if each["new"]]
        if new is not None:
            data = data | {"law_version": new.version_on.isoformat()}
        if labels and flag.part <= len(parts):
            parts[flag.part - 1]["articles"] = "、".join(labels)
    return data | {"parts": parts}
