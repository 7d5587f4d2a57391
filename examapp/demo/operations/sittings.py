"""Sittings of the demo county's people: papers, attempts, answers with history, grades; copied in, since they are a million rows."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from examapp.attempts import rules as attempt_rules
from examapp.attempts.models import Attempt, AttemptState
from examapp.demo.operations.copying import copy_rows
from examapp.demo.operations.county import County
from examapp.demo.rules import SEED, PersonPlan, chance_right, sitting_time
from examapp.exams.models import Exam, Exemption, PreparedPaper
from examapp.grading import rules as grading_rules
from examapp.grading.models import Grade
from examapp.grading.operations import item_key, marks_of
from examapp.grading.queries import VersionKey, newest_keys
from examapp.grading.rules import Score
from examapp.papers.models import Blueprint, Paper
from examapp.papers.operations import load_pool, make_papers
from examapp.papers.queries import PaperItem, items_of
from examapp.questions.models import Question, QuestionVersion
from question_bank.kinds.base import ItemKey, ScoringRule
from question_bank.kinds.registry import kind_of

_BATCH = 500
Fraction = Callable[[float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """One sitting to insert."""

    person_id: int
    unit_id: int
    number: int
    paper_id: int
    response_schema: str
    started_at: datetime
    submitted_at: datetime
    responses: list[list[str]]
    score: Score
    key_ids: dict[str, int]


@dataclass(slots=True)
class _Exam:
    """What one exam's sittings are made from; they end before `until`."""

    session: Session
    county: County
    until: datetime
    exam: Exam
    keys: dict[int, VersionKey]
    difficulties: dict[int, str | None]
    rng: random.Random
    item_keys: dict[PaperItem, ItemKey] = field(default_factory=dict)
    """Keys that were worked out before: the same question in the same order of options comes again and again."""


def add_prepared_papers(session: Session, county: County, exam: Exam, *, progress: Fraction) -> dict[int, int]:
    """Draw one paper a person for the first attempt; gives paper ids by person."""
    blueprint = session.get_one(Blueprint, exam.blueprint_id)
    pool = load_pool(session, blueprint)
    papers: dict[int, int] = {}
    for start in range(0, len(county.person_ids), _BATCH):
        people = county.person_ids[start : start + _BATCH]
        seeds = [hash((SEED, exam.id, person_id)) for person_id in people]
        papers |= zip(
            people, make_papers(session, blueprint=blueprint, seeds=seeds, now=exam.created_at, pool=pool), strict=True
        )
        progress(start / len(county.person_ids))
    rows = [
        {"exam_id": exam.id, "person_id": person_id, "number": 1, "paper_id": paper_id}
        for person_id, paper_id in papers.items()
    ]
    session.execute(insert(PreparedPaper), rows)
    return papers


def add_sittings(
    session: Session, county: County, exam: Exam, *, number: int, until: datetime, share: float, progress: Fraction
) -> None:
    """Let a share of the zealous sit the exam: draw, answer by ability, hand in, grade."""
    rng = random.Random(SEED + number)  # noqa: S311 – a demo must come out the same
    papers = add_prepared_papers(session, county, exam, progress=lambda f: progress(0.35 * f))
    exempt = set(session.scalars(select(Exemption.person_id).where(Exemption.exam_id == exam.id)))
    sitters = [
        (person, person_id)
        for person, person_id in zip(county.plan.people, county.person_ids, strict=True)
        if person_id not in exempt and rng.random() < person.zeal * share
    ]
    setting = _Exam(session, county, until, exam, {}, _difficulties(session), rng)
    for start in range(0, len(sitters), _BATCH):
        batch = sitters[start : start + _BATCH]
        drawn = _papers(session, [papers[person_id] for _, person_id in batch])
        sittings = [_sit(setting, person, person_id, drawn[papers[person_id]]) for person, person_id in batch]
        _insert(session, exam, sittings)
        progress(0.35 + 0.65 * start / len(sitters))


def _papers(session: Session, ids: Sequence[int]) -> dict[int, Paper]:
    return {paper.id: paper for paper in session.scalars(select(Paper).where(Paper.id.in_(ids)))}


def _difficulties(session: Session) -> dict[int, str | None]:
    rows = session.execute(
        select(QuestionVersion.id, Question.difficulty).join(Question, QuestionVersion.question_id == Question.id)
    )
    return {version_id: difficulty for version_id, difficulty in rows}  # noqa: C416 – rows are no plain tuples for the type checker


def _sit(setting: _Exam, person: PersonPlan, person_id: int, paper: Paper) -> Sitting:
    items = items_of(paper)
    missing = {item.version_id for item in items} - setting.keys.keys()
    if missing:
        setting.keys |= newest_keys(setting.session, missing)
    keys = [_key(setting, item) for item in items]
    responses = [_respond(setting, person, item, key) for item, key in zip(items, keys, strict=True)]
    exam = setting.exam
    score = grading_rules.score_paper(keys, responses, rule=ScoringRule(exam.scoring_rule), marks=marks_of(exam))
    started_at, submitted_at = sitting_time(
        setting.rng, opens_at=exam.opens_at, until=setting.until, duration_s=exam.duration_s
    )
    return Sitting(
        person_id=person_id, unit_id=setting.county.unit_ids[person.unit], number=1, paper_id=paper.id, response_schema=paper.response_schema, started_at=started_at,
        submitted_at=submitted_at, responses=responses, score=score,
        key_ids={str(item.version_id): setting.keys[item.version_id].id for item in items},
    )  # fmt: skip


def _key(setting: _Exam, item: PaperItem) -> ItemKey:
    asked = replace(item, item=0)
    if asked not in setting.item_keys:
        setting.item_keys[asked] = item_key(item, setting.keys[item.version_id])
    return setting.item_keys[asked]


def _respond(setting: _Exam, person: PersonPlan, item: PaperItem, key: ItemKey) -> list[str]:
    difficulty = setting.difficulties.get(item.version_id)
    return kind_of(key.kind).simulate(
        key, rng=setting.rng, chance=lambda guesses: chance_right(person.ability, difficulty, guesses)
    )


def _insert(session: Session, exam: Exam, sittings: Sequence[Sitting]) -> None:
    rows = [_attempt_row(exam, sitting) for sitting in sittings]
    ids = list(session.scalars(insert(Attempt).returning(Attempt.id, sort_by_parameter_order=True), rows))
    receipts, grades = [], []
    for attempt_id, sitting in zip(ids, sittings, strict=True):
        answered, sha256 = attempt_rules.sheet_digest(
            attempt_id, sitting.response_schema, enumerate(sitting.responses, 1)
        )
        receipts.append((attempt_id, attempt_rules.receipt_number(attempt_id, sha256), sha256, answered))
        grades.append(_grade_row(attempt_id, sitting))
    _set_receipts(session, receipts)
    session.execute(insert(Grade), grades)
    _copy_answers(session, ids, sittings)


def _attempt_row(exam: Exam, sitting: Sitting) -> dict[str, Any]:
    deadline_at = min(sitting.started_at + timedelta(seconds=exam.duration_s), exam.closes_at)
    return {
        "exam_id": exam.id, "person_id": sitting.person_id, "number": sitting.number, "paper_id": sitting.paper_id, "unit_id": sitting.unit_id,
        "state": AttemptState.GRADED, "started_at": sitting.started_at, "deadline_at": deadline_at,
        "closes_at": deadline_at + timedelta(seconds=exam.grace_s), "epoch": 1, "response_schema": sitting.response_schema, "unsure": [],
        "submitted_at": sitting.submitted_at, "is_forced": False, "receipt_number": f"{exam.id}-{sitting.person_id}-{sitting.number}",
        "total": len(sitting.responses), "grading_tries": 1,
    }  # fmt: skip


def _set_receipts(session: Session, receipts: Sequence[tuple[int, str, str, int]]) -> None:
    ids, numbers, digests, answered = (list(column) for column in zip(*receipts, strict=True))
    session.execute(
        text(
            "UPDATE attempts SET receipt_number = r.number, receipt_sha256 = r.sha256, answered = r.answered "
            "FROM unnest(CAST(:ids AS bigint[]), CAST(:numbers AS text[]), CAST(:digests AS text[]), CAST(:answered AS int[])) "
            "AS r(id, number, sha256, answered) WHERE attempts.id = r.id"
        ),
        {"ids": ids, "numbers": numbers, "digests": digests, "answered": answered},
    )


def _grade_row(attempt_id: int, sitting: Sitting) -> dict[str, Any]:
    score = sitting.score
    return {
        "attempt_id": attempt_id, "number": 1, "is_current": True, "points": score.points, "points_possible": score.points_possible,
        "percent": score.percent, "band": score.band, "is_passed": score.is_passed, "item_points": [str(p) for p in score.item_points],
        "key_ids": sitting.key_ids, "reason": "first", "graded_at": sitting.submitted_at + timedelta(seconds=2),
    }  # fmt: skip


def _copy_answers(session: Session, ids: Sequence[int], sittings: Sequence[Sitting]) -> None:
    answers, history = [], []
    for attempt_id, sitting in zip(ids, sittings, strict=True):
        pause = (sitting.submitted_at - sitting.started_at) / (len(sitting.responses) + 1)
        for item, response in enumerate(sitting.responses, 1):
            rest = f"{item}\t1\t{item}\t{_json(tuple(response))}\t{(sitting.started_at + pause * item).isoformat()}\n"
            answers.append(f"{attempt_id}\t{rest}")
            history.append(f"{attempt_id}\t{sitting.person_id}\t{rest}")
    copy_rows(session, "answers (attempt_id, item, epoch, seq, response, saved_at)", answers)
    copy_rows(session, "answer_history (attempt_id, person_id, item, epoch, seq, response, saved_at)", history)


@cache
def _json(response: tuple[str, ...]) -> str:
    """Write a response as JSON in the text that COPY reads: few different ones, a million rows."""
    return json.dumps(response, ensure_ascii=False).replace("\\", "\\\\")
