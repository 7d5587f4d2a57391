"""The demo county's study in the room: what units held this year with who was there, and what is planned next."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from examapp.core import clock
from examapp.demo.operations.copying import copy_rows
from examapp.demo.operations.county import County
from examapp.demo.rules import SEED
from examapp.org.models import UnitKind
from examapp.records.models import EventState, StudyEvent

_KINDS: tuple[tuple[str, str, str, str, str], ...] = (
    ("study_group", "党组理论学习中心组学习：学习贯彻习近平法治思想", "宪法", "主要负责同志", "班子成员、股室负责人"),
    ("study_group", "党组理论学习中心组学习：新修订的行政复议法", "行政复议法", "分管负责同志", "班子成员、股室负责人"),
    ("lecture", "法治讲座：行政处罚的程序和听证", "行政处罚法", "县司法局 复议应诉股", "执法人员"),
    ("lecture", "法治讲座：机关怎样保守国家秘密", "保守国家秘密法", "县委保密办", "全体干部职工"),
    ("report", "专题报告会：法治宣传教育法解读", "法治宣传教育法", "县委党校", "全体干部职工"),
    ("court", "旁听庭审：一起行政处罚纠纷案", "行政诉讼法、行政处罚法", "县人民法院", "执法人员"),
    ("night_school", "法治夜校：公务员应当知道的政务处分规定", "公职人员政务处分法", "县纪委监委", "年轻干部"),
)  # fmt: skip
_PLACES = {"court": "县人民法院第一审判庭", "night_school": "县委党校一号教室"}
_ROOM = "本单位会议室"
_LONGEST_BACK_DAYS = 150
_MOST_THERE = 40


def add_gatherings(session: Session, county: County, *, now: datetime) -> None:
    """Insert one to three settled events a unit, and for the units of shown accounts one that waits to be settled and one to come."""
    rng = random.Random(SEED + 9)  # noqa: S311 – a demo must come out the same
    people, shown = _people(county), {account.unit for account in county.accounts}
    rows: list[tuple[dict[str, Any], list[tuple[int, int]]]] = []
    for index, own in sorted(people.items()):
        unit_id = county.unit_ids[index]
        for what in rng.sample(_KINDS, rng.randint(1, 3)):
            event = _event(
                unit_id, what, now - timedelta(days=rng.randint(8, _LONGEST_BACK_DAYS)), county.office_id, rng=rng
            )
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


def _people(county: County) -> dict[int, list[tuple[int, int]]]:
    """Give person and unit of everybody, by the place of the department or township that they belong to."""
    found: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for person, person_id in zip(county.plan.people, county.person_ids, strict=True):
        unit = county.plan.units[person.unit]
        top = person.unit if unit.kind is not UnitKind.SUB_UNIT else unit.parent or 0
        found[top].append((person_id, county.unit_ids[person.unit]))
    return found


def _present(people: Sequence[tuple[int, int]], rng: random.Random) -> list[tuple[int, int]]:
    count = min(_MOST_THERE, max(1, int(len(people) * rng.uniform(0.5, 0.9))))
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
        "summary": "", "starts_at": starts_at, "ends_at": starts_at + timedelta(hours=2), "state": EventState.PLANNED,
        "code_seed": rng.randbytes(20), "created_by_id": by_id, "created_at": starts_at - timedelta(days=7),
        "updated_at": starts_at - timedelta(days=7),
    }  # fmt: skip
