"""The home page of everybody, and the menu of every page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, g, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from examapp import clock
from examapp.content.question_assignments.models import AssignmentState
from examapp.content.question_assignments.queries import count_assignments
from examapp.content.question_review.queries import count_queue
from examapp.content.questions.admin_views import may_review_alone
from examapp.content.questions.models import QuestionImport
from examapp.db.session import read_session
from examapp.delivery.attempts.queries import LiveAttempt
from examapp.delivery.attempts.views import my_live_attempts
from examapp.delivery.exam_candidates.queries import CandidateExam, list_exams_of
from examapp.delivery.exams.models import EXAM_KIND_NAMES, ExamKind
from examapp.delivery.exams.rules import ExamPhase
from examapp.delivery.exemptions.queries import list_own_answers
from examapp.delivery.external_results.models import ResultImport
from examapp.delivery.external_results.queries import list_own_external_results
from examapp.delivery.grading.rules import BAND_NAMES
from examapp.delivery.question_replacements.queries import list_exams_with_barred_questions
from examapp.delivery.results.queries import OwnAttempt, list_own_attempts
from examapp.errors import NotFoundError
from examapp.jobs.models import progress_json
from examapp.jobs.registry import JobKind, list_kinds
from examapp.organisation.access.rules import ROLE_NAMES
from examapp.organisation.accounts.guards import (
    find_signed_in_person,
    may,
    may_everywhere,
    menu_entry,
    my_access,
    my_grants,
    my_user,
    public,
    signed_in,
)
from examapp.organisation.dual_control.queries import count_to_decide
from examapp.organisation.people.models import RosterImport
from examapp.organisation.roster_change_requests.models import RosterChangeListState
from examapp.organisation.roster_change_requests.queries import count_change_lists
from examapp.oversight.duty_lists.queries import DutyScope
from examapp.oversight.own_duties.queries import count_waiting
from examapp.oversight.reminders.queries import find_reminder
from examapp.oversight.report_exports.models import Export
from examapp.oversight.statistics_scope.rules import CurveChart, curve_chart
from examapp.platform.dashboard import queries
from examapp.platform.dashboard.queries import JobLine, find_job, list_jobs_of
from examapp.platform.dashboard.rules import (
    MenuGroup,
    entries_for,
    group_links,
    moment_label,
    time_left_label,
)
from examapp.platform.feedback.queries import count_feedback
from examapp.platform.feedback.views import reader
from examapp.platform.notices.queries import list_notices, list_unseen_answers
from examapp.platform.setup import queries as setup_queries
from examapp.platform.setup.rules import is_alive
from examapp.web.params import chosen_number

blueprint = Blueprint("admin", __name__)
_MAX_NOTICES = 5
_MAX_ATTEMPTS = 100
_JOB_PLACES = {
    RosterImport.KIND: ("名册导入", "people_admin.show_import", "import_id"),
    QuestionImport.KIND: ("试题导入", "questions_admin.show_import", "import_id"),
    ResultImport.KIND: ("其他平台成绩导入", "unit_management_admin.show_results", "import_id"),
    Export.KIND: ("报表导出", "reports_admin.show_export", "export_id"),
}


@blueprint.get("/")
@public
def home() -> str | Response:
    """Show what concerns who is signed in; lead anybody else to the sign-in, or to the first set-up of an empty platform."""
    user = find_signed_in_person()
    if user is None:
        return redirect(url_for("setup.first_set_up" if _is_to_be_set_up() else "people.sign_in"))
    if user.must_change_password:
        return redirect(url_for("people.change_password"))
    session, now, organiser = read_session(), clock.now(), _organiser()
    is_expected_to_start = user.is_candidate and not live_attempts()
    exam_now = queries.find_exam_now(session, user.person_id, now=now) if is_expected_to_start else None
    last_result = _last_result(user.person_id) if user.is_candidate else None
    return render_template(
        "admin/home.html",
        exam_now=exam_now,
        reminded_at=_reminded_at(exam_now),
        study_now=_study_now(user.person_id, exam_now, last_result) if is_expected_to_start else None,
        last_result=last_result,
        organiser=organiser,
        set_up=_set_up_steps(organiser),
        chart=_chart(organiser),
        waiting=_waiting(),
        jobs=_jobs(user.person_id),
        notices=list_notices(session, reader(), limit=_MAX_NOTICES),
        answers=list_unseen_answers(session, user.person_id),
        excused=list_own_answers(session, user.person_id, now=now) if user.is_candidate else [],
        machine=_machine(),
        roles=_role_names(),
        moment=moment_label,
        band_names=BAND_NAMES,
    )


def _jobs(person_id: int) -> list[tuple[JobLine, str, str | None]]:
    if not my_grants():
        return []
    found = list_jobs_of(read_session(), person_id, kinds=_JOB_PLACES, now=clock.now())
    return [_with_place(job) for job in found]


def _role_names() -> list[str]:
    return [ROLE_NAMES[role] for role in dict.fromkeys(grant.role for grant in my_grants())]


def _reminded_at(exam_now: queries.ExamNow | None) -> datetime | None:
    """Give when the person was reminded of the exam that concerns him or her now."""
    if exam_now is None:
        return None
    exam = exam_now.exam
    # Reminders of a make-up stand with its main exam.
    reminded_at = find_reminder(read_session(), person_id=my_user().person_id, exam_id=exam.main_exam_id or exam.id)
    is_of_main = reminded_at is not None and exam.main_exam_id is not None and reminded_at < exam.opens_at
    return None if is_of_main else reminded_at


def _study_now(
    person_id: int, exam_now: queries.ExamNow | None, last_result: OwnAttempt | None
) -> queries.StudyNow | None:
    """Give what to study now; not while an exam waits to be sat: that page says one thing, and everybody opens it at the same moment."""
    if exam_now is not None and exam_now.phase == ExamPhase.OPEN and exam_now.left != 0:
        grade = last_result.grade if last_result is not None and last_result.exam.id == exam_now.exam.id else None
        if grade is None or not grade.is_passed:
            return None
    return queries.find_study_now(read_session(), person_id, now=clock.now())


def _is_to_be_set_up() -> bool:
    return bool(current_app.config["SETTINGS"].setup_code) and not setup_queries.has_accounts(read_session())


def _organiser() -> queries.OrganiserHome | None:
    if not may("reports:participation:read"):
        return None
    access = my_access("reports:participation:read")
    return queries.find_organiser_home(read_session(), access, exam_id=chosen_number("exam"), now=clock.now())


def _set_up_steps(organiser: queries.OrganiserHome | None) -> list[tuple[str, str, bool, str | None]]:
    """Give what an office has to do before its first exam, until that is published: words, how far it is, whether done, where to."""
    if organiser is not None or not may_everywhere("exams:exam:write"):
        return []
    counts = queries.count_set_up(read_session(), now=clock.now())
    if counts.exams:
        return []
    people = href_of("people_admin.list_people") if may("people:role:grant") else None
    help_line = current_app.extensions["site_texts"].help_line
    return [
        (
            "核对平台名称和落款，填写咨询电话",
            f"电话：{help_line or '未填'}",
            bool(help_line),
            href_of("setup.change_site_texts"),
        ),
        ("登记单位", f"已有 {counts.units} 个", counts.units > 0, href_of("org_admin.import_units")),
        ("导入人员名册", f"在册 {counts.people} 人", counts.people > 0, href_of("people_admin.list_imports")),
        (
            "请安全管理员授予第二名普法办角色（题目须由另一人审核）",
            f"现有 {counts.offices} 人",
            counts.offices > 1,
            people,
        ),
        ("请安全管理员授予各单位管理员角色", f"现有 {counts.unit_admins} 人", counts.unit_admins > 0, people),
        ("导入法律法规", f"已有 {counts.laws} 部", counts.laws > 0, href_of("laws_admin.list_laws")),
        (
            "导入题目并审核启用",
            f"已启用 {counts.questions} 题",
            counts.questions > 0,
            href_of("questions_admin.list_imports"),
        ),
        (
            "制定组卷规则",
            f"已有 {counts.blueprints} 份",
            counts.blueprints > 0,
            href_of("papers_admin.list_blueprints"),
        ),
        ("新增考试并发布", "", False, href_of("exams_admin.create_exam")),
    ]


def _chart(organiser: queries.OrganiserHome | None) -> CurveChart | None:
    if organiser is None or not organiser.figures.curve or not organiser.figures.counts.participated:
        return None
    exam, counts = organiser.figures.report_context.exam, organiser.figures.counts
    return curve_chart(organiser.figures.curve, deadline_on=clock.day_of(exam.closes_at), eligible=counts.eligible)


def _last_result(person_id: int) -> OwnAttempt | None:
    """Give the last attempt that was handed in."""
    own_attempts = list_own_attempts(read_session(), person_id, now=clock.now(), limit=3)
    return next((own_attempt for own_attempt in own_attempts if own_attempt.attempt.submitted_at is not None), None)


@blueprint.get("/exams")
@menu_entry("我的考试", position=10, group="考试")
@signed_in
def my_exams() -> str:
    """List one's own exams, each with one's attempts and results as far as they are shown now."""
    session, now = read_session(), clock.now()
    own_attempts = list_own_attempts(session, my_user().person_id, now=now, limit=_MAX_ATTEMPTS)
    found = sorted(list_exams_of(session, my_user().person_id, now), key=lambda candidate: _place(candidate, now))
    exams = [(candidate.exam, candidate) for candidate in found]
    known = {exam.id for exam, _ in exams}
    former = {own_attempt.exam.id: own_attempt.exam for own_attempt in own_attempts if own_attempt.exam.id not in known}
    return render_template(
        "admin/my_exams.html",
        exams=[*exams, *((exam, None) for exam in former.values())],
        outside=list_own_external_results(session, my_user().person_id, now=now),
        own_attempts=own_attempts,
        kind_names=EXAM_KIND_NAMES,
        band_names=BAND_NAMES,
        moment=moment_label,
    )


def _place(candidate: CandidateExam, now: datetime) -> tuple[bool, bool]:
    """Order own exams: closed ones last, mock exams after those that count."""
    return candidate.phase(now) is ExamPhase.CLOSED, candidate.exam.kind == ExamKind.MOCK


def _waiting() -> list[tuple[str, int, str | None]]:
    """Give what waits for this person: words, how many, and where to."""
    session, found = read_session(), []
    if may("exams:exemption:approve"):
        count = queries.count_exemptions_waiting(session, my_access("exams:exemption:approve"))
        found.append(("免考、缓考申请待审批", count, href_of("exams_admin.show_exemptions", status="pending")))
    elif may("exams:exemption:request"):
        count = queries.count_exemptions_waiting(session, my_access("exams:exemption:request"))
        found.append(("免考、缓考申请等普法办审批", count, href_of("exams_admin.show_exemptions", status="pending")))
    found += _changes_waiting()
    if may("people:approval:read"):
        count = count_to_decide(session, my_grants(), person_id=my_user().person_id, now=clock.now())
        found.append(("待我审批", count, url_for("approvals_admin.list_requests")))
    if may("messages:feedback:answer"):
        count = count_feedback(session, my_access("messages:feedback:answer"), is_waiting_only=True)
        found.append(("意见建议待答复", count, url_for("messages_admin.list_feedback", state="waiting")))
    if may("questions:question:review"):
        count = count_queue(session, person_id=my_user().person_id, may_own=may_review_alone())
        found.append(("试题等我审核", count, href_of("questions_admin.review_queue")))
    found += _assignments_waiting()
    if may_everywhere("exams:exam:write"):
        for exam_id, begun, is_short in list_exams_with_barred_questions(session, now=clock.now()):
            text = "考试用了停用的题，题库不够没有换" if is_short else "已开始的试卷里有停用的题"
            found.append((text, begun or 1, href_of("exams_admin.show_exam", exam_id=exam_id)))
    return [(text, count, href) for text, count, href in [*found, *_duties_waiting()] if count]


def _assignments_waiting() -> list[tuple[str, int, str | None]]:
    """Give the questions that wait to be written by the unit, or to be accepted by the office."""
    session, found = read_session(), []
    if may("assignments:assignment:answer"):
        access = my_access("assignments:assignment:answer")
        for state, text in (
            (AssignmentState.OPEN, "出题任务待完成"),
            (AssignmentState.RETURNED, "出题任务被退回，请修改"),
        ):
            count = count_assignments(session, access, [state])
            found.append((text, count, href_of("question_assignments_admin.list_assignments", state=state)))
    if may("assignments:assignment:write"):
        count = count_assignments(session, my_access("assignments:assignment:write"), [AssignmentState.SUBMITTED])
        address = href_of("question_assignments_admin.list_assignments", state=AssignmentState.SUBMITTED)
        found.append(("单位出的题待采用", count, address))
    return found


def _changes_waiting() -> list[tuple[str, int, str | None]]:
    """Give the lists of changes that wait: for the office to decide, for the unit to mend and to be decided."""
    if not may("people:change:propose"):
        return []
    session, is_decider = read_session(), may("people:change:approve")
    access = my_access("people:change:approve" if is_decider else "people:change:propose")
    submitted = count_change_lists(session, access, RosterChangeListState.SUBMITTED)
    text = "人员变动名单待审批" if is_decider else "人员变动名单等普法办审批"
    found = [(text, submitted, href_of("unit_management_admin.list_changes", state="submitted"))]
    if not is_decider:
        returned = count_change_lists(session, access, RosterChangeListState.RETURNED)
        found.append(
            ("人员变动名单被退回，请修改", returned, href_of("unit_management_admin.list_changes", state="returned"))
        )
    return found


def _duties_waiting() -> list[tuple[str, int, str | None]]:
    """Give what waits for this person in the responsibility system."""
    duty_scope = None
    if may("duties:list:write"):
        access = my_access("duties:list:approve") if may("duties:list:approve") else None
        duty_scope = DutyScope(write=my_access("duties:list:write"), approve=access)
    waiting = count_waiting(read_session(), my_user().person_id, duty_scope, today=clock.today())
    assessments = href_of("duties_admin.show_assessment")
    return [
        ("我负责的普法事项即将到期或逾期", waiting.own_items, href_of("duties.my_duties")),
        ("普法责任制评分表待我评审", waiting.reviews, href_of("duties.list_reviews")),
        ("普法责任清单待审核", waiting.lists, href_of("duties_admin.overview")),
        ("普法责任制考核待自评", waiting.sheets, assessments),
        ("考核申诉待复核", waiting.appeals, assessments),
        ("普法工作社会评议，请参与", int(waiting.is_vote_open), href_of("duties.vote")),
    ]


def _machine() -> dict[str, Any] | None:
    """Give the machine's state for who looks after it."""
    if not may("admin:setting:write"):
        return None
    session = read_session()
    beat = setup_queries.heartbeats(session).get(setup_queries.SWEEPER)
    jobs = setup_queries.count_jobs(session)
    return {
        "beat": beat,
        "is_sweeper_alive": is_alive(beat, now=clock.now()),
        "waiting": sum(counts.waiting for counts in jobs),
        "running": sum(counts.running for counts in jobs),
        "failed": sum(counts.failed for counts in jobs),
    }


@blueprint.get("/jobs/<int:job_id>")
@signed_in
def show_job(job_id: int) -> Response:
    """Give the progress of a background job as JSON, to its owner and to who may see the others of its kind."""
    kinds = [kind.name for kind in list_kinds() if _may_follow(kind)]
    job = find_job(read_session(), job_id, person_id=my_user().person_id, kinds=kinds)
    if job is None:
        raise NotFoundError
    return jsonify(progress_json(job))


def _may_follow(kind: JobKind) -> bool:
    if kind.viewer is None:
        return False
    return may_everywhere(kind.viewer) if kind.is_wide else may(kind.viewer)


def _with_place(job: JobLine) -> tuple[JobLine, str, str | None]:
    text, endpoint, argument = _JOB_PLACES[job.kind]
    return job, text, href_of(endpoint, **{argument: job.id})


def href_of(endpoint: str, **values: Any) -> str | None:
    """Give the address of a page, None where this installation has no such page."""
    return url_for(endpoint, **values) if endpoint in current_app.view_functions else None


def menu() -> list[MenuGroup]:
    """Give the menu for who is signed in; empty while the first password stands."""
    if my_user().must_change_password:
        return []
    permitted = [
        entry
        for entry in current_app.extensions["menu"]
        if not entry.is_everywhere or any(map(may_everywhere, entry.permissions))
    ]
    path = g.get("menu_path", request.path)  # set by a view whose page belongs to another entry than its address says
    entries = entries_for(permitted, is_candidate=my_user().is_candidate, may=may)
    return group_links([(entry, url_for(entry.endpoint)) for entry in entries], path=path)


def live_attempts() -> list[LiveAttempt]:
    """List the own attempts in progress of who is signed in, for the bar of every page."""
    return [live for live in my_live_attempts() if live.is_own]


def _time_left(until: datetime) -> str:
    return time_left_label(until, now=clock.now())


@blueprint.app_context_processor
def _give_menu() -> dict[str, object]:
    return {"menu": menu, "href_of": href_of, "live_attempts": live_attempts, "time_left": _time_left}
