"""Corrections of grades for programs: try one out, ask for it, see it, decide on it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any, TypedDict

from flask import Blueprint, Response
from msgspec import Meta, Struct
from sqlalchemy.orm import Session

from examapp.content.questions.queries import list_keys
from examapp.db.session import read_session
from examapp.delivery.corrections import actions, queries
from examapp.delivery.corrections.rules import CorrectionKind, GradeChange, fingerprint, summarise
from examapp.delivery.grading.models import Correction
from examapp.delivery.grading.rules import Treatment
from examapp.errors import BadRequestError
from examapp.organisation.accounts.guards import my_access, requires, shows_keys
from examapp.platform.audit.actions import ActionContext
from examapp.web.json_io import Count, EmptyBody, Id, Instant, instant, json_response, read_body
from examapp.web.submit import request_transaction
from question_bank.kinds.base import ScoringRule

api_blueprint = Blueprint("corrections_api", __name__, url_prefix="/api/v1/corrections")
_ASK, _APPROVE = "grading:correction:request", "grading:correction:approve"
_SMALL_BYTES = 16 * 1024
_Percent = Annotated[str, Meta(pattern=r"^(100|\d{1,2})\.\d\d$")]
_Text = Annotated[str, Meta(max_length=500)]


class ItemChange(Struct, frozen=True, kw_only=True, tag="item", tag_field="kind"):
    """How a part of a question version counts; `keys` are rows of its keys, the best counting."""

    version: Id
    part: Annotated[int, Meta(ge=0, le=100)] = 0
    treatment: Treatment
    keys: Annotated[list[Id], Meta(max_length=20)] = []

    def change(self, session: Session) -> GradeChange:
        """Give the change; raises BadRequestError for keys of another version, and where the treatment goes by none."""
        known = {key.id: len(key.parts) for key in list_keys(session, [self.version]).get(self.version, [])}
        goes_by_keys = self.treatment in {Treatment.KEY, Treatment.BEST_OF}
        if goes_by_keys != bool(self.keys) or any(known.get(key_id, 0) <= self.part for key_id in self.keys):
            raise BadRequestError("改为新答案、新旧均给分要写这个题目版本的答案编号，其他办法不写。")
        return GradeChange(
            kind=CorrectionKind.ITEM,
            version_id=self.version,
            part=self.part,
            treatment=self.treatment,
            key_ids=tuple(self.keys),
        )


class RulesChange(Struct, frozen=True, kw_only=True, tag="rules", tag_field="kind"):
    """Scoring rule, pass mark and bands of the exams."""

    scoring_rule: ScoringRule
    pass_percent: _Percent
    good_percent: _Percent
    excellent_percent: _Percent

    def change(self, _session: Session) -> GradeChange:
        """Give the change; raises BadRequestError where the marks do not rise."""
        marks = {name: getattr(self, name) for name in ("pass_percent", "good_percent", "excellent_percent")}
        if list(marks.values()) != sorted(marks.values(), key=Decimal):
            raise BadRequestError("合格线不能高于良好线，良好线不能高于优秀线。")
        return GradeChange(kind=CorrectionKind.RULES, rules={"scoring_rule": str(self.scoring_rule), **marks})


class AttemptChange(Struct, frozen=True, kw_only=True, tag="annulment", tag_field="kind"):
    """Whether an attempt counts."""

    attempt: Id
    is_annulled: bool

    def change(self, _session: Session) -> GradeChange:
        """Give the change."""
        return GradeChange(kind=CorrectionKind.ANNULMENT, attempt_id=self.attempt, is_annulled=self.is_annulled)


class CorrectionRequest(Struct, frozen=True, kw_only=True):
    """A correction to try out; with the fingerprint of its dry run it is asked for."""

    change: ItemChange | RulesChange | AttemptChange
    exams: Annotated[list[Id], Meta(min_length=1, max_length=100)]
    reason: _Text = ""
    public_reason: _Text = ""
    fingerprint: Annotated[str, Meta(max_length=64)] = ""


class DryRunBody(TypedDict):
    """What a correction would do; nothing was written."""

    fingerprint: str
    attempts: Count
    raised: Count
    lowered: Count
    newly_passed: Count
    no_longer_passed: Count


class CorrectionBody(TypedDict):
    """A correction and how far it has come."""

    id: Id
    state: str
    exams: list[Id]
    is_published: bool
    asked_at: Instant
    decided_at: Instant | None
    dry_run: DryRunBody


def _dry_run_json(summary: dict[str, Any], digest: str) -> DryRunBody:
    return {
        "fingerprint": digest, "attempts": summary["attempts"], "raised": summary["raised"], "lowered": summary["lowered"],
        "newly_passed": summary["newly_passed"], "no_longer_passed": summary["no_longer_passed"],
    }  # fmt: skip


def _correction_json(row: Correction) -> CorrectionBody:
    return {
        "id": row.id, "state": row.state, "exams": row.exam_ids, "is_published": row.is_published, "asked_at": instant(row.asked_at),
        "decided_at": None if row.decided_at is None else instant(row.decided_at), "dry_run": _dry_run_json(row.summary, row.fingerprint),
    }  # fmt: skip


@api_blueprint.post("")
@requires(_ASK)
@shows_keys
def request_correction() -> Response:
    """Try a correction out, or ask for it where the fingerprint of its dry run is sent along."""
    body = read_body(CorrectionRequest, max_bytes=_SMALL_BYTES)
    queries.ensure_exams_held(read_session(), body.exams, my_access(_ASK))
    if not body.fingerprint:
        session = read_session()
        outcomes = actions.dry_run(session, body.change.change(session), body.exams)
        return json_response(_dry_run_json(summarise(outcomes), fingerprint(outcomes)))
    with request_transaction() as context:
        change = body.change.change(context.session)
        row = actions.ask_correction(
            context,
            change=change,
            exam_ids=body.exams,
            reason=body.reason,
            public_reason=body.public_reason,
            seen=body.fingerprint,
        )
        return json_response(_correction_json(row), 201)


@api_blueprint.get("/<int:correction_id>")
@requires(_APPROVE)
def get_correction(correction_id: int) -> Response:
    """Give a correction."""
    return json_response(_correction_json(queries.get_correction(read_session(), correction_id, my_access(_APPROVE))))


@api_blueprint.post("/<int:correction_id>/check")
@requires(_ASK)
def check_correction(correction_id: int) -> Response:
    """Check a correction of published results as the second person."""
    return _decide(correction_id, actions.check_correction)


@api_blueprint.post("/<int:correction_id>/approve")
@requires(_APPROVE)
def approve_correction(correction_id: int) -> Response:
    """Apply a correction as its last person."""
    return _decide(correction_id, actions.approve_correction)


@api_blueprint.post("/<int:correction_id>/reject")
@requires(_APPROVE)
def reject_correction(correction_id: int) -> Response:
    """Reject a correction."""
    return _decide(correction_id, actions.reject_correction)


def _decide(correction_id: int, act: Callable[[ActionContext, int], Correction]) -> Response:
    read_body(EmptyBody, max_bytes=_SMALL_BYTES, may_be_empty=True)
    with request_transaction() as context:
        queries.get_correction(context.session, correction_id, my_access(_APPROVE))
        return json_response(_correction_json(act(context, correction_id)))
