"""The office's pages of courses: list, settings, chapters, publication."""

from __future__ import annotations

from http import HTTPStatus

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp.core import clock
from examapp.core.db import reading, transaction
from examapp.core.errors import ConflictError, DomainError, NotFoundError
from examapp.core.numbers import sent_number
from examapp.core.permissions import Permission
from examapp.core.uploads.limits import words_of
from examapp.exams.queries.organiser import list_sector_units, list_units_within
from examapp.papers.queries import bank_names
from examapp.people.access import actor, my_reach, requires
from examapp.training.admin_routes.files import FILE_KINDS
from examapp.training.admin_routes.frame import admin_blueprint
from examapp.training.forms import ChapterForm, CourseForm
from examapp.training.models import Chapter, Course
from examapp.training.operations import contents
from examapp.training.operations import courses as operations
from examapp.training.queries import courses as queries
from examapp.training.queries.articles import changed_articles
from examapp.training.queries.contents import files_of, list_editions, named_people
from examapp.training.queries.shipped import count_left
from examapp.training.rules import split_pages

_WRITE = Permission.TRAINING_WRITE


@admin_blueprint.get("/")
@requires(_WRITE)
def list_courses() -> str:
    """List the courses."""
    return render_template(
        "training/office_courses.html",
        courses=queries.list_courses(reading(), my_reach(_WRITE)),
        laws=bank_names(reading()).laws,
        units=_units(),
        may_be_all=my_reach(_WRITE).is_everything,
        shipped_left=count_left(reading(), year=clock.today().year),
    )


def _units() -> list[tuple[int, str]]:
    return [(unit.id, unit.name) for unit in list_units_within(reading(), my_reach(_WRITE))]


def _anybody() -> str:
    """Name the audience that no unit bounds: everybody, or a whole sector for who reaches sectors."""
    reach = my_reach(_WRITE)
    if reach.is_everything:
        return "名册全体人员"
    return "本系统全部单位（在下面选系统）" if reach.sector_paths else ""


def _sectors() -> list[tuple[int, str]]:
    return [(unit.id, unit.name) for unit in list_sector_units(reading())]


@admin_blueprint.route("/new", methods=["GET", "POST"])
@requires(_WRITE)
def create_course() -> str | Response | tuple[str, int]:
    """Fill in a new course."""
    return _edit(None)


@admin_blueprint.route("/<int:course_id>/edit", methods=["GET", "POST"])
@requires(_WRITE)
def edit_course(course_id: int) -> str | Response | tuple[str, int]:
    """Change a course's settings."""
    return _edit(queries.get_course(reading(), course_id, my_reach(_WRITE)))


def _edit(course: Course | None) -> str | Response | tuple[str, int]:
    form = CourseForm(obj=course, data=None if course else {"year": clock.today().year})
    form.offer(_units(), _sectors(), anybody=_anybody())
    if course and not form.is_submitted():
        form.ranks.data = "、".join(course.ranks)
    course_id, problem = course.id if course else None, ""
    if form.validate_on_submit():
        try:
            return redirect(url_for(".show_course", course_id=_save(course_id, form)))
        except (operations.CourseRefusedError, NotFoundError) as error:
            problem = error.text
    page = render_template("training/course_form.html", form=form, course_id=course_id, problem=problem)
    return (page, HTTPStatus.UNPROCESSABLE_ENTITY) if form.is_submitted() else page


def _save(course_id: int | None, form: CourseForm) -> int:
    settings, reach, who, now = form.settings(), my_reach(_WRITE), actor(), clock.now()
    with transaction() as session:
        if course_id is None:
            saved = operations.create_course(session, settings=settings, reach=reach, actor=who, now=now)
        else:
            saved = operations.update_course(
                session, course_id=course_id, settings=settings, reach=reach, actor=who, now=now
            )
        saved_id = saved.id
    flash("课程已保存。", "success")
    return saved_id


@admin_blueprint.get("/<int:course_id>")
@requires(_WRITE)
def show_course(course_id: int) -> str:
    """Show a course with its chapters, and how many have completed it."""
    session = reading()
    course = queries.get_course(session, course_id, my_reach(_WRITE))
    return render_template(
        "training/office_course.html",
        course=course,
        audience=queries.count_audience(session, course),
        completed=queries.count_completed(session, course),
        unit_name=dict(_units()).get(course.unit_id or 0, ""),
        page_counts={chapter.id: len(split_pages(chapter.body)) for chapter in course.chapters},
        changed=changed_articles(session, [chapter.id for chapter in course.chapters], on=clock.today()),
        files=files_of(session, [chapter.id for chapter in course.chapters]),
        editions=list_editions(session, course.id),
        named=named_people(session, course.id),
        sector_name=dict(_sectors()).get(course.sector_unit_id or 0, ""),
    )


@admin_blueprint.route("/<int:course_id>/chapters/new", methods=["GET", "POST"])
@requires(_WRITE)
def add_chapter(course_id: int) -> str | Response | tuple[str, int]:
    """Write a new chapter."""
    return _edit_chapter(queries.get_course(reading(), course_id, my_reach(_WRITE)), None)


@admin_blueprint.route("/<int:course_id>/chapters/<int:chapter_id>", methods=["GET", "POST"])
@requires(_WRITE)
def edit_chapter(course_id: int, chapter_id: int) -> str | Response | tuple[str, int]:
    """Change a chapter."""
    course = queries.get_course(reading(), course_id, my_reach(_WRITE))
    chapter = next((each for each in course.chapters if each.id == chapter_id), None)
    if chapter is None:
        raise NotFoundError
    return _edit_chapter(course, chapter)


def _edit_chapter(course: Course, chapter: Chapter | None) -> str | Response | tuple[str, int]:
    form = ChapterForm(obj=chapter, data=None if chapter else {"position": len(course.chapters) + 1})
    if chapter and chapter.source and not form.is_submitted():
        form.body.data = chapter.source
    names = bank_names(reading())
    form.offer(laws=names.laws, topics=names.topics)
    course_id, title, chapter_id, problem = course.id, course.title, chapter.id if chapter else None, ""
    if form.validate_on_submit():
        try:
            with transaction() as session:
                operations.save_chapter(
                    session,
                    course_id=course_id,
                    chapter_id=chapter_id,
                    settings=form.settings(),
                    reach=my_reach(_WRITE),
                    actor=actor(),
                    now=clock.now(),
                )
        except (operations.CourseRefusedError, ConflictError) as error:
            problem = error.text
        else:
            flash("章节已保存。", "success")
            return redirect(url_for(".show_course", course_id=course_id))
    page = render_template(
        "training/chapter_form.html",
        form=form,
        course_id=course_id,
        course_title=title,
        chapter_id=chapter_id,
        problem=problem,
        files=files_of(reading(), [chapter_id]).get(chapter_id, []) if chapter_id else [],
        may_send=words_of(FILE_KINDS),
    )
    return (page, HTTPStatus.UNPROCESSABLE_ENTITY) if form.is_submitted() else page


@admin_blueprint.post("/<int:course_id>/chapters/<int:chapter_id>/confirm")
@requires(_WRITE)
def confirm_articles(course_id: int, chapter_id: int) -> Response:
    """Say that a chapter is right under the law as it is now."""
    with transaction() as session:
        contents.confirm_articles(
            session,
            course_id=course_id,
            chapter_id=chapter_id,
            reach=my_reach(_WRITE),
            actor=actor(),
            now=clock.now(),
        )
    flash("已确认本章内容适用现行法条。", "success")
    return redirect(url_for(".show_course", course_id=course_id))


@admin_blueprint.post("/<int:course_id>/people")
@requires(_WRITE)
def name_people(course_id: int) -> Response:
    """Name the people of a course by staff number."""
    numbers = request.form.get("staff_numbers", "")[:200_000].replace(",", " ").replace("、", " ").split()
    with transaction() as session:
        missing = contents.name_people(
            session,
            course_id=course_id,
            staff_numbers=numbers,
            reach=my_reach(_WRITE),
            actor=actor(),
            now=clock.now(),
        )
    if missing:
        flash(
            f"名单已保存。{len(missing)} 个工号没有找到：{'、'.join(missing[:10])}。请核对后重新保存名单。", "warning"
        )
    else:
        flash("名单已保存。", "success")
    return redirect(url_for(".show_course", course_id=course_id))


@admin_blueprint.post("/<int:course_id>/chapters/<int:chapter_id>/delete")
@requires(_WRITE)
def delete_chapter(course_id: int, chapter_id: int) -> Response:
    """Delete a chapter that nobody has opened."""
    with transaction() as session:
        operations.delete_chapter(
            session,
            course_id=course_id,
            chapter_id=chapter_id,
            reach=my_reach(_WRITE),
            actor=actor(),
            now=clock.now(),
        )
    flash("章节已删除。", "success")
    return redirect(url_for(".show_course", course_id=course_id))


@admin_blueprint.post("/<int:course_id>/publish")
@requires(_WRITE)
def publish_course(course_id: int) -> Response:
    """Publish a course."""
    try:
        with transaction() as session:
            operations.publish_course(
                session, course_id=course_id, reach=my_reach(_WRITE), actor=actor(), now=clock.now()
            )
        flash("课程已发布，学习范围内的人员现在可以学习。", "success")
    except operations.CourseRefusedError as error:
        flash(error.text, "danger")
    return redirect(url_for(".show_course", course_id=course_id))


@admin_blueprint.post("/<int:course_id>/withdraw")
@requires(_WRITE)
def withdraw_course(course_id: int) -> Response:
    """Take a course from the learners' pages."""
    with transaction() as session:
        operations.withdraw_course(session, course_id=course_id, reach=my_reach(_WRITE), actor=actor(), now=clock.now())
    flash("课程已下架，已学的进度和学分都保留。", "success")
    return redirect(url_for(".show_course", course_id=course_id))


@admin_blueprint.post("/<int:course_id>/copy")
@requires(_WRITE)
def copy_course(course_id: int) -> Response:
    """Copy a course for the next year, and open the copy."""
    with transaction() as session:
        copy = operations.copy_course(
            session, course_id=course_id, reach=my_reach(_WRITE), actor=actor(), now=clock.now()
        )
        copy_id = copy.id
    flash("已复制为下一年度的草稿，请核对后发布。", "success")
    return redirect(url_for(".show_course", course_id=copy_id))


@admin_blueprint.post("/from-law")
@requires(_WRITE)
def make_law_course() -> Response:
    """Make a draft course of a law, and open it."""
    unit_id = request.form.get("unit_id", type=sent_number)
    try:
        with transaction() as session:
            made = operations.make_law_course(
                session,
                law=request.form.get("law", "")[:200],
                unit_id=unit_id,
                reach=my_reach(_WRITE),
                actor=actor(),
                now=clock.now(),
            )
            made_id = made.id
    except NotFoundError:
        raise
    except DomainError as error:
        flash(error.text, "danger")
        return redirect(url_for(".list_courses"))
    flash("课程草稿已生成，请核对内容、学分和期限后发布。", "success")
    return redirect(url_for(".show_course", course_id=made_id))
