"""What a candidate sees before the start, and the shell of the exam page; the paper itself comes over the delivery protocol."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import cast

from flask import Blueprint, Response, current_app, flash, g, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from examapp import clock
from examapp.content.blueprints.models import BlueprintSection
from examapp.content.blueprints.queries import get_blueprint, get_paper
from examapp.db.session import read_session, transaction
from examapp.delivery.attempts import actions, queries, rules
from examapp.delivery.attempts.models import Attempt, AttemptState
from examapp.delivery.attempts.queries import ExamPage, LiveAttempt
from examapp.delivery.exam_candidates.queries import (
    CandidateExam,
    find_candidate_exam,
    find_prepared_paper,
    has_pledged,
)
from examapp.delivery.exams.models import EXAM_KIND_NAMES, SCORING_RULE_NAMES, ExamKind
from examapp.delivery.exams.rules import START_REJECTION_LABELS, StartRejection
from examapp.errors import NotFoundError
from examapp.organisation.accounts.guards import (
    my_user,
    public,
    sign_in_policy,
    signed_in,
    signed_in_by_statement,
    token_digest,
    wants_large_print,
)
from question_bank.kinds.base import ScoringRule
from question_bank.kinds.registry import kind_of

blueprint = Blueprint("attempts", __name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KindRow:
    """One line of the paper's plan: so many questions of a kind, so many points each."""

    name: str
    scoring: str
    """The rule that the section chose for its kind, in words; empty where it chose none."""
    count: int
    points_each: Decimal
    points: Decimal | None
    """None for cases, whose points go by their sub-questions."""


def my_live_attempts() -> list[LiveAttempt]:
    """List the attempts in progress of who is signed in, and counting ones of the same human's other accounts; read once a request."""
    if "live_attempts" not in g:
        g.live_attempts = queries.find_live_attempts(read_session(), my_user().person_id, now=clock.now())
    return cast("list[LiveAttempt]", g.live_attempts)


def find_my_counting_attempt() -> LiveAttempt | None:
    """Find the attempt for whose sake no key is shown to who is signed in; None where there is none."""
    return next((live for live in my_live_attempts() if live.is_counting), None)


@blueprint.get("/exams/<int:exam_id>")
@signed_in
def before_start(exam_id: int) -> str:
    """Say what a candidate must know before the start, check network and device, and offer the one button."""
    session, now = read_session(), clock.now()
    candidate, attempts = _candidate(session, exam_id)
    live, exam = _live(attempts, now), candidate.exam
    other = None if live else find_my_counting_attempt()
    return render_template(
        "attempts/before_start.html",
        exam=exam,
        kind_name=EXAM_KIND_NAMES[ExamKind(exam.kind)],
        scoring_words=SCORING_RULE_NAMES[ScoringRule(exam.scoring_rule)],
        window=candidate.window(now),
        sessions=candidate.sessions,
        plan=_plan(session, candidate),
        total_points=_total_points(session, candidate, len(attempts) + 1),
        attempts=attempts,
        live=live,
        allowed=candidate.attempts_allowed,
        left=None if candidate.attempts_allowed is None else max(0, candidate.attempts_allowed - len(attempts)),
        rejection=None if live else _why_not(candidate, attempts, other, now),
        other=other,
        is_study_missing=candidate.is_study_missing,
        must_pledge=candidate.exam.has_pledge and not has_pledged(session, exam_id, my_user().person_id),
        opens_in_s=_opens_in_s(candidate, attempts, other, now),
    )


@blueprint.post("/exams/<int:exam_id>/pledge")
@signed_in
def pledge(exam_id: int) -> AnyResponse:
    """Keep that the candidate has ticked the pledge of honesty, and lead on to the start."""
    candidate, _ = _candidate(read_session(), exam_id)
    if "pledged" not in request.form:
        flash("请先勾选诚信承诺书，再开始考试。", "warning")
        return redirect(url_for("attempts.before_start", exam_id=exam_id), 303)
    with transaction() as session:
        actions.keep_pledge(session, exam_id=candidate.exam.id, person_id=candidate.person_id, now=clock.now())
    return redirect(url_for("attempts.take_exam", exam_id=exam_id) + "#start", 303)


@blueprint.get("/exams/<int:exam_id>/sit")
@signed_in_by_statement
def take_exam(exam_id: int) -> ResponseReturnValue:
    """Give the shell of the exam page: no question in it, a token, and the key under which the device keeps texts."""
    now = clock.now()
    not_before = now - sign_in_policy().life(is_administrator=False)
    page = queries.find_exam_page(exam_id, token_digest=token_digest(), not_before=not_before, now=now)
    return _take_exam_of_checked(page) if page is None or page.has_limited_sign_in else _render(page)


@signed_in
def _take_exam_of_checked(page: ExamPage | None) -> str:
    """Give the shell once the sign-in has passed what the page's own statement does not know, or say why there is none."""
    if page is None:
        raise NotFoundError
    return _render(page)


def _render(page: ExamPage) -> str:
    """Render the shell without the context of other pages (menu, rights), which would ask the database for it."""
    template = current_app.jinja_env.get_template("attempts/take_exam.html")
    key = rules.device_key(current_app.secret_key, str(page.exam_id), person_id=page.person_id)
    return template.render(page=page, device_key=key, is_elder=wants_large_print(page.has_elder_mode))


@blueprint.get("/exams/offline")
@public
def offline_shell() -> str:
    """Give the page that stands in for the exam page while a reload finds no network; nothing personal in it."""
    return render_template("attempts/offline.html")


@blueprint.get("/exam-worker.js")
@public
def exam_worker() -> Response:
    """Give the service worker that keeps the shell: from the root, so that it may watch over the exam pages."""
    asset = current_app.jinja_env.globals["asset"]
    assert callable(asset)
    files = [asset(name) for name in ("css/exam.css", "js/exam/queue.js", "js/exam/offline.js")]
    version = hashlib.sha256("".join(files).encode()).hexdigest()[:12]
    script = render_template(  # meant: `shell` is the page's shell, no command
        "attempts/worker.js", shell=url_for("attempts.offline_shell"), files=files, version=version
    )
    return Response(script, content_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-cache"})


@blueprint.get("/manifest.webmanifest")
@public
def show_manifest() -> Response:
    """Give what a phone needs to put the site on its desktop."""
    asset, site_name = (current_app.jinja_env.globals[name] for name in ("asset", "site_name"))
    assert callable(asset)
    icons = [{"src": asset("img/icon.svg"), "sizes": "any", "type": "image/svg+xml"}] + [
        {"src": asset(f"img/icon-{side}.png"), "sizes": f"{side}x{side}", "type": "image/png", "purpose": purpose}
        for side, purpose in ((192, "any"), (512, "any"), (512, "maskable"))
    ]
    names = {"name": site_name, "short_name": "学法考试", "lang": "zh-CN"}
    colours = {"theme_color": "#1d3f72", "background_color": "#f5f7fa"}
    response = jsonify(**names, **colours, start_url="/", scope="/", display="standalone", icons=icons)
    response.content_type = "application/manifest+json; charset=utf-8"
    return response


def _candidate(session: Session, exam_id: int) -> tuple[CandidateExam, Sequence[Attempt]]:
    """Give an exam as this person meets it, with their attempts; raises NotFoundError where they neither belong to it nor have sat it."""
    attempts = queries.list_attempts(session, exam_id, my_user().person_id)
    candidate = find_candidate_exam(session, exam_id, my_user().person_id)
    if candidate is None or not (candidate.is_in_audience or attempts):
        raise NotFoundError
    return candidate, attempts


def _live(attempts: Sequence[Attempt], now: datetime) -> Attempt | None:
    return next((a for a in attempts if a.state == AttemptState.IN_PROGRESS and a.closes_at > now), None)


def _why_not(
    candidate: CandidateExam, attempts: Sequence[Attempt], other: LiveAttempt | None, now: datetime
) -> str | None:
    """Say why a start is not possible now and what to do next; None where it is."""
    allowed = candidate.attempts_allowed
    rejection = candidate.start_rejection(now)
    if rejection is StartRejection.STUDY_REQUIRED:
        label_of = current_app.extensions["missing_study_label"]
        missing = cast("str", label_of(read_session(), candidate.exam, candidate.person_id))
        return missing or START_REJECTION_LABELS[rejection]
    if rejection is not None:
        return START_REJECTION_LABELS[rejection]
    if allowed is not None and len(attempts) >= allowed:
        return "本场考试次数已用完。"
    return None if other is None else queries.text_of_other(other)


def _opens_in_s(
    candidate: CandidateExam, attempts: Sequence[Attempt], other: LiveAttempt | None, now: datetime
) -> int | None:
    """Give the seconds until the start is let in where nothing but the hour keeps it; else None."""
    allowed, opens_at = candidate.attempts_allowed, candidate.window(now).opens_at
    has_attempt = allowed is None or len(attempts) < allowed
    if candidate.start_rejection(now) is not StartRejection.NOT_OPEN_YET or not has_attempt or other is not None:
        return None
    return None if candidate.is_study_missing else math.ceil((opens_at - now).total_seconds())


def _plan(session: Session, candidate: CandidateExam) -> list[KindRow]:
    if candidate.blueprint_id is None:
        return []
    return [_kind_row(section) for section in get_blueprint(session, candidate.blueprint_id).sections]


def _total_points(session: Session, candidate: CandidateExam, number: int) -> Decimal | None:
    """Give the points of the paper made ahead for the next attempt; None where there is none yet."""
    paper_id = find_prepared_paper(session, candidate.exam.id, candidate.person_id, number)
    return None if paper_id is None else get_paper(session, paper_id).total_points


def _kind_row(section: BlueprintSection) -> KindRow:
    kind = kind_of(section.kind)
    return KindRow(
        name=kind.name,
        scoring=kind.section_scoring.get(section.scoring, ""),
        count=section.count,
        points_each=section.points_each,
        points=section.points_each * section.count if kind.is_part else None,
    )
