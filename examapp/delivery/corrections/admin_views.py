"""Corrections of grades: ask for one after its dry run, check it, approve it, and see whom it has moved."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, send_file, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response
from wtforms.fields.choices import SelectChoice

from examapp.content.question_editing.forms import key_data, key_fields
from examapp.content.question_review.actions import corrected_part
from examapp.content.question_search.queries import read_question
from examapp.content.questions.models import QuestionVersion
from examapp.content.questions.queries import current_key, get_question, get_version, list_keys, names_of
from examapp.content.questions.rules import items_of
from examapp.db.session import read_session
from examapp.delivery.corrections import actions, queries
from examapp.delivery.corrections.forms import (
    AnnulmentForm,
    GradeCorrectionForm,
    ItemCorrectionForm,
    RulesCorrectionForm,
)
from examapp.delivery.corrections.rules import (
    CorrectionKind,
    CorrectionState,
    GradeChange,
    Outcome,
    fingerprint,
    summarise,
)
from examapp.delivery.exams.models import SCORING_RULE_NAMES
from examapp.delivery.exams.queries import get_exam
from examapp.delivery.grading.models import Correction
from examapp.delivery.grading.rules import BAND_NAMES, TREATMENT_NAMES, Treatment
from examapp.errors import BadRequestError, ConflictError, DomainError, NotFoundError
from examapp.organisation.access.rules import Role
from examapp.organisation.accounts.guards import may, my_access, my_user, requires, shows_keys
from examapp.organisation.passwords.audit_trail import keep_rejection
from examapp.platform.audit.actions import ActionContext
from examapp.points import as_text
from examapp.web.params import chosen_number
from examapp.web.submit import request_transaction, status_of, submit
from question_bank.kinds.base import ScoringRule
from question_bank.kinds.registry import kind_of

PERMISSIONS = {
    # Ask for a correction of grades, and check one that touches published results; an office of a subtree for exams of its own units.
    "grading:correction:request": {Role.PUBLICITY_OFFICE},
    # See corrections, and decide as the last person.
    "grading:correction:approve": {Role.PUBLICITY_OFFICE, Role.SECURITY_ADMIN},
}
admin_blueprint = Blueprint("corrections_admin", __name__, url_prefix="/admin/corrections")
_ASK, _APPROVE = "grading:correction:request", "grading:correction:approve"
_MAX_LISTED = 200
STATE_NAMES = {
    CorrectionState.ASKED: "等待审批",
    CorrectionState.CHECKED: "已审核，等待批准",
    CorrectionState.APPLIED: "已执行",
    CorrectionState.REJECTED: "已退回",
}
RULE_NAMES = {"pass_percent": "合格线", "good_percent": "良好线", "excellent_percent": "优秀线"}


@admin_blueprint.get("/")
@requires(_APPROVE)
@shows_keys
def list_corrections() -> str:
    """List the corrections, the newest first."""
    session = read_session()
    rows = queries.list_corrections(session, my_access(_APPROVE))
    return render_template(
        "grading/corrections.html",
        rows=rows,
        titles=queries.titles_of(session, {exam_id for row in rows for exam_id in row.exam_ids}),
        names=names_of(session, [row.asked_by_id for row in rows]),
        describe=lambda row: describe_change(session, row),
        waits_for_me=lambda row: find_next_step(row) != "",
        state_names=STATE_NAMES,
    )


def find_next_step(correction: Correction) -> str:
    """Give what who is signed in may do about a correction now: `check`, `approve` or nothing."""
    if my_user().person_id in {correction.asked_by_id, correction.checked_by_id}:
        return ""
    if correction.state == CorrectionState.ASKED and correction.is_published:
        return "check" if may(_ASK) else ""
    return "approve" if correction.state in {CorrectionState.ASKED, CorrectionState.CHECKED} else ""


def describe_change(session: Session, correction: Correction) -> str:
    """Say in Chinese what a correction changes."""
    change = GradeChange.from_json(correction.change)
    if change.kind is CorrectionKind.ITEM:
        version, code = queries.question_of(session, change)
        part = f"第 {change.part + 1} 小题" if len(version.content["parts"]) > 1 else ""
        return f"题目 {code}{part}：{TREATMENT_NAMES[change.treatment]}"
    if change.kind is CorrectionKind.ANNULMENT:
        person = queries.people_of(session, [change.attempt_id])[change.attempt_id]
        return f"{person.name}第 {person.number} 次作答：{'无效' if change.is_annulled else '恢复有效'}"
    labels = [f"{RULE_NAMES[name]} {value}%" for name, value in change.rules.items() if name in RULE_NAMES]
    return f"评分规则：{'，'.join((SCORING_RULE_NAMES[ScoringRule(change.rules['scoring_rule'])], *labels))}"


@admin_blueprint.route("/questions/<int:question_id>", methods=["GET", "POST"])
@requires(_ASK)
@shows_keys
def correct_item(question_id: int) -> Response | tuple[str, int]:
    """Change how a question counts in exams: a new key, both keys, points for all, not counted."""
    session = read_session()
    row = get_question(session, question_id)
    version = get_version(session, row, chosen_number("version"))
    part = (chosen_number("part") or 1) - 1
    if not 0 <= part < len(version.content["parts"]):
        raise NotFoundError
    shown = read_question(session, row, version, is_editable=True)
    affected = queries.list_exams_with(session, version.id, part, my_access(_ASK))
    exams = [exam for exam in affected if exam.is_held and not exam.is_anonymised]
    form = ItemCorrectionForm(
        data={
            "key": key_data((shown.parts or (shown,))[part]),
            "exam_ids": [exam.id for exam in exams if exam.was_law_in_force],
        }
    )
    form.exam_ids.choices = [SelectChoice(exam.id, exam.title) for exam in exams]
    if not exams:
        form.treatment.choices = form.treatment.choices[:1]
    return _form_page(
        form,
        "grading/correction_item.html",
        change=lambda: _item_change(session, version, part, form),
        exam_ids=lambda: _chosen(form, [exam.id for exam in exams]),
        others=[exam.title for exam in affected if exam not in exams],
        question=row,
        version=version,
        part=part,
        item=items_of(version.content)[part],
        keys=list_keys(session, [version.id])[version.id],
        exams=exams,
    )


def _chosen(form: ItemCorrectionForm, offered: Sequence[int]) -> list[int]:
    chosen = [exam_id for exam_id in offered if exam_id in set(form.exam_ids.data)]
    if len(chosen) < len(offered) and not (form.exams_reason.data or "").strip():
        raise BadRequestError("有的考试没有选，请写明这些考试为什么不更正。")
    return chosen


def _item_change(session: Session, version: QuestionVersion, part: int, form: ItemCorrectionForm) -> GradeChange:
    """Give the change that the form says; a key that is to be the newest is written down where it is not, one that counts beside it is named where it was there before."""
    treatment = Treatment(form.treatment.data)
    change = GradeChange(kind=CorrectionKind.ITEM, version_id=version.id, part=part, treatment=treatment)
    if treatment in {Treatment.FULL, Treatment.VOID}:
        return change
    asked, newest = version.content["parts"][part], current_key(session, version.id)
    kind, fields = kind_of(asked["kind"]), key_fields(form.key.form)
    wanted = corrected_part(asked, newest.parts[part], kind.key_of_fields(fields), kind.blanks_of_fields(fields))
    known = {key.id: key.parts[part] for key in list_keys(session, [version.id])[version.id]}
    same = [key_id for key_id, stored in known.items() if _key_of(stored) == _key_of(wanted)]
    if treatment is Treatment.KEY and newest.id not in same:
        same = []
    others = [key_id for key_id in known if key_id not in same] if treatment is Treatment.BEST_OF else []
    if treatment is Treatment.BEST_OF and not others:
        raise BadRequestError("新答案与原答案相同，没有两个答案可以都给分。请改选新的答案。")
    if same:
        return replace(change, key_ids=(*sorted(others), max(same)))
    return replace(change, key_ids=tuple(sorted(others)), new_part=wanted, old_key_id=newest.id)


def _key_of(part: dict[str, Any]) -> tuple[Any, Any]:
    return part["key"], part.get("blanks") or []


@admin_blueprint.route("/exams/<int:exam_id>", methods=["GET", "POST"])
@requires(_ASK)
@shows_keys
def correct_rules(exam_id: int) -> Response | tuple[str, int]:
    """Change the scoring rule, the pass mark or the bands of an exam that was graded."""
    session = read_session()
    queries.ensure_exams_held(session, [exam_id], my_access(_ASK))
    exam = get_exam(session, exam_id)
    form = RulesCorrectionForm(data={name: getattr(exam, name) for name in ("scoring_rule", *RULE_NAMES)})
    return _form_page(
        form,
        "grading/correction_rules.html",
        change=lambda: _rules_change(form),
        exam_ids=lambda: [exam_id],
        exam=exam,
    )


def _rules_change(form: RulesCorrectionForm) -> GradeChange:
    marks = {name: form[name].data for name in RULE_NAMES}
    if not marks["pass_percent"] <= marks["good_percent"] <= marks["excellent_percent"]:
        raise BadRequestError("合格线不能高于良好线，良好线不能高于优秀线。")
    rules = {"scoring_rule": form.scoring_rule.data} | {name: str(as_text(value)) for name, value in marks.items()}
    return GradeChange(kind=CorrectionKind.RULES, rules=rules)


@admin_blueprint.route("/attempts/<int:attempt_id>", methods=["GET", "POST"])
@requires(_ASK)
@shows_keys
def annul_attempt(attempt_id: int) -> Response | tuple[str, int]:
    """Let a sitting count for nothing, or count again."""
    session = read_session()
    attempt = queries.get_attempt(session, attempt_id, my_access(_ASK))
    form = AnnulmentForm(data={"is_annulled": not attempt.is_annulled})
    return _form_page(
        form,
        "grading/correction_attempt.html",
        change=lambda: GradeChange(
            kind=CorrectionKind.ANNULMENT, attempt_id=attempt_id, is_annulled=form.is_annulled.data
        ),
        exam_ids=lambda: [attempt.exam_id],
        attempt=attempt,
        person=queries.people_of(session, [attempt_id])[attempt_id],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRun:
    """What a correction does or has done, ready to be shown."""

    summary: dict[str, Any]
    titles: dict[int, str]
    units: dict[int, str]
    crossing: list[tuple[Outcome, queries.AttemptPerson]]
    open_attempts: int


def _shown(session: Session, outcomes: Sequence[Outcome], exam_ids: Sequence[int]) -> DryRun:
    crossing = [outcome for outcome in outcomes if outcome.is_crossing][:_MAX_LISTED]
    people = queries.people_of(session, [outcome.attempt_id for outcome in crossing])
    summary = summarise(outcomes)
    return DryRun(
        summary=summary,
        titles=queries.titles_of(session, exam_ids),
        units=queries.unit_names(session, [unit[0] for unit in summary["units"]]),
        crossing=sorted(
            ((outcome, people[outcome.attempt_id]) for outcome in crossing),
            key=lambda pair: (pair[1].unit_code, pair[1].staff_number),
        ),
        open_attempts=queries.count_open_attempts(session, exam_ids),
    )


def _form_page(
    form: GradeCorrectionForm,
    template: str,
    *,
    change: Callable[[], GradeChange],
    exam_ids: Callable[[], list[int]],
    **shown: Any,
) -> Response | tuple[str, int]:
    """Show a form, and below it the dry run once it was asked for; put the correction down when that dry run was looked at."""
    dry_run = None
    if form.validate_on_submit():
        wanted = chosen = None
        with submit(form=form) as context:
            wanted, chosen = change(), exam_ids()
            if "ask" in request.form:
                made = _ask(context, form, wanted, chosen)
        if not form.is_rejected and "ask" in request.form:
            flash("更正已提交，等另一人审批。", "success")
            return redirect(url_for("corrections_admin.show_correction", correction_id=made))
        if wanted is not None and chosen is not None:
            with submit(form=form):
                dry_run = _try(form, wanted, chosen)
    status = status_of(form) if form.is_rejected else 200  # a dry run is an answer like any other
    return render_template(template, form=form, dry_run=dry_run, band_names=BAND_NAMES, **shown), status


def _ask(context: ActionContext, form: GradeCorrectionForm, change: GradeChange, exam_ids: list[int]) -> int:
    exams_reason = (form.exams_reason.data or "").strip() if isinstance(form, ItemCorrectionForm) else ""
    reason = form.reason.data.strip() + (f"（有的考试不更正：{exams_reason}）" if exams_reason else "")
    return actions.ask_correction(
        context,
        change=change,
        exam_ids=exam_ids,
        reason=reason,
        public_reason=form.public_reason.data or "",
        seen=form.fingerprint.data or "",
    ).id


def _try(form: GradeCorrectionForm, change: GradeChange, exam_ids: list[int]) -> DryRun:
    session = read_session()
    outcomes = actions.dry_run(session, change, exam_ids)
    form.fingerprint.data = fingerprint(outcomes)
    return _shown(session, outcomes, exam_ids)


@admin_blueprint.get("/<int:correction_id>")
@requires(_APPROVE)
@shows_keys
def show_correction(correction_id: int) -> str:
    """Show a correction: before it is applied by its dry run of this moment, afterwards by what it has done."""
    session = read_session()
    correction = queries.get_correction(session, correction_id, my_access(_APPROVE))
    change, problem, outcomes = GradeChange.from_json(correction.change), "", []
    is_open = correction.state in {CorrectionState.ASKED, CorrectionState.CHECKED}
    if is_open:
        try:
            outcomes = actions.dry_run(session, change, correction.exam_ids)
            known = set(correction.attempt_ids)
            if fingerprint(each for each in outcomes if each.attempt_id in known) != correction.fingerprint:
                problem = actions.OutdatedError.message
        except (BadRequestError, ConflictError) as error:
            problem = error.text
    elif correction.state == CorrectionState.APPLIED:
        outcomes = queries.list_outcomes(session, correction_id)
    people = (correction.asked_by_id, correction.checked_by_id, correction.approved_by_id)
    return render_template(
        "grading/correction.html",
        row=correction,
        description=describe_change(session, correction),
        dry_run=_shown(session, outcomes, correction.exam_ids),
        later=len(outcomes) - len(correction.attempt_ids),
        is_open=is_open,
        problem=problem,
        names=names_of(session, list(people)),
        step=find_next_step(correction),
        state_names=STATE_NAMES,
        band_names=BAND_NAMES,
        keys=_keys(session, change),
    )


def _keys(session: Session, change: GradeChange) -> dict[str, Any] | None:
    """Give the item that a change is about, with the keys that it will count by."""
    if change.kind is not CorrectionKind.ITEM:
        return None
    version, _ = queries.question_of(session, change)
    known = {key.id: key.parts[change.part] for key in list_keys(session, [version.id])[version.id]}
    counted = [known[key_id] for key_id in change.key_ids]
    return {
        "item": items_of(version.content)[change.part],
        "parts": [*counted, *([change.new_part] if change.new_part else [])],
    }


@admin_blueprint.post("/<int:correction_id>/check")
@requires(_ASK)
def check_correction(correction_id: int) -> Response:
    """Check a correction of published results as the second person."""
    return _decide(correction_id, actions.check_correction, "已审核，等第三人批准。")


@admin_blueprint.post("/<int:correction_id>/approve")
@requires(_APPROVE)
def approve_correction(correction_id: int) -> Response:
    """Apply a correction as its last person."""
    return _decide(correction_id, actions.approve_correction, "已批准，成绩已全部更正，成绩有变化的人会收到通知。")


@admin_blueprint.post("/<int:correction_id>/reject")
@requires(_APPROVE)
def reject_correction(correction_id: int) -> Response:
    """Reject a correction."""
    return _decide(correction_id, actions.reject_correction, "已退回，成绩没有变化。")


def _decide(correction_id: int, act: Callable[[ActionContext, int], object], text: str) -> Response:
    try:
        with request_transaction(text) as context:
            queries.get_correction(context.session, correction_id, my_access(_APPROVE))
            act(context, correction_id)
    except NotFoundError:
        raise
    except DomainError as rejection:
        keep_rejection(rejection)
        flash(rejection.text, "danger")
    return redirect(url_for("corrections_admin.show_correction", correction_id=correction_id), 303)


@admin_blueprint.get("/<int:correction_id>/file")
@requires(_APPROVE)
@shows_keys
def download_correction(correction_id: int) -> Response:
    """Hand out the table of results before and after; leaves an audit line."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "correction.xlsx"
        with request_transaction() as context:
            row = queries.get_correction(context.session, correction_id, my_access(_APPROVE))
            actions.write_correction(context, row, path, title=describe_change(context.session, row))
        content = path.read_bytes()
    return send_file(
        BytesIO(content), download_name=f"更正前后对照-{correction_id}.xlsx", as_attachment=True, max_age=0
    )
