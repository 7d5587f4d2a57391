"""The demo county's study of this year: chapters passed and failed, courses completed, who may sit the exam that asks for study first."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.core.clock import day_of, from_local, local
from examapp.demo.operations.copying import NULL, copy_rows
from examapp.demo.operations.county import County
from examapp.demo.rules import SEED
from examapp.training.models import Chapter, Course
from examapp.training.operations.clearing import clear_exams, complete_course
from examapp.training.rules import RUNS_A_DAY, split_pages

_REQUIRED = ("宪法", "公务员法", "行政处罚法", "行政复议法", "保守国家秘密法", "法治宣传教育法")
_LEFT_OFF = "监察法"
"""Hardly anybody who begins its course goes beyond the first chapter: the office's page points at it."""
_HARD = "行政强制法"
"""Most fail the exercise of its course's second chapter: likewise."""
_DUE_IN = timedelta(days=30)
_BEGUN = timedelta(days=55)
_FAILS, _FAILS_HARD = 0.12, 0.75
_MOST_RUNS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chapter:
    """A chapter as a learner meets it."""

    id: int
    pages: int
    asked: int
    wanted: int
    fails: float


@dataclass(slots=True)
class _Learner:
    """A learner's way through the year, made up step by step: days go on from chapter to chapter, until today."""

    id: int
    rng: random.Random
    at: datetime
    until: datetime
    progress: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)

    def study(self, chapters: Sequence[_Chapter]) -> bool:
        """Study chapters one after another; tells whether all were passed, not broken off nor overtaken by today."""
        return all(self._take(chapter) for chapter in chapters)

    def _take(self, chapter: _Chapter) -> bool:
        if not self.wait():
            return False
        read_at, passed_at = self.at, NULL
        for number in range(1, _MOST_RUNS + 1):
            begun = self.at + timedelta(minutes=9)
            self.at = begun + timedelta(minutes=4)
            is_passed = self.rng.random() >= chapter.fails
            low, high = (chapter.wanted, chapter.asked) if is_passed else (0, chapter.wanted - 1)
            self.runs.append(
                f"{self.id}\t{chapter.id}\t{number}\t{chapter.wanted}\t{begun}\t{day_of(begun)}\t{self.at}\t{self.rng.randint(low, high)}\t{is_passed}\n"
            )
            if is_passed:
                passed_at = str(self.at)
                break
            if number % RUNS_A_DAY == 0 and not self.wait(is_another_day=True):
                break
        self.progress.append(f"{chapter.id}\t{self.id}\t{chapter.pages}\t{read_at}\t{passed_at}\n")
        return passed_at is not NULL

    def wait(self, *, is_another_day: bool = False) -> bool:
        """Go on to the next time of study, in the county's daytime; tells whether that has come yet."""
        if not is_another_day and self.rng.random() < 0.5:
            self.at += timedelta(minutes=self.rng.randint(2, 30))
        else:
            day = local(self.at) + timedelta(days=self.rng.randint(1, 6))
            hour, minute = self.rng.randint(8, 21), self.rng.randrange(60)
            self.at = from_local(day.replace(hour=hour, minute=minute, tzinfo=None))
        return self.at < self.until


def add_study(session: Session, county: County, *, now: datetime) -> list[Course]:
    """Let six in ten study some of the year's courses, and complete and clear what follows from it; gives the courses in their order.

    The goes at exercises are kept without their questions: half a million rows that no page would show.
    """
    rng = random.Random(SEED + 7)  # noqa: S311 – a demo must come out the same
    courses = _set_up(session, due_on=day_of(now + _DUE_IN))
    ways = [(course, list(_chapters(course))) for course in courses]
    required = [chapters for course, chapters in ways if course.is_required]
    elective = [chapters for course, chapters in ways if not course.is_required]
    own = {account.person_id for account in county.accounts if account.role == "candidate"}
    keen = {unit: rng.betavariate(7, 4) for unit in range(len(county.plan.units))}
    learners = []
    for person, person_id in zip(county.plan.people, county.person_ids, strict=True):
        if person_id not in own and rng.random() < keen[person.unit]:
            learner = _Learner(person_id, rng, now - _BEGUN * rng.random(), now - timedelta(hours=1))
            learner.wait(is_another_day=True)
            _study(learner, required, elective)
            learners.append(learner)
    copy_rows(session, "chapter_progress (chapter_id, person_id, pages_opened, read_at, passed_at)", (line for learner in learners for line in learner.progress))  # fmt: skip
    copy_rows(session, "exercise_runs (person_id, chapter_id, number, pass_count, started_at, started_on, finished_at, right_count, is_passed)", (line for learner in learners for line in learner.runs))  # fmt: skip
    for course in courses:
        complete_course(session, course.id)
    clear_exams(session, now=now)
    return courses


def _study(learner: _Learner, required: Sequence[Sequence[_Chapter]], elective: Sequence[Sequence[_Chapter]]) -> None:
    rng = learner.rng
    place = 0 if rng.random() < 0.7 else rng.randrange(len(required))
    for chapters in [*required[place:], *required[:place]][: 1 + int(rng.expovariate(0.45))]:
        if not learner.study(chapters):
            return
    if rng.random() < 0.25:
        learner.study(rng.choice(elective))


def _set_up(session: Session, *, due_on: date) -> list[Course]:
    """Make some of the shipped courses required, by a day, and the others elective, as an office would; those that are required come first."""
    courses = list(session.scalars(select(Course).order_by(Course.id)))
    for course in courses:
        course.is_required = course.chapters[0].law in _REQUIRED
        course.due_on = due_on if course.is_required else None
    session.flush()
    return sorted(courses, key=lambda course: not course.is_required)


def _chapters(course: Course) -> Iterator[_Chapter]:
    for number, chapter in enumerate(course.chapters):
        yield _Chapter(
            id=chapter.id,
            pages=len(split_pages(chapter.body)),
            asked=chapter.exercise_count,
            wanted=chapter.pass_count,
            fails=_chance_to_fail(chapter, number),
        )


def _chance_to_fail(chapter: Chapter, number: int) -> float:
    if chapter.law == _LEFT_OFF:
        return 0.97 if number else _FAILS
    return _FAILS_HARD if chapter.law == _HARD and number == 1 else _FAILS
