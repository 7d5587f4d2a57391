"""The question of the day, search in laws and questions, favourites and notes."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp.core import clock
from examapp.core.acting import telling
from examapp.core.db import reading, transaction
from examapp.core.errors import DomainError
from examapp.core.numbers import sent_number
from examapp.people.access import are_keys_shut, me, shows_keys, signed_in
from examapp.training.operations import choosing
from examapp.training.queries.finding import list_notes, search
from examapp.training.queries.practice import get_own_item
from examapp.training.routes.frame import blueprint

_PAGE = 20
_MOST_PAGES = 500


@blueprint.post("/practice/daily")
@signed_in
def draw_daily() -> Response:
    """Open the question of the day."""
    try:
        with transaction() as session:
            item_id = choosing.draw_daily(session, person_id=me().person_id, now=clock.now()).id
    except DomainError as error:
        flash(error.text, "warning")
        return redirect(url_for(".practise"))
    return redirect(url_for(".show_item", item_id=item_id))


@blueprint.post("/practice/questions/<int:question_id>")
@signed_in
def draw_question(question_id: int) -> Response:
    """Practise a certain question."""
    try:
        with transaction() as session:
            item = choosing.draw_question(session, person_id=me().person_id, question_id=question_id, now=clock.now())
            item_id = item.id
    except DomainError as error:
        flash(error.text, "warning")
        return redirect(url_for(".practise"))
    return redirect(url_for(".show_item", item_id=item_id))


@blueprint.post("/practice/items/<int:item_id>/note")
@signed_in
def keep_note(item_id: int) -> Response:
    """Keep an answered question as a favourite, with a note."""
    item = get_own_item(reading(), item_id, person_id=me().person_id)
    question_id = item.question_id
    with telling("已保存。") as session:
        choosing.keep_note(
            session,
            person_id=me().person_id,
            question_id=question_id,
            is_favourite="favourite" in request.form,
            note=request.form.get("note", "")[:5000],
            now=clock.now(),
        )
    return redirect(url_for(".show_item", item_id=item_id))


@blueprint.get("/practice/notes")
@signed_in
@shows_keys
def show_notes() -> str:
    """List one's favourites and notes."""
    number = min(max(request.args.get("page", 1, type=sent_number) or 1, 1), _MOST_PAGES)
    total, rows = list_notes(reading(), me().person_id, page=number, size=_PAGE)
    return render_template(
        "training/notes.html",
        rows=rows,
        number=number,
        count=max((total + _PAGE - 1) // _PAGE, 1),
        page_url=lambda page: url_for(".show_notes", page=page),
    )


@blueprint.get("/practice/search")
@signed_in
def search_all() -> str:
    """Search in the articles in force and in the questions that may be practised."""
    words = request.args.get("q", "").strip()[:60]
    is_shut = are_keys_shut()
    found = search(reading(), words, on=clock.today(), with_questions=not is_shut)
    return render_template("training/search.html", words=words, found=found, is_shut=is_shut)
