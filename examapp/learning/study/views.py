"""Study: my courses, a chapter page by page, its exercise."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import current_app, g, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session, transaction
from examapp.delivery.attempts.rules import device_key
from examapp.delivery.exam_candidates.queries import list_exams_of
from examapp.errors import ActiveAttemptError
from examapp.learning.course_contents.queries import files_of, get_file_for, live_html
from examapp.learning.course_contents.render_svg import draw_charts
from examapp.learning.courses.queries import (
    credits_of,
    find_course_of_run,
    get_my_chapter,
    get_my_course,
    get_own_run,
    has_open_run,
    list_my_courses,
    next_chapter,
    progress_in,
    runs_today,
)
from examapp.learning.practice.actions import begin_mock
from examapp.learning.practice.queries import ask_all, solve_all
from examapp.learning.practice.rules import RUNS_A_DAY, split_pages
from examapp.learning.practice.views import blueprint
from examapp.learning.study.actions import begin_exercise, open_page
from examapp.learning.study.actions import take_along as begin_taken
from examapp.learning.study.queries import get_exam_of, mock_sections
from examapp.learning.study_gates.queries import titles_not_completed
from examapp.organisation.accounts.guards import (
    are_keys_withheld,
    may,
    menu_entry,
    my_access,
    my_user,
    signed_in,
    wants_large_print,
)
from examapp.uploads.views import serve_file
from examapp.web.params import chosen_page
from examapp.web.submit import submit
from question_bank.kinds.registry import KIND_NAMES

blueprint.add_app_template_filter(draw_charts, "charts")


@blueprint.get("/study/")
@menu_entry("我的学习", position=20, group="学习")
@signed_in
def my_courses() -> str:
    """List one's own courses, and what exams ask for before they may be sat."""
    session, person_id, now = read_session(), my_user().person_id, clock.now()
    return render_template(
        "training/courses.html",
        courses=list_my_courses(session, person_id),
        credits=credits_of(session, person_id, year=clock.today().year),
        gates=_open_gates(session, person_id, now),
        today=clock.today(),
    )


def _open_gates(session: Session, person_id: int, now: datetime) -> list[dict[str, Any]]:
    """Give the exams to come that ask for study, with what is asked and what is there."""
    wanted = [
        candidate.exam
        for candidate in list_exams_of(session, person_id, now)
        if candidate.is_study_missing and candidate.exam.closes_at > now
    ]
    years = {clock.local(exam.opens_at).year for exam in wanted}
    have = {year: credits_of(session, person_id, year=year) for year in years}
    return [
        {
            "exam": exam,
            "required": Decimal(exam.study_gate.get("required", 0)),
            "elective": Decimal(exam.study_gate.get("elective", 0)),
            "have": have[clock.local(exam.opens_at).year],
            "courses": titles_not_completed(session, exam, person_id),
        }
        for exam in wanted
    ]


@blueprint.get("/study/courses/<int:course_id>")
@signed_in
def show_course(course_id: int) -> str:
    """Show a course with its chapters and how far one is."""
    session = read_session()
    course = get_my_course(session, course_id, my_user().person_id)
    progress = progress_in(session, course, my_user().person_id)
    return render_template(
        "training/course.html",
        course=course,
        progress=progress,
        following=next_chapter(course, progress),
    )


@blueprint.get("/study/chapters/<int:chapter_id>")
@signed_in
def read_chapter(chapter_id: int) -> str | Response:
    """Open a page of a chapter: the one asked for, or the furthest that may be opened."""
    number = chosen_page()
    with transaction() as session:
        page = open_page(session, chapter_id=chapter_id, person_id=my_user().person_id, number=number, now=clock.now())
        opened = page.number
    if opened != number:
        return redirect(url_for(".read_chapter", chapter_id=chapter_id, page=opened))
    course = page.chapter.course
    return render_template(
        "training/chapter.html",
        page=page,
        following=next_chapter(course, progress_in(read_session(), course, my_user().person_id)),
        files=files_of(read_session(), [chapter_id]).get(chapter_id, []),
        tries_left=_runs_left(chapter_id),
        runs_a_day=RUNS_A_DAY,
        has_open_run=has_open_run(read_session(), chapter_id, my_user().person_id),
    )


def _runs_left(chapter_id: int) -> int:
    used = runs_today(read_session(), chapter_id, my_user().person_id, on=clock.today())
    return max(RUNS_A_DAY - used, 0)


@blueprint.get("/study/files/<token>")
@signed_in
def show_file(token: str) -> Response:
    """Give a picture or attachment of a chapter to who learns it or makes it, in ranges where asked."""
    access = my_access("training:course:write") if may("training:course:write") else None
    return serve_file(get_file_for(read_session(), token[:64], person_id=my_user().person_id, access=access))


@blueprint.post("/study/chapters/<int:chapter_id>/exercise")
@signed_in
def start_exercise(chapter_id: int) -> Response:
    """Begin a chapter's exercise, or go on with the one that is open."""
    with submit(back=url_for(".read_chapter", chapter_id=chapter_id), level="warning") as context:
        run_id = begin_exercise(
            context.session, chapter_id=chapter_id, person_id=my_user().person_id, now=clock.now()
        ).id
    return redirect(url_for(".show_run", run_id=run_id))


@blueprint.post("/study/chapters/<int:chapter_id>/take-along")
@signed_in
def take_along(chapter_id: int) -> Response:
    """Take a chapter with its exercise along, to be finished without a network."""
    with submit(back=url_for(".read_chapter", chapter_id=chapter_id), level="warning") as context:
        run_id = begin_taken(context.session, chapter_id=chapter_id, person_id=my_user().person_id, now=clock.now()).id
    return redirect(url_for(".show_taken", run_id=run_id))


@blueprint.post("/practice/mocks/<int:exam_id>")
@signed_in
def start_mock(exam_id: int) -> Response:
    """Begin a mock paper by the blueprint of an exam, or go on with the one that is open."""
    with submit(back=url_for(".practise"), level="warning") as context:
        run_id = begin_mock(
            context.session,
            exam_id=exam_id,
            person_id=my_user().person_id,
            now=clock.now(),
            is_fresh="again" in request.form,
        ).id
    return redirect(url_for(".take_mock", run_id=run_id))


@blueprint.get("/practice/mocks/papers/<int:run_id>")
@signed_in
def take_mock(run_id: int) -> str | Response:
    """Show a mock paper on the exam page, no key in it; its answers stay on the device until it is handed in."""
    session, user = read_session(), my_user()
    run, items = get_own_run(session, run_id, person_id=user.person_id)
    exam = get_exam_of(session, run)
    if run.finished_at is not None or exam is None:
        return redirect(url_for(".show_run", run_id=run_id))
    template = current_app.jinja_env.get_template("training/mock.html")
    return template.render(
        run=run,
        exam=exam,
        user=user,
        paper={"sections": mock_sections(session, exam, items, person_id=user.person_id, now=clock.now())},
        now=clock.now(),
        ends_at=run.started_at + timedelta(seconds=exam.duration_s),
        device_key=device_key(current_app.secret_key, f"mock-{run.id}", person_id=user.person_id),
        is_elder=wants_large_print(user.has_elder_mode),
    )


@blueprint.get("/study/exercises/<int:run_id>/taken")
@signed_in
def show_taken(run_id: int) -> str | Response:
    """Show a chapter whole with the open questions of its exercise, no key among them; once all are answered, lead to the result."""
    session = read_session()
    run, items = get_own_run(session, run_id, person_id=my_user().person_id)
    g.menu_path = url_for(".my_courses")
    if run.finished_at is not None or run.chapter_id is None:
        return redirect(url_for(".show_run", run_id=run_id))
    chapter = get_my_chapter(session, run.chapter_id, my_user().person_id)
    return render_template(
        "training/taken.html",
        chapter=chapter,
        pages=[live_html(session, page, on=clock.today()) for page in split_pages(chapter.body)],
        run=run,
        items=ask_all(session, [item for item in items if item.answered_at is None]),
        kind_names=KIND_NAMES,
    )


@blueprint.get("/study/exercises/<int:run_id>")
@signed_in
def show_run(run_id: int) -> str | Response:
    """Lead to the next open question of an exercise; show its result once all are answered."""
    session = read_session()
    run, items = get_own_run(session, run_id, person_id=my_user().person_id)
    g.menu_path = url_for(".practise" if run.exam_id else ".my_courses")
    if run.finished_at is None and run.exam_id is not None:
        return redirect(url_for(".take_mock", run_id=run_id))
    if run.finished_at is None:
        following = next(item for item in items if item.answered_at is None)
        return redirect(url_for(".show_item", item_id=following.id))
    if are_keys_withheld():
        raise ActiveAttemptError
    course = find_course_of_run(session, run, my_user().person_id)
    asked = ask_all(session, items)
    return render_template(
        "training/run.html",
        run=run,
        course=course,
        following=next_chapter(course, progress_in(session, course, my_user().person_id)) if course else None,
        tries_left=_runs_left(run.chapter_id) if run.chapter_id and course else 0,
        solved_items=list(zip(asked, solve_all(session, asked), strict=True)),
        numbers={item.id: number for number, item in enumerate(items, start=1)},
        kind_names=KIND_NAMES,
    )
