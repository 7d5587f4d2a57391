"""The demo county's study of this year: chapters passed and failed, courses completed, who may sit the exam that asks for study first."""

from __future__ import annotations

import io
import math
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from examapp import clock
from examapp.clock import day_of, from_local, local
from examapp.content.questions.queries import current_key
from examapp.db.bulk import NULL, copy_rows
from examapp.learning.certificate_templates.actions import PlanSettings, Wording, create_plan, save_template
from examapp.learning.certificates.actions import request_job
from examapp.learning.certificates.rules import DEFAULT_BODY
from examapp.learning.courses.models import Chapter, Course, PracticeItem
from examapp.learning.practice.actions import draw_practice, keep_note
from examapp.learning.practice.queries import ask
from examapp.learning.practice.rules import RUNS_A_DAY, Wanted, split_pages
from examapp.learning.practice_answers.actions import answer
from examapp.learning.study.actions import begin_exercise, open_page
from examapp.learning.study_events.models import EventState, StudyEvent
from examapp.learning.study_gates.actions import clear_exams, complete_course
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.units.models import UnitKind
from examapp.platform.audit.actions import ActionContext, Actor
from examapp.platform.demo_county.actions import DemoExams
from examapp.platform.demo_county.rules import SEED, DemoCounty
from question_bank.kinds.base import ItemKey
from question_bank.kinds.registry import kind_of

_REQUIRED = ("宪法", "公务员法", "行政处罚法", "行政复议法", "保守国家秘密法", "法治宣传教育法")
_LEFT_OFF = "监察法"
"""Hardly anybody who begins its course goes beyond the first chapter: the office's page points at it."""
_HARD = "行政强制法"
"""Most fail the exercise of its course's second chapter: likewise."""
_DUE_IN = timedelta(days=30)
_BEGUN = timedelta(days=55)
_FAILS, _FAILS_HARD = 0.12, 0.75
_MAX_RUNS = 5


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
        for number in range(1, _MAX_RUNS + 1):
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


def add_study(session: Session, county: DemoCounty, *, now: datetime) -> list[Course]:
    """Let six in ten study some of the year's courses, and complete and clear what follows from it; gives the courses in their order.

    The goes at exercises are kept without their questions: half a million rows that no page would show.
    """
    rng = random.Random(SEED + 7)  # noqa: S311 – a demo must come out the same
    courses = _set_up(session, due_on=min(day_of(now + _DUE_IN), date(day_of(now).year, 12, 31)))
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


_KINDS: tuple[tuple[str, str, str, str, str], ...] = (
    ("study_group", "党组理论学习中心组学习：学习贯彻习近平法治思想", "宪法", "主要负责同志", "班子成员、股室负责人"),
    ("study_group", "党组理论学习中心组学习：新修订的行政复议法", "行政复议法", "分管负责同志", "班子成员、股室负责人"),
    ("lecture", "法治讲座：行政处罚的程序和听证", "行政处罚法", "县司法局 复议应诉股", "执法人员"),
    ("lecture", "法治讲座：机关怎样保守国家秘密", "保守国家秘密法", "县委保密办", "全体干部职工"),
    ("report", "专题报告会：法治宣传教育法解读", "法治宣传教育法", "县委党校", "全体干部职工"),
    ("court", "旁听庭审：一起行政处罚纠纷案", "行政诉讼法、行政处罚法", "县人民法院", "执法人员"),
    ("outreach", "民法典进村入户宣讲", "民法典", "普法讲师团", "村（居）民、个体工商户"),
    ("outreach", "法治宣传教育法宣讲", "法治宣传教育法", "普法讲师团", "企业职工、服务对象"),
    ("case", "以案释法：一起未履行告知程序的处罚案", "行政处罚法", "法制审核人员", "执法对象、经营主体"),
    ("culture", "法治文艺汇演：宪法在身边", "宪法", "", "群众"),
    ("night_school", "法治夜校：公务员应当知道的政务处分规定", "公职人员政务处分法", "县纪委监委", "年轻干部"),
)  # fmt: skip
_IN_CAMPAIGNS = (
    (5, 0.4, next(what for what in _KINDS if what[2] == "民法典")),
    (6, 0.3, ("lecture", "安全生产法讲座：重大隐患的报告和处置", "安全生产法", "县应急管理局", "安全管理人员")),
    (11, 0.25, ("outreach", "消防法进单位宣讲", "消防法", "县消防救援大队", "干部职工、服务对象")),
)
"""Month of a campaign, how many of the units hold an event in it, and which."""
_OUTSIDE = {"outreach": (40, 320), "case": (20, 90), "culture": (120, 600)}
"""How many of the public such an event reaches, from and to."""
_PLACES = {
    "court": "县人民法院第一审判庭",
    "outreach": "本单位服务窗口",
    "case": "本单位服务大厅",
    "culture": "本单位门前广场",
    "night_school": "县委党校一号教室",
}
_ROOM = "本单位会议室"
_MAX_BACK_DAYS = 150
_MAX_THERE = 40


def add_gatherings(session: Session, county: DemoCounty, *, now: datetime) -> None:
    """Insert one to three settled events a unit, and for the units of shown accounts one that waits to be settled and one to come."""
    rng = random.Random(SEED + 9)  # noqa: S311 – a demo must come out the same
    people, shown = _people(county), {account.unit for account in county.accounts}
    rows: list[tuple[dict[str, Any], list[tuple[int, int]]]] = []
    for index, own in sorted(people.items()):
        unit_id = county.unit_ids[index]
        for what in rng.sample(_KINDS, rng.randint(2, 4)):
            event = _event(
                unit_id, what, now - timedelta(days=rng.randint(8, _MAX_BACK_DAYS)), county.office_id, rng=rng
            )
            rows.append((event | {"state": EventState.HELD}, _present(own, rng)))
        for month, share, what in _IN_CAMPAIGNS:
            if rng.random() < share:
                event = _event(unit_id, what, _in_month(month, now, rng), county.office_id, rng=rng)
                rows.append((event | {"state": EventState.HELD}, _present(own, rng)))
        if county.plan.units[index].name in shown:
            last = _event(unit_id, _KINDS[2], now - timedelta(days=2), county.office_id, rng=rng)
            rows.append((last, _present(own, rng)))
            rows.append((_event(unit_id, _KINDS[4], now + timedelta(days=3), county.office_id, rng=rng), []))
    events = [event for event, _ in rows]
    ids = session.scalars(insert(StudyEvent).returning(StudyEvent.id, sort_by_parameter_order=True), events).all()
    lines = (
        f"{event_id}\t{person_id}\t{unit_id}\t{'code' if number % 4 else 'list'}\t{event['starts_at']}\t{county.office_id}\n"
        for event_id, (event, present) in zip(ids, rows, strict=True)
        for number, (person_id, unit_id) in enumerate(present)
    )
    copy_rows(session, "event_attendances (event_id, person_id, unit_id, way, noted_at, noted_by_id)", lines)


def _in_month(month: int, now: datetime, rng: random.Random) -> datetime:
    """Choose a day of that month that has passed, of this year or the last."""
    day = clock.local(now).replace(month=month, day=rng.randint(6, 29))
    return day if day < now else day.replace(year=day.year - 1)


def _people(county: DemoCounty) -> dict[int, list[tuple[int, int]]]:
    """Give person and unit of everybody, by the place of the department or township that they belong to."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for person, person_id in zip(county.plan.people, county.person_ids, strict=True):
        unit = county.plan.units[person.unit]
        top = person.unit if unit.kind is not UnitKind.SUB_UNIT else unit.parent or 0
        found[top].append((person_id, county.unit_ids[person.unit]))
    return found


def _present(people: Sequence[tuple[int, int]], rng: random.Random) -> list[tuple[int, int]]:
    count = min(_MAX_THERE, max(1, int(len(people) * rng.uniform(0.5, 0.9))))
    return rng.sample(people, count)


def _event(
    unit_id: int, what: tuple[str, str, str, str, str], day: datetime, by_id: int, *, rng: random.Random
) -> dict[str, Any]:
    """Make an event of a working hour of that day."""
    kind, theme, laws, speaker, audience = what
    hour = 19 if kind == "night_school" else rng.choice((9, 15))
    starts_at = clock.from_local(clock.local(day).replace(hour=hour, minute=0, second=0, microsecond=0, tzinfo=None))
    return {
        "unit_id": unit_id, "kind": kind, "theme": theme, "laws": laws, "speaker": speaker, "place": _PLACES.get(kind, _ROOM), "audience": audience,
        "outside_count": rng.randint(*_OUTSIDE.get(kind, (0, 0))), "is_distinct": False,
        "summary": "", "starts_at": starts_at, "ends_at": starts_at + timedelta(hours=2), "state": EventState.PLANNED,
        "code_seed": rng.randbytes(20), "created_by_id": by_id, "created_at": starts_at - timedelta(days=7),
        "updated_at": starts_at - timedelta(days=7),
    }  # fmt: skip


_RED = (190, 20, 24, 230)
_SIDE = 400
_COURSES = 2


def add_certificates(
    session: Session, county: DemoCounty, exams: DemoExams, courses: Sequence[Course], *, now: datetime
) -> None:
    """Write template and plans, and lay out the jobs of issuing: rows that the workers find once they run."""
    context, year = ActionContext(session, Actor(person_id=county.office_id), now), clock.local(now).year
    of_exam, of_courses = (
        save_template(
            context,
            template_id=None,
            wording=Wording(name=name, heading=heading, body=DEFAULT_BODY, signer="云溪县普法办公室"),
            seal=_seal(),
        )
        for name, heading in (("学法用法合格证", "合格证书"), ("课程结业证", "结业证书"))
    )
    plans = (
        PlanSettings(
            title=exams.last_year.title, prefix=f"XF{year - 1}", template_id=of_exam.id, exam_id=exams.last_year.id
        ),
        PlanSettings(
            title=f"{year}年度必修课程（第一批）",
            prefix=f"KC{year}",
            template_id=of_courses.id,
            exam_id=None,
            course_ids=tuple(course.id for course in courses[:_COURSES]),
        ),
    )
    for settings in plans:
        plan = create_plan(context, settings=settings)
        request_job(context, plan_id=plan.id, purpose="issue", access=AccessScope(is_everything=True))


def _seal() -> bytes:
    """Draw a seal that says that it is none: a ring, a star, and 演示专用."""
    from PIL import Image, ImageDraw, ImageFont

    from examapp.documents.pdf_font import font_path

    picture = Image.new("RGBA", (_SIDE, _SIDE))
    pen, middle = ImageDraw.Draw(picture), _SIDE / 2
    pen.ellipse((8, 8, _SIDE - 8, _SIDE - 8), outline=_RED, width=12)
    points = [
        (middle + radius * math.sin(math.pi * n / 5), middle - 30 - radius * math.cos(math.pi * n / 5))
        for n in range(10)
        for radius in ((80, 31)[n % 2],)
    ]
    pen.polygon(points, fill=_RED)
    pen.text((middle, 305), "演示专用", font=ImageFont.truetype(str(font_path()), 52, index=2), fill=_RED, anchor="mm")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


_COMPLETED = 2
_PRACTISED = ("宪法", "民法典", "公务员法")
_EACH = 4
_RIGHT_IN_PRACTICE = 0.6
_NOTE = "期限和听证这几处容易混，考前再看一遍。"

_MAX_A_DAY = 10_000
"""More than the demo answers: the limit of the site is for people."""


def add_learner(session: Session, county: DemoCounty, courses: Sequence[Course], *, now: datetime) -> None:
    """Let the shown candidate study and practise by the program's own operations, so that every page of a learner has something."""
    rng = random.Random(SEED + 8)  # noqa: S311 – a demo must come out the same
    session.execute(text("SELECT setseed(0.2026)"))  # questions are drawn by the database's own dice
    person_id = next(account.person_id for account in county.accounts if account.role == "candidate")
    begun = courses[_COMPLETED].chapters
    studied = [chapter for course in courses[:_COMPLETED] for chapter in course.chapters]
    for days, chapter in enumerate([*studied, begun[0]]):
        _complete_courses(session, person_id, chapter, at=now - timedelta(days=25 - 2 * days), rng=rng)
    open_page(session, chapter_id=begun[1].id, person_id=person_id, number=1, now=now - timedelta(days=1))
    for days, law in enumerate(_PRACTISED):
        _practise(session, person_id, law, at=now - timedelta(days=5 - days), rng=rng)


def _complete_courses(session: Session, person_id: int, chapter: Chapter, *, at: datetime, rng: random.Random) -> None:
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
    answer(session, item_id=item.id, person_id=item.person_id, raw=raw, now=at, max_a_day=_MAX_A_DAY)


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
