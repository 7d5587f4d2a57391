"""The office's pages of courses: list, settings, chapters, publication."""

from __future__ import annotations

import re
from http import HTTPStatus

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.content.blueprints.queries import bank_names
from examapp.content.explained_cases.queries import find_published, list_published
from examapp.db.session import read_session
from examapp.delivery.exams.queries import list_sector_units, list_units_within
from examapp.errors import NotFoundError
from examapp.learning.course_contents import actions as course_content_actions
from examapp.learning.course_contents.admin_views import FILE_KINDS, admin_blueprint
from examapp.learning.course_contents.queries import changed_articles, files_of, list_editions, named_people
from examapp.learning.course_editing import actions
from examapp.learning.course_editing.actions import load_courses
from examapp.learning.course_editing.forms import ChapterForm, CourseForm
from examapp.learning.courses import queries as course_queries
from examapp.learning.courses.models import Chapter, Course
from examapp.learning.courses.queries import count_left
from examapp.learning.practice.rules import split_pages
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import menu_entry, my_access, requires
from examapp.uploads.rules import text_of
from examapp.web.params import chosen_number, sent_number
from examapp.web.submit import request_transaction, submit
from question_bank.coursetext import read_courses

PERMISSIONS = {
    "training:course:write": {Role.PUBLICITY_OFFICE},
}


_WRITE = "training:course:write"


@admin_blueprint.get("/")
@menu_entry("课程管理", position=120, group="学习")
@requires(_WRITE)
def list_courses() -> str:
    """List the courses."""
    return render_template(
        "training/office_courses.html",
        courses=course_queries.list_courses(read_session(), my_access(_WRITE)),
        laws=bank_names(read_session()).laws,
        units=_units(),
        may_be_all=my_access(_WRITE).is_everything,
        shipped_left=count_left(read_session(), year=clock.today().year),
    )


def _units() -> list[tuple[int, str]]:
    return [(unit.id, unit.name) for unit in list_units_within(read_session(), my_access(_WRITE))]


def _anybody() -> str:
    """Name the audience that no unit bounds: everybody, or a whole sector for who reaches sectors."""
    access = my_access(_WRITE)
    if access.is_everything:
        return "名册全体人员"
    return "本系统全部单位（在下面选系统）" if access.sector_paths else ""


def _sectors() -> list[tuple[int, str]]:
    return [(unit.id, unit.name) for unit in list_sector_units(read_session())]


@admin_blueprint.route("/new", methods=["GET", "POST"])
@requires(_WRITE)
def create_course() -> str | Response | tuple[str, int]:
    """Fill in a new course."""
    return _edit(None)


@admin_blueprint.route("/<int:course_id>/edit", methods=["GET", "POST"])
@requires(_WRITE)
def edit_course(course_id: int) -> str | Response | tuple[str, int]:
    """Change a course's settings."""
    return _edit(course_queries.get_course(read_session(), course_id, my_access(_WRITE)))


def _edit(course: Course | None) -> str | Response | tuple[str, int]:
    form = CourseForm(obj=course, data=None if course else {"year": clock.today().year})
    form.offer(_units(), _sectors(), anybody=_anybody())
    if course and not form.is_submitted():
        form.ranks.data = "、".join(course.ranks)
    course_id, problem = course.id if course else None, ""
    if form.validate_on_submit():
        try:
            return redirect(url_for(".show_course", course_id=_save(course_id, form)))
        except (actions.InvalidCourseError, NotFoundError) as error:
            problem = error.text
    page = render_template("training/course_form.html", form=form, course_id=course_id, problem=problem)
    return (page, HTTPStatus.UNPROCESSABLE_ENTITY) if form.is_submitted() else page


def _save(course_id: int | None, form: CourseForm) -> int:
    settings, access = form.settings(), my_access(_WRITE)
    with request_transaction("课程已保存。") as context:
        if course_id is None:
            return actions.create_course(context, settings=settings, access=access).id
        return actions.update_course(context, course_id=course_id, settings=settings, access=access).id


@admin_blueprint.get("/<int:course_id>")
@requires(_WRITE)
def show_course(course_id: int) -> str:
    """Show a course with its chapters, and how many have completed it."""
    session = read_session()
    course = course_queries.get_course(session, course_id, my_access(_WRITE))
    return render_template(
        "training/office_course.html",
        course=course,
        audience=course_queries.count_audience(session, course),
        completed=course_queries.count_completed(session, course),
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
    return _edit_chapter(course_queries.get_course(read_session(), course_id, my_access(_WRITE)), None)


@admin_blueprint.route("/<int:course_id>/chapters/<int:chapter_id>", methods=["GET", "POST"])
@requires(_WRITE)
def edit_chapter(course_id: int, chapter_id: int) -> str | Response | tuple[str, int]:
    """Change a chapter."""
    course = course_queries.get_course(read_session(), course_id, my_access(_WRITE))
    chapter = next((each for each in course.chapters if each.id == chapter_id), None)
    if chapter is None:
        raise NotFoundError
    return _edit_chapter(course, chapter)


def _begun(course: Course) -> dict[str, object]:
    """Give what a new chapter begins with: the next position, and the case of the library that the address names."""
    begun: dict[str, object] = {"position": len(course.chapters) + 1}
    case = find_published(read_session(), chosen_number("case"))
    if case is None:
        return begun
    body = f"# 案情\n\n{case.facts}\n\n# 处理结果和理由\n\n{case.holding}\n\n# 启示\n\n{case.lesson}"
    return begun | {"title": f"以案释法：{case.title}"[:100], "body": body}


def _edit_chapter(course: Course, chapter: Chapter | None) -> str | Response | tuple[str, int]:
    form = ChapterForm(obj=chapter, data=None if chapter else _begun(course))
    if chapter and chapter.source and not form.is_submitted():
        form.body.data = chapter.source
    names = bank_names(read_session())
    form.offer(laws=names.laws, topics=names.topics)
    course_id, title, chapter_id = course.id, course.title, chapter.id if chapter else None
    if form.validate_on_submit():
        with submit("章节已保存。", form=form) as context:
            actions.save_chapter(
                context,
                course_id=course_id,
                chapter_id=chapter_id,
                settings=form.settings(),
                access=my_access(_WRITE),
            )
        if not form.is_rejected:
            return redirect(url_for(".show_course", course_id=course_id))
    page = render_template(
        "training/chapter_form.html",
        form=form,
        course_id=course_id,
        course_title=title,
        chapter_id=chapter_id,
        files=files_of(read_session(), [chapter_id]).get(chapter_id, []) if chapter_id else [],
        may_send=text_of(FILE_KINDS),
        cases=[] if chapter_id else list_published(read_session()),
    )
    return (page, HTTPStatus.UNPROCESSABLE_ENTITY) if form.is_submitted() else page


@admin_blueprint.post("/<int:course_id>/chapters/<int:chapter_id>/confirm")
@requires(_WRITE)
def confirm_articles(course_id: int, chapter_id: int) -> Response:
    """Say that a chapter is right under the law as it is now."""
    with request_transaction("已确认本章内容适用现行法条。") as context:
        course_content_actions.confirm_articles(
            context, course_id=course_id, chapter_id=chapter_id, access=my_access(_WRITE)
        )
    return redirect(url_for(".show_course", course_id=course_id))


@admin_blueprint.post("/<int:course_id>/people")
@requires(_WRITE)
def name_people(course_id: int) -> Response:
    """Name the people of a course, a line or more each."""
    lines = re.split(r"[\n,，、;；]", request.form.get("staff_numbers", "")[:200_000])
    with request_transaction() as context:
        unclear = course_content_actions.name_people(
            context,
            course_id=course_id,
            entries=[line.strip() for line in lines if line.strip()],
            access=my_access(_WRITE),
        )
    if unclear:
        flash(f"名单已保存，下面这些没有列入，请核对后重新保存名单。{''.join(unclear[:10])}", "warning")
    else:
        flash("名单已保存。", "success")
    return redirect(url_for(".show_course", course_id=course_id))


@admin_blueprint.post("/<int:course_id>/chapters/<int:chapter_id>/delete")
@requires(_WRITE)
def delete_chapter(course_id: int, chapter_id: int) -> Response:
    """Delete a chapter that nobody has opened."""
    with request_transaction("章节已删除。") as context:
        actions.delete_chapter(context, course_id=course_id, chapter_id=chapter_id, access=my_access(_WRITE))
    return redirect(url_for(".show_course", course_id=course_id))


@admin_blueprint.post("/<int:course_id>/publish")
@requires(_WRITE)
def publish_course(course_id: int) -> Response:
    """Publish a course."""
    with submit("课程已发布，学习范围内的人员现在可以学习。") as context:
        actions.publish_course(context, course_id=course_id, access=my_access(_WRITE))
    return redirect(url_for(".show_course", course_id=course_id))


@admin_blueprint.post("/<int:course_id>/withdraw")
@requires(_WRITE)
def withdraw_course(course_id: int) -> Response:
    """Take a course from the learners' pages."""
    with request_transaction("课程已下架，已学的进度和学分都保留。") as context:
        actions.withdraw_course(context, course_id=course_id, access=my_access(_WRITE))
    return redirect(url_for(".show_course", course_id=course_id))


@admin_blueprint.post("/<int:course_id>/copy")
@requires(_WRITE)
def copy_course(course_id: int) -> Response:
    """Copy a course for the next year, and open the copy."""
    with request_transaction("已复制为下一年度的草稿，请核对后发布。") as context:
        copy = actions.copy_course(context, course_id=course_id, access=my_access(_WRITE))
        copy_id = copy.id
    return redirect(url_for(".show_course", course_id=copy_id))


@admin_blueprint.post("/from-law")
@requires(_WRITE)
def make_law_course() -> Response:
    """Make a draft course of a law, and open it."""
    unit_id = request.form.get("unit_id", type=sent_number)
    with submit("课程草稿已生成，请核对内容、学分和期限后发布。", back=url_for(".list_courses")) as context:
        made = actions.make_law_course(
            context, law=request.form.get("law", "")[:200], unit_id=unit_id, access=my_access(_WRITE)
        )
        made_id = made.id
    return redirect(url_for(".show_course", course_id=made_id))


@admin_blueprint.post("/shipped")
@requires(_WRITE)
def take_shipped_courses() -> Response:
    """Take the shipped courses in as drafts of this year; those that are there stay as they are. They are for everybody: so is the access scope."""
    if not my_access(_WRITE).is_everything:
        raise NotFoundError
    with request_transaction() as context:
        loaded = load_courses(context, read_courses(), year=clock.today().year, is_required=True, publishes=False)
    if taken := sum(course.is_new for course in loaded):
        flash(f"已装入 {taken} 门随附课程，都是草稿。请逐门核对学分、期限和学习范围后发布。", "success")
    else:
        flash("随附课程今年都已装入，没有改动。", "info")
    return redirect(url_for(".list_courses"))
