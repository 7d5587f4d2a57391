"""Views of the whole bank: review queue, coverage of the syllabus, near-duplicates."""

from __future__ import annotations

import json

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from examapp.content.question_duplicates import actions as question_duplicate_actions
from examapp.content.question_duplicates import queries as question_duplicate_queries
from examapp.content.question_review import actions, queries
from examapp.content.question_search import queries as question_search_queries
from examapp.content.questions import queries as question_queries
from examapp.content.questions.admin_views import admin_blueprint, may_review_alone
from examapp.content.questions.models import BankQuestion, QuestionState
from examapp.content.questions.rules import items_of
from examapp.db.session import read_session
from examapp.documents.text_diff import compare_texts
from examapp.errors import BadRequestError, NotFoundError
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import my_user, requires
from examapp.web.params import chosen_number, chosen_page, page_count, read_whole, sent_number
from examapp.web.query_encryption import decrypt_query_param, encrypt_query_param
from examapp.web.submit import request_transaction

PERMISSIONS = {
    "questions:question:review": {Role.PUBLICITY_OFFICE},
}


_PAIRS_A_PAGE = 20
_MAX_SKIP = 100_000
_DEFAULT_MINIMUM = 3
_MAX_MINIMUM = 100


@admin_blueprint.get("/review")
@requires("questions:question:review")
def review_queue() -> str:
    """Show the drafts that this person may review, those that have waited longest first."""
    session = read_session()
    person_id, may_own = my_user().person_id, may_review_alone()
    count = queries.count_queue(session, person_id=person_id, may_own=may_own)
    pages = page_count(count, question_search_queries.PAGE_SIZE)
    page = chosen_page(pages)
    return render_template(
        "questions/review.html",
        rows=queries.list_queue(session, person_id=person_id, may_own=may_own, page=page),
        count=count,
        page=page,
        pages=pages,
        others=queries.count_states(session, person_id=person_id),
        may_own=may_own,
        page_url=lambda number: url_for(".review_queue", page=number),
    )


@admin_blueprint.get("/review/read")
@requires("questions:question:review")
def read_drafts() -> str:
    """Show the next drafts in full, key, explanation and articles included, with one button that passes them."""
    session, person_id, may_own = read_session(), my_user().person_id, may_review_alone()
    skip = chosen_number("skip") or 0
    drafts = queries.list_drafts_in_full(session, person_id=person_id, may_own=may_own, skip=skip)
    stamps = {draft.question.id: draft.stamp for draft in drafts}
    return render_template(
        "questions/read_drafts.html",
        drafts=[(draft, items_of(draft.content)) for draft in drafts],
        left=max(0, queries.count_queue(session, person_id=person_id, may_own=may_own) - skip - len(drafts)),
        skip=skip,
        shown=encrypt_query_param(json.dumps(stamps), bound_to=f"drafts shown to {person_id}"),
    )


@admin_blueprint.post("/review/read")
@requires("questions:question:review")
def pass_drafts() -> AnyResponse:
    """Review and activate the drafts that the page has shown, save the held ones; name what was not possible, and show the next."""
    held = set(request.form.getlist("held", type=sent_number))
    stamps = {each: stamp for each, stamp in _shown_stamps().items() if each not in held}
    with request_transaction() as context:
        activated, rejections = actions.approve_and_activate(
            context, stamps=stamps, is_alone_allowed=may_review_alone()
        )
    if activated:
        flash(f"{activated} 道题已审核通过并启用。", "success")
    for rejection in rejections:
        flash(f"没有通过：{rejection}", "warning")
    skip = (read_whole(request.form.get("skip"), limit=_MAX_SKIP) or 0) + len(held)
    return redirect(url_for(".read_drafts", skip=skip or None))


def _shown_stamps() -> dict[int, str]:
    """Return the stamps of the questions that a page showed in full to who is signed in; raises BadRequestError where it was none."""
    opened = decrypt_query_param(request.form.get("shown", ""), bound_to=f"drafts shown to {my_user().person_id}")
    if not opened:
        raise BadRequestError("页面已经失效。请回到“待审核的题目”，重新打开“成页审核”。")
    return {sent_number(question_id): stamp for question_id, stamp in json.loads(opened).items()}


@admin_blueprint.get("/review/<int:question_id>")
@requires("questions:question:review")
def review_draft(question_id: int) -> AnyResponse | str:
    """Show a draft beside its articles with the machine's findings, similar questions and its results; `?skip` leads to the next one."""
    session = read_session()
    if "skip" in request.args:
        return _next_to_review(question_queries.get_question(session, question_id))
    shown = queries.get_for_reviewer(session, question_id)
    stamp = question_queries.stamp_of(shown.question, shown.version)
    person_id, may_own = my_user().person_id, may_review_alone()
    return render_template(
        "questions/review_draft.html",
        shown=shown,
        items=items_of(shown.version.content),
        is_own=question_queries.is_author(session, shown.version, shown.question, person_id),
        may_own=may_own,
        left=queries.count_queue(session, person_id=person_id, may_own=may_own),
        token=encrypt_query_param(json.dumps({question_id: stamp}), bound_to=f"drafts shown to {person_id}"),
    )


@admin_blueprint.post("/review/<int:question_id>")
@requires("questions:question:review")
def pass_draft(question_id: int) -> AnyResponse:
    """Review and activate one draft whose findings were all ticked, and lead to the next."""
    finding_count = queries.get_for_reviewer(read_session(), question_id).finding_count
    stamps = {each: stamp for each, stamp in _shown_stamps().items() if each == question_id}
    back = url_for(".review_draft", question_id=question_id)
    if len(request.form.getlist("seen")) < finding_count:
        flash("机器提示的每一处都要看过并勾选，然后再点通过。", "danger")
        return redirect(back)
    with request_transaction() as context:
        _, rejections = actions.approve_and_activate(context, stamps=stamps, is_alone_allowed=may_review_alone())
    for rejection in rejections:
        flash(f"没有通过：{rejection}", "warning")
    if rejections or not stamps:
        return redirect(back)
    question = question_queries.get_question(read_session(), question_id)
    flash(f"{question.code} 已审核通过并启用。", "success")
    return _next_to_review(question)


def _next_to_review(question: BankQuestion) -> AnyResponse:
    following = queries.next_in_queue(
        read_session(), person_id=my_user().person_id, may_own=may_review_alone(), after=question
    )
    if following is None:
        flash("待审核的题目都看完了。", "success")
        return redirect(url_for(".review_queue"))
    return redirect(url_for(".review_draft", question_id=following))


@admin_blueprint.get("/coverage")
@requires("questions:question:read")
def show_coverage() -> str:
    """Show laws by kinds and difficulties, and where the bank has too few questions."""
    minimum = min(max(1, request.args.get("least", _DEFAULT_MINIMUM, type=sent_number)), _MAX_MINIMUM)
    topics = queries.cover_syllabus(read_session())
    entries = [entry for entries in topics.values() for entry in entries]
    return render_template(
        "questions/coverage.html",
        topics=topics,
        minimum=minimum,
        is_thin_only="thin" in request.args,
        main_kinds=queries.MAIN_KINDS,
        total=sum(entry.total for entry in entries),
        laws=sum(1 for entry in entries if entry.total),
        bare=sum(1 for entry in entries if not entry.total),
        thin=sum(1 for entry in entries if entry.total and entry.is_thin(minimum)),
    )


@admin_blueprint.get("/duplicates/")
@requires("questions:question:read")
def list_duplicates() -> str:
    """Show pairs of similar questions side by side, the most similar first."""
    session = read_session()
    search = question_duplicate_queries.last_search(session)
    pairs = question_duplicate_queries.open_pairs(session, search) if search else []
    pages = page_count(len(pairs), _PAIRS_A_PAGE)
    page = chosen_page(pages)
    shown = question_duplicate_queries.like_pairs(session, pairs[(page - 1) * _PAIRS_A_PAGE : page * _PAIRS_A_PAGE])
    return render_template(
        "questions/duplicates.html",
        search=search,
        count=len(pairs),
        pairs=[(pair, compare_texts(pair.one.text, pair.other.text)) for pair in shown],
        page=page,
        pages=pages,
        page_url=lambda number: url_for(".list_duplicates", page=number),
    )


@admin_blueprint.post("/duplicates/")
@requires("questions:question:write")
def search_duplicates() -> AnyResponse:
    """Request a search of the whole bank for near-duplicates."""
    with request_transaction() as context:
        question_duplicate_actions.request_duplicate_search(context)
    return redirect(url_for(".list_duplicates"))


@admin_blueprint.post("/duplicates/settle")
@requires("questions:question:review")
def settle_duplicate() -> AnyResponse:
    """Retire one of two similar questions, or record that they are no duplicates."""
    one, other = (request.form.get(name, 0, type=sent_number) for name in ("one", "other"))
    act = request.form.get("act", "")
    with request_transaction() as context:
        for question_id in (one, other):
            question_queries.get_question(context.session, question_id)
        if act == "both":
            question_duplicate_actions.keep_both(context, one=one, other=other)
        elif act in {"one", "other"}:
            actions.set_state(context, question_id=one if act == "one" else other, state=QuestionState.RETIRED)
        else:
            raise NotFoundError
    flash("已记下：这是两道不同的题。" if act == "both" else "已停用其中一道。", "success")
    return redirect(url_for(".list_duplicates", page=request.form.get("page", 1, type=sent_number)))
