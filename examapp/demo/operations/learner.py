"""The demo county's candidate whose account is shown: two courses completed, another begun, practice with mistakes, a favourite and a note."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from examapp.demo.operations.county import County
from examapp.demo.rules import SEED
from examapp.questions.queries import current_key
from examapp.training.models import Chapter, Course, PracticeItem
from examapp.training.operations.answering import answer
from examapp.training.operations.choosing import keep_note
from examapp.training.operations.practice import draw_practice
from examapp.training.operations.studying import begin_exercise, open_page
from examapp.training.queries.practice import ask
from examapp.training.rules import Wanted, split_pages
from question_bank.kinds.base import ItemKey
from question_bank.kinds.registry import kind_of

_COMPLETED = 2
_PRACTISED = ("宪法", "民法典", "公务员法")
_EACH = 4
_RIGHT_IN_PRACTICE = 0.6
_NOTE = "期限和听证这几处容易混，考前再看一遍。"

_MOST_A_DAY = 10_000
"""More than the demo answers: the limit of the site is for people."""


def add_learner(session: Session, county: County, courses: Sequence[Course], *, now: datetime) -> None:
    """Let the shown candidate study and practise by the program's own operations, so that every page of a learner has something."""
    rng = random.Random(SEED + 8)  # noqa: S311 – a demo must come out the same
    session.execute(text("SELECT setseed(0.2026)"))  # questions are drawn by the database's own dice
    person_id = next(account.person_id for account in county.accounts if account.role == "candidate")
    begun = courses[_COMPLETED].chapters
    studied = [chapter for course in courses[:_COMPLETED] for chapter in course.chapters]
    for days, chapter in enumerate([*studied, begun[0]]):
        _study(session, person_id, chapter, at=now - timedelta(days=25 - 2 * days), rng=rng)
    open_page(session, chapter_id=begun[1].id, person_id=person_id, number=1, now=now - timedelta(days=1))
    for days, law in enumerate(_PRACTISED):
        _practise(session, person_id, law, at=now - timedelta(days=5 - days), rng=rng)


def _study(session: Session, person_id: int, chapter: Chapter, *, at: datetime, rng: random.Random) -> None:
    """Read a chapter to its end and pass its exercise with no more mistakes than it allows."""
    for number in range(1, len(split_pages(chapter.body)) + 1):
        open_page(session, chapter_id=chapter.id, person_id=person_id, number=number, now=at)
    run = begin_exercise(session, chapter_id=chapter.id, person_id=person_id, now=at + timedelta(minutes=8))
    items = session.scalars(select(PracticeItem).where(PracticeItem.run_id == run.id).order_by(PracticeItem.id)).all()
    wrong = set(rng.sample(range(len(items)), chapter.exercise_count - chapter.pass_count))
    for place, item in enumerate(items):
        _answer(session, item, is_right=place not in wrong, at=at + timedelta(minutes=9 + place))


def _practise(session: Session, person_id: int, law: str, *, at: datetime, rng: random.Random) -> None:
    for number in range(_EACH):
        drawn_at = at + timedelta(minutes=number)
        item = draw_practice(session, person_id=person_id, wanted=Wanted(law=law), now=drawn_at)
        is_right = rng.random() < _RIGHT_IN_PRACTICE
        _answer(session, item, is_right=is_right, at=drawn_at)
        if not is_right:
            keep_note(
                session, person_id=person_id, question_id=item.question_id, is_favourite=True, note=_NOTE, now=drawn_at
            )


def _answer(session: Session, item: PracticeItem, *, is_right: bool, at: datetime) -> None:
    raw = _response(session, item, is_right=is_right)
    answer(session, item_id=item.id, person_id=item.person_id, raw=raw, now=at, most_a_day=_MOST_A_DAY)


def _response(session: Session, item: PracticeItem, *, is_right: bool) -> list[str]:
    """Give an answer in the letters that the person sees, or a text for each blank."""
    key = current_key(session, item.question_version_id).parts[item.part]
    asked = ask(session, item)
    kind = kind_of(asked.kind)
    right = ItemKey(
        kind=asked.kind,
        points=Decimal(1),
        key=kind.display_key(key["key"], item.order),
        option_count=len(asked.options),
        blanks=tuple(tuple(variants) for variants in key["blanks"]),
    )
    if not is_right:
        return kind.wrong_response(right)
    return list(right.key) or [variants[0] for variants in right.blanks]
