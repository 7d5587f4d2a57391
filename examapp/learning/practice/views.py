"""The learner's pages."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, current_app, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.content.blueprints.queries import bank_names
from examapp.db.session import read_session, transaction
from examapp.delivery.exam_candidates.queries import list_exams_of
from examapp.delivery.results.queries import list_graded_attempts_with_keys
from examapp.errors import ActiveAttemptError
from examapp.learning.course_editing.forms import PracticeForm
from examapp.learning.mastery.queries import my_map
from examapp.learning.practice import actions
from examapp.learning.practice.actions import draw_practice
from examapp.learning.practice.queries import (
    ask,
    count_answers,
    find_note,
    get_own_item,
    list_notes,
    search,
    solve,
    solve_cards,
)
from examapp.learning.practice.rules import InvalidAnswerError, Wanted
from examapp.learning.practice_answers.actions import AnswerRateError
from examapp.learning.practice_answers.actions import answer as take_answer
from examapp.learning.spaced_repetition.queries import count_due, list_laws_and_kinds, mistake_book
from examapp.organisation.accounts.guards import are_keys_withheld, menu_entry, my_user, shows_keys, signed_in
from examapp.web.params import chosen_page, page_count, read_whole
from examapp.web.submit import submit
from question_bank.kinds.registry import KIND_NAMES
from question_bank.model import DIFFICULTY_NAMES

blueprint = Blueprint("training", __name__)

_PAGE = 10
_MAX_PAGES = 1000


@blueprint.route("/practice/", methods=["GET", "POST"])
@menu_entry("练习", position=30, group="学习")
@signed_in
def practise() -> str | Response | tuple[str, int]:
    """Choose what to practise, and begin."""
    form = PracticeForm(
        **({} if request.method == "POST" else {"data": {n: request.args.get(n, "") for n in ("law", "point")}})
    )
    names = bank_names(read_session())
    form.offer(laws=names.laws, topics=names.topics, points=names.knowledge_points)
    if form.validate_on_submit():
        return _draw(form.wanted(), url_for(".practise"))
    answered, right = count_answers(read_session(), my_user().person_id)
    page = render_template(
        "training/practice.html",
        form=form,
        answered=answered,
        right=right,
        due=count_due(read_session(), my_user().person_id, now=clock.now()),
        mocks=[
            candidate.exam
            for candidate in list_exams_of(read_session(), my_user().person_id, clock.now())
            if candidate.exam.closes_at > clock.now() and candidate.blueprint_id is not None
        ],
    )
    return (page, HTTPStatus.UNPROCESSABLE_ENTITY) if form.is_submitted() else page


def _draw(wanted: Wanted, otherwise: str) -> Response:
    with submit(back=otherwise, level="warning") as context:
        item_id = draw_practice(context.session, person_id=my_user().person_id, wanted=wanted, now=clock.now()).id
    return redirect(url_for(".show_item", item_id=item_id))


@blueprint.get("/practice/items/<int:item_id>")
@signed_in
def show_item(item_id: int) -> str:
    """Ask a drawn question; once it is answered, show its key and explanation."""
    return _item_page(item_id)


@blueprint.post("/practice/items/<int:item_id>")
@signed_in
def answer(item_id: int) -> str | Response | tuple[str, int]:
    """Take the answer to a drawn question."""
    try:
        with transaction() as session:
            answered = take_answer(
                session,
                item_id=item_id,
                person_id=my_user().person_id,
                raw=request.form.getlist("response"),
                now=clock.now(),
                is_unsure="unsure" in request.form,
                max_a_day=current_app.config["SETTINGS"].practice_answers_a_day,
            )
    except (InvalidAnswerError, AnswerRateError) as error:
        return _item_page(item_id, problem=error.text), error.status
    if not answered.is_new:
        flash("这道题已经答过，以第一次作答为准。", "warning")
    return redirect(url_for(".show_item", item_id=item_id))


@blueprint.post("/practice/items/<int:item_id>/next")
@signed_in
def draw_next(item_id: int) -> Response:
    """Draw the next question by the same setting."""
    item = get_own_item(read_session(), item_id, person_id=my_user().person_id)
    if item.run_id is not None:
        return redirect(url_for(".show_run", run_id=item.run_id))
    wanted = Wanted(**item.wanted)
    return _draw(wanted, _book_url(wanted.law, wanted.kind) if wanted.is_mistakes else url_for(".practise"))


def _item_page(item_id: int, *, problem: str = "") -> str:
    session = read_session()
    item = get_own_item(session, item_id, person_id=my_user().person_id)
    if item.answered_at and are_keys_withheld():
        raise ActiveAttemptError
    if item.run_id is not None:
        g.menu_path = url_for(".my_courses")
    asked = ask(session, item)
    return render_template(
        "training/item.html",
        asked=asked,
        solution=solve(session, asked) if item.answered_at else None,
        note=find_note(session, item.person_id, item.question_id) if item.answered_at else None,
        wanted=Wanted(**item.wanted),
        problem=problem,
        kind_names=KIND_NAMES,
        difficulty_names=DIFFICULTY_NAMES,
    )


@blueprint.route("/practice/mistakes", methods=["GET", "POST"])
@menu_entry("错题", position=40, group="学习")
@signed_in
@shows_keys
def list_mistakes() -> str | Response:
    """Show the mistake book, what is due today first, of one law or kind where it is asked for; a press draws what is due, or ahead of time."""
    law, kind = request.values.get("law", "")[:200], request.values.get("kind", "")
    kind = kind if kind in _KINDS else ""
    if request.method == "POST":
        wanted = Wanted(is_mistakes=True, is_ahead="ahead" in request.form, law=law, kind=kind)
        return _draw(wanted, _book_url(law, kind))
    session, person_id, now = read_session(), my_user().person_id, clock.now()
    number = chosen_page()
    book = mistake_book(session, person_id, now=now, page=min(number, _MAX_PAGES), size=_PAGE, law=law, kind=kind)
    laws, kinds = list_laws_and_kinds(session, person_id)
    solved = solve_cards(session, [card for card, *_ in book.cards])
    return render_template(
        "training/mistakes.html",
        rows=[
            (card, law, exam, *solved.get((card.question_id, card.part), (None, None)))
            for card, law, exam in book.cards
        ],
        book=book,
        own_attempts=list_graded_attempts_with_keys(session, person_id, now=now),
        law=law,
        kind=kind,
        laws=laws,
        kinds=kinds,
        now=now,
        number=number,
        count=page_count(book.total, _PAGE),
        kind_names=KIND_NAMES,
        page_url=lambda page: url_for(".list_mistakes", page=page, law=law or None, kind=kind or None),
    )


_KINDS = frozenset(str(kind) for kind in KIND_NAMES)
_MAX_PARTS = 100


def _part() -> int:
    """Give the sub-question that a form names, from 0."""
    return read_whole(request.form.get("part"), limit=_MAX_PARTS) or 0


def _book_url(law: str, kind: str) -> str:
    return url_for(".list_mistakes", law=law or None, kind=kind or None)


@blueprint.post("/practice/mistakes/<int:question_id>")
@signed_in
def practise_mistake(question_id: int) -> Response:
    """Draw a question of the mistake book."""
    with submit(back=url_for(".list_mistakes"), level="warning") as context:
        item_id = actions.draw_card(
            context.session, person_id=my_user().person_id, question_id=question_id, part=_part(), now=clock.now()
        ).id
    return redirect(url_for(".show_item", item_id=item_id))


@blueprint.post("/practice/mistakes/<int:question_id>/remove")
@signed_in
def remove_mistake(question_id: int) -> Response:
    """Take a mastered question out of the mistake book."""
    with submit("已移出错题本；以后再答错，会重新记入。") as context:
        actions.remove_card(context.session, person_id=my_user().person_id, question_id=question_id, part=_part())
    return redirect(_book_url(request.form.get("law", "")[:200], request.form.get("kind", "")[:40]))


_FOUND_A_PAGE = 20
_MAX_FOUND_PAGES = 500


@blueprint.post("/practice/daily")
@signed_in
def draw_daily() -> Response:
    """Open the question of the day."""
    with submit(back=url_for(".practise"), level="warning") as context:
        item_id = actions.draw_daily(context.session, person_id=my_user().person_id, now=clock.now()).id
    return redirect(url_for(".show_item", item_id=item_id))


@blueprint.post("/practice/questions/<int:question_id>")
@signed_in
def draw_question(question_id: int) -> Response:
    """Practise a certain question."""
    with submit(back=url_for(".practise"), level="warning") as context:
        item = actions.draw_question(
            context.session, person_id=my_user().person_id, question_id=question_id, now=clock.now()
        )
        item_id = item.id
    return redirect(url_for(".show_item", item_id=item_id))


@blueprint.post("/practice/items/<int:item_id>/note")
@signed_in
def keep_note(item_id: int) -> Response:
    """Keep an answered question as a favourite, with a note."""
    item = get_own_item(read_session(), item_id, person_id=my_user().person_id)
    question_id = item.question_id
    with submit("已保存。") as context:
        actions.keep_note(
            context.session,
            person_id=my_user().person_id,
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
    number = chosen_page(_MAX_FOUND_PAGES)
    total, rows = list_notes(read_session(), my_user().person_id, page=number, size=_FOUND_A_PAGE)
    return render_template(
        "training/notes.html",
        rows=rows,
        number=number,
        count=page_count(total, _FOUND_A_PAGE),
        page_url=lambda page: url_for(".show_notes", page=page),
    )


@blueprint.get("/practice/search")
@signed_in
def search_all() -> str:
    """Search in the articles in force and in the questions that may be practised."""
    text = request.args.get("q", "").strip()[:60]
    is_withheld = are_keys_withheld()
    found = search(read_session(), text, on=clock.today(), with_questions=not is_withheld)
    return render_template("training/search.html", text=text, found=found, is_withheld=is_withheld)


@blueprint.get("/practice/map")
@signed_in
def show_map() -> str:
    """Show one's own map by law and by knowledge point."""
    laws, points = my_map(read_session(), my_user().person_id, now=clock.now())
    return render_template("training/map.html", laws=laws, points=points)
