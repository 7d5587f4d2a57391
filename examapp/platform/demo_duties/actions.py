"""The demo county's responsibility lists of this year and last, what was done on them, and last year's assessment, sealed."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from examapp import clock
from examapp.organisation.units.models import Unit, UnitKind
from examapp.oversight.assessment_indicators.queries import Rates, rates_of
from examapp.oversight.assessment_tables.actions import new_item, stored_bands
from examapp.oversight.assessments.actions import snapshot
from examapp.oversight.assessments.models import (
    Assessment,
    AssessmentOpinion,
    AssessmentReview,
    AssessmentReviewer,
    AssessmentRevision,
    AssessmentScore,
    AssessmentSheet,
)
from examapp.oversight.assessments.queries import Review, ScoreSheetLine, UnitScoreSheet, bands_of
from examapp.oversight.assessments.rules import SHIPPED_BANDS, SHIPPED_TABLE, Indicator, SheetState, band_of
from examapp.oversight.campaigns.actions import open_shipped
from examapp.oversight.duty_lists.models import DutyItem, DutyList, DutyRecord
from examapp.oversight.duty_lists.rules import SHIPPED_DUTIES, SHIPPED_MEASURES, SHIPPED_STANDARD
from examapp.oversight.duty_reports.models import DutyReport
from examapp.oversight.duty_reports.rules import HEADS
from examapp.platform.audit.actions import ActionContext, Actor
from examapp.platform.demo_county.actions import DemoExams
from examapp.platform.demo_county.rules import SEED, SUPERVISED, DemoCounty

_OWN = (
    "行政处罚法",
    "行政许可法",
    "信访工作条例",
    "安全生产法",
    "网络安全法",
    "保守国家秘密法",
    "生态环境法典",
    "乡村振兴促进法",
    "民营经济促进法",
    "公务员法",
)
_FORMS = ("集中学习", "以案释法", "现场宣传", "专题讲座", "送法上门")
_PLACES = ("单位会议室", "政务服务大厅", "中心广场", "村（社区）服务中心")
_ASSESSED = {UnitKind.DEPARTMENT, UnitKind.TOWNSHIP, UnitKind.INSTITUTION}
_REVIEWING = ("县纪委监委机关", "县委宣传部")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A unit with a list: its id, who leads and who answers, and the leader's id."""

    unit_id: int
    leader_id: int
    leader: str
    person: str


def add_duties(session: Session, county: DemoCounty, exams: DemoExams, *, now: datetime) -> None:
    """Insert two years of lists with records, last year's assessment with its seals, and this year's just begun."""
    rng = random.Random(SEED + 5)  # noqa: S311 – a demo must come out the same
    places, year = _places(county), clock.local(now).year
    for of_year in (year - 1, year):
        _add_lists(session, places, of_year, rng=rng, now=now, by_id=county.office_id)
        _add_reports(session, places, of_year, rng=rng, now=now)
        open_shipped(ActionContext(session, Actor(person_id=county.office_id), now), year=of_year)
    last = _add_assessment(session, county, year - 1, exam_id=exams.last_year.id, now=now - timedelta(days=330))
    _add_sealed_sheets(session, county, last, places, rng=rng, now=now)
    this = _add_assessment(session, county, year, exam_id=exams.this_year.id, now=now - timedelta(days=5))
    _add_begun_sheets(session, this, places, rng=rng, now=now)


def _places(county: DemoCounty) -> list[_Place]:
    people: dict[int, list[str]] = defaultdict(list)
    leaders: dict[int, int] = {}
    for person, person_id in zip(county.plan.people, county.person_ids, strict=True):
        unit = county.plan.units[person.unit]
        top = person.unit if unit.kind is not UnitKind.SUB_UNIT else unit.parent or 0
        people[top].append(f"{person.name}（{person.staff_number}）")
        leaders.setdefault(top, person_id)
    return [
        _Place(
            unit_id=county.unit_ids[index],
            leader_id=leaders[index],
            leader=people[index][0].split("（")[0],
            person=people[index][-1],
        )
        for index, unit in enumerate(county.plan.units)
        if unit.kind in _ASSESSED and unit.parent == 0 and people[index]
    ]


def _add_lists(
    session: Session, places: Sequence[_Place], year: int, *, rng: random.Random, now: datetime, by_id: int
) -> None:
    begun = datetime(year, 2, 20, 2, tzinfo=UTC)
    made = {"year": year, "version": 1, "remark": "", "created_at": begun, "updated_at": begun}
    common_id = session.scalar(insert(DutyList).values(unit_id=None, state="draft", **made).returning(DutyList.id))
    lists = [
        made | {"unit_id": place.unit_id, "state": "published", "proposed_at": begun, "published_at": begun}
        for place in places
    ]
    list_ids = session.scalars(insert(DutyList).returning(DutyList.id, sort_by_parameter_order=True), lists).all()
    assert common_id is not None
    sources = _insert_items(session, [_item(common_id, n, year, begun) for n in range(len(SHIPPED_DUTIES))])
    items = []
    for place, list_id in zip(places, list_ids, strict=True):
        user = {"leader": place.leader, "person": place.person, "department": "办公室"}
        items += [_item(list_id, n, year, begun, source_id=sources[n]) | user for n in range(len(SHIPPED_DUTIES))]
        items += [_own_item(list_id, n, year, begun, rng=rng) | user for n in range(2)]
    item_ids = _insert_items(session, items)
    today = clock.day_of(now)
    records = [
        _record(item_id, item["content"], done_on, rng=rng, by_id=by_id)
        for item_id, item in zip(item_ids, items, strict=True)
        if (done_on := _done_on(item["due_on"], today=today, rng=rng)) is not None
    ]
    session.execute(insert(DutyRecord), records)


def _insert_items(session: Session, items: list[dict[str, Any]]) -> Sequence[int]:
    return session.scalars(insert(DutyItem).returning(DutyItem.id, sort_by_parameter_order=True), items).all()


def _item(list_id: int, number: int, year: int, at: datetime, *, source_id: int | None = None) -> dict[str, Any]:
    content, audience, carrier, due, key = SHIPPED_DUTIES[number]
    return {
        "list_id": list_id,
        "source_id": source_id,
        "position": number + 1,
        "kind": "common",
        "content": content,
        "audience": audience,
        "carrier": carrier,
        "measures": SHIPPED_MEASURES,
        "standard": SHIPPED_STANDARD,
        "leader": "",
        "person": "",
        "department": "",
        "key_on": date(year, *key) if key else None,
        "due_on": date(year, *due),
        "version": 1,
        "created_at": at,
        "updated_at": at,
    }


def _own_item(list_id: int, number: int, year: int, at: datetime, *, rng: random.Random) -> dict[str, Any]:
    return _item(list_id, number, year, at) | {
        "position": len(SHIPPED_DUTIES) + number + 1,
        "kind": "own",
        "content": rng.choice(_OWN),
        "audience": "管理和服务对象",
        "carrier": rng.choice(_FORMS),
        "key_on": None,
        "due_on": date(year, rng.choice((3, 5, 7, 8, 10, 12)), 20),
    }


def _done_on(due_on: date, *, today: date, rng: random.Random) -> date | None:
    """Choose when an item was done: most before it was due, some late, some never; nothing lies ahead."""
    chance = rng.random()
    done_on = (
        due_on + timedelta(days=rng.randint(3, 15)) if chance > 0.93 else due_on - timedelta(days=rng.randint(0, 25))
    )
    return done_on if chance <= 0.97 and done_on <= today else None


def _record(item_id: int, content: str, done_on: date, *, rng: random.Random, by_id: int) -> dict[str, Any]:
    at = datetime(done_on.year, done_on.month, done_on.day, 9, tzinfo=UTC)
    return {
        "item_id": item_id,
        "done_on": done_on,
        "place": rng.choice(_PLACES),
        "form": rng.choice(_FORMS),
        "reached": rng.randint(20, 260),
        "law": content,
        "text": f"围绕“{content}”开展学习宣传，现场答疑。",
        "recorded_by_id": by_id,
        "version": 1,
        "created_at": at,
        "updated_at": at,
    }


_WRITTEN = {
    "problems": "学法的针对性还不够强，基层执法人员学用结合不紧。",
    "plan": "把学法列入每月例会，结合执法案例开展以案释法。",
    "decision": "重大事项经合法性审查和集体讨论后决定。",
    "enforcement": "落实行政执法三项制度，规范告知和听证程序。",
}


def _add_reports(session: Session, places: Sequence[_Place], year: int, *, rng: random.Random, now: datetime) -> None:
    """Ask for the reports of a year; of this year's most are in, some late or read, some missing."""
    is_last = year < clock.local(now).year
    due_on = date(year, 12, 20) if is_last else clock.day_of(now) - timedelta(days=3)
    rows = []
    for place in places:
        for kind in ("leader", "unit"):
            days, chance = rng.randint(-2, 20), rng.random()
            at = datetime(due_on.year, due_on.month, due_on.day, 3, tzinfo=UTC) - timedelta(days=days)
            state = "read" if is_last or chance < 0.3 else "submitted" if chance < 0.85 else "open"
            texts = {key: _WRITTEN.get(key, "见平台记录。") for key in HEADS[kind]} if state != "open" else {}
            rows.append(
                {
                    "unit_id": place.unit_id,
                    "year": year,
                    "kind": kind,
                    "person_id": place.leader_id,
                    "due_on": due_on,
                    "state": state,
                    "texts": texts,
                    "submitted_at": at if texts else None,
                    "read_at": at + timedelta(days=1) if state == "read" else None,
                    "remark": "",
                    "version": 1,
                    "updated_at": at,
                }
            )
    session.execute(insert(DutyReport), rows)


def _add_assessment(session: Session, county: DemoCounty, year: int, *, exam_id: int, now: datetime) -> Assessment:
    assessment = Assessment(
        year=year, title=f"{year} 年度普法责任制考核", exam_id=exam_id, state="open", bands=stored_bands(SHIPPED_BANDS), appeal_days=7,
        self_due_on=clock.day_of(now + timedelta(days=30)), created_by_id=county.office_id, created_at=now, updated_at=now, opened_at=now,
    )  # fmt: skip
    session.add(assessment)
    session.flush()
    assessment.items = [new_item(assessment.id, position, item) for position, item in enumerate(SHIPPED_TABLE, 1)]
    session.flush()
    rows = [
        {"assessment_id": assessment.id, "person_id": person_id, "added_at": now} for person_id in _reviewers(county)
    ]
    session.execute(insert(AssessmentReviewer), rows)
    return assessment


def _reviewers(county: DemoCounty) -> list[int]:
    """Choose who reviews: the office, and the first official of two units."""
    homes = [index for index, unit in enumerate(county.plan.units) if unit.name in _REVIEWING]
    first = [next(n for n, person in enumerate(county.plan.people) if person.unit == home) for home in homes]
    return [county.office_id, *(county.person_ids[n] for n in first)]


def _sheet(assessment: Assessment, place: _Place, state: SheetState, at: datetime) -> AssessmentSheet:
    is_in = state is not SheetState.SELF
    return AssessmentSheet(
        assessment_id=assessment.id, unit_id=place.unit_id, state=state, submitted_at=at if is_in else None, updated_at=at,
    )  # fmt: skip


def _add_sealed_sheets(
    session: Session,
    county: DemoCounty,
    assessment: Assessment,
    places: Sequence[_Place],
    *,
    rng: random.Random,
    now: datetime,
) -> None:
    at = now - timedelta(days=300)
    unit_ids = [place.unit_id for place in places]
    rates = rates_of(session, assessment, unit_ids, now=now)
    units = {unit.id: unit for unit in session.scalars(select(Unit).where(Unit.id.in_(unit_ids)))}
    reviewer_ids = _reviewers(county)
    homes = dict(zip(county.person_ids, (county.unit_ids[p.unit] for p in county.plan.people), strict=True))
    home_of_office = next(
        u for u, unit in zip(county.unit_ids, county.plan.units, strict=True) if unit.name == "县司法局"
    )
    sheets = []
    for place in places:
        outside = [r for r in reviewer_ids if homes.get(r, home_of_office) != place.unit_id]
        row = _sheet(assessment, place, SheetState.SUBMITTED, at)
        lines = _lines(assessment, rates[place.unit_id], outside, rng=rng)
        sheet = UnitScoreSheet(row=row, assessment=assessment, unit=units[place.unit_id], lines=lines)
        row.state, row.fed_back_at, row.sealed_at, row.total = (
            SheetState.SEALED,
            at,
            at + timedelta(days=9),
            sheet.total,
        )
        row.band = band_of(sheet.total or Decimal(0), possible=sheet.possible, bands=bands_of(assessment))
        sheets.append(sheet)
    session.add_all([sheet.row for sheet in sheets])
    session.flush()
    _add_lines(session, sheets, at=at)
    revisions = [
        {
            "sheet_id": sheet.row.id, "number": 1, "reason": "", "lines": snapshot(sheet), "total": sheet.row.total, "band": sheet.row.band,
            "made_at": sheet.row.sealed_at, "made_by_id": county.office_id,
        }
        for sheet in sheets
    ]  # fmt: skip
    session.execute(insert(AssessmentRevision), revisions)
    _add_opinions(session, county, sheets, at=at)


def _add_opinions(session: Session, county: DemoCounty, sheets: Sequence[UnitScoreSheet], *, at: datetime) -> None:
    """Let bureaus propose points for the units of their systems."""
    plan, ids = county.plan.units, county.unit_ids
    bureaus = {
        ids[index]: ids[unit.sector_parent]
        for index, unit in enumerate(plan)
        if unit.sector_parent is not None and plan[unit.sector_parent].name in SUPERVISED
    }
    rows = [
        {"sheet_id": sheet.row.id, "bureau_id": bureaus[sheet.unit.id], "points": sheet.row.total, "text": "同意评分，系统内学法组织较好。", "given_at": at}
        for sheet in sheets
        if sheet.unit.id in bureaus
    ]  # fmt: skip
    session.execute(insert(AssessmentOpinion), rows)


def _lines(
    assessment: Assessment, rates: Rates, reviewer_ids: Sequence[int], *, rng: random.Random
) -> list[ScoreSheetLine]:
    lines = []
    for number, item in enumerate(assessment.items, 1):
        rate = rates.get(Indicator(item.indicator))
        is_judged = rate is None
        own = item.points - rng.randint(0, 1)
        given = [max(own - Decimal(rng.randint(0, 4)) / 2, Decimal(1)) for _ in reviewer_ids] if is_judged else []
        reviews = [
            Review(
                reviewer="", reviewer_id=reviewer_id, points=points, remark="" if points == own else "材料不够完整。"
            )
            for reviewer_id, points in zip(reviewer_ids, given, strict=False)
        ]
        lines.append(
            ScoreSheetLine(
                number=number,
                item=item,
                self_points=own if is_judged else None,
                self_reason="已按要求落实，履职记录见台账。" if is_judged else "",
                rate=rate,
                reviews=reviews,
                fixed=None,
            )
        )
    return lines


def _add_lines(session: Session, sheets: Sequence[UnitScoreSheet], *, at: datetime) -> None:
    scores, reviews = [], []
    for sheet in sheets:
        is_fixed = sheet.row.total is not None
        for line in sheet.lines:
            ids = {"sheet_id": sheet.row.id, "item_id": line.item.id}
            scores.append(
                ids
                | {
                    "self_points": line.self_points,
                    "self_reason": line.self_reason,
                    "rate": line.rate if is_fixed else None,
                    "points": line.reviewed if is_fixed else None,
                }
            )
            reviews += [
                ids | {"reviewer_id": r.reviewer_id, "points": r.points, "remark": r.remark, "reviewed_at": at}
                for r in line.reviews
            ]
    session.execute(insert(AssessmentScore), scores)
    if reviews:
        session.execute(insert(AssessmentReview), reviews)


def _add_begun_sheets(
    session: Session, assessment: Assessment, places: Sequence[_Place], *, rng: random.Random, now: datetime
) -> None:
    """Give every unit this year's sheet; a few have scored themselves already."""
    at = now - timedelta(days=2)
    rows = [
        _sheet(assessment, place, SheetState.SUBMITTED if number % 12 == 3 else SheetState.SELF, at)
        for number, place in enumerate(places)
    ]
    session.add_all(rows)
    session.flush()
    submitted = [row for row in rows if row.state == SheetState.SUBMITTED]
    units = {u.id: u for u in session.scalars(select(Unit).where(Unit.id.in_([row.unit_id for row in submitted])))}
    sheets = [
        UnitScoreSheet(
            row=row, assessment=assessment, unit=units[row.unit_id], lines=_lines(assessment, {}, [], rng=rng)
        )
        for row in submitted
    ]
    _add_lines(session, sheets, at=at)
