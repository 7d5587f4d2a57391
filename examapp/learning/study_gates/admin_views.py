"""Who still has to study before an exam, for unit admins; which courses an exam asks for, for the office."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.db.session import read_session
from examapp.delivery.exams.queries import get_organiser_exam, list_units_within
from examapp.errors import NotFoundError
from examapp.learning.course_contents.admin_views import admin_blueprint
from examapp.learning.courses.queries import list_courses
from examapp.learning.study_gates.actions import ask_for_courses
from examapp.learning.study_gates.queries import count_cleared, course_titles, gated_exams, list_missing_study
from examapp.organisation.access.queries import get_unit_within
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.accounts.guards import may, my_access, requires
from examapp.web.params import chosen_number, sent_number
from examapp.web.submit import submit

_READ = "reports:participation:read"
_MAX = 500


@admin_blueprint.get("/gates")
@requires(_READ)
def show_gates() -> str:
    """Show for an exam with a study gate who lacks what, within one's access scope, or in one unit of it."""
    session, access = read_session(), my_access(_READ)
    units, unit_id = list_units_within(session, access), chosen_number("unit")
    if unit_id is not None:
        access = AccessScope(is_everything=False, region_paths=(get_unit_within(session, unit_id, access).region_path,))
    exams = gated_exams(session, now=clock.now())
    wanted = chosen_number("exam")
    exam = next((each for each in exams if each.id == wanted), exams[0] if exams else None)
    if wanted is not None and (exam is None or exam.id != wanted):
        raise NotFoundError
    total, cleared = count_cleared(session, exam, access) if exam else (0, 0)
    return render_template(
        "training/gates.html",
        exams=exams,
        exam=exam,
        units=units,
        unit_id=unit_id,
        total=total,
        cleared=cleared,
        asked=course_titles(session, exam) if exam else {},
        missing=list_missing_study(session, exam, access, limit=_MAX) if exam else [],
        limit=_MAX,
        may_ask=may("exams:exam:write"),
    )


@admin_blueprint.route("/gates/<int:exam_id>/courses", methods=["GET", "POST"])
@requires("exams:exam:write")
def choose_courses(exam_id: int) -> str | Response:
    """Choose the courses that an exam asks for, besides its credits."""
    if request.method == "GET":
        return _courses_page(exam_id)
    with submit("考前要学的课程已保存。", back=url_for(".choose_courses", exam_id=exam_id)) as context:
        ask_for_courses(
            context,
            exam_id=exam_id,
            course_ids=request.form.getlist("course", type=sent_number),
            access=my_access("exams:exam:write"),
        )
    return redirect(url_for("exams_admin.show_exam", exam_id=exam_id))


def _courses_page(exam_id: int) -> str:
    exam = get_organiser_exam(read_session(), exam_id, my_access("exams:exam:write"))
    rows = [
        row
        for row in list_courses(read_session(), my_access("training:course:write"))
        if row.course.state == "published" and row.course.year == clock.local(exam.opens_at).year
    ]
    return render_template(
        "training/gate_courses.html", exam=exam, rows=rows, chosen=set(exam.study_gate.get("courses") or [])
    )
