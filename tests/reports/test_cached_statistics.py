"""Kept figures are those that counting would give, whatever happened since, and a change that commits while they are made is not missed."""

import random
import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects import postgresql

from examapp import clock
from examapp.db.session import Base, db, read_session, transaction
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.exams.models import CountingRule, ExamAudience, Exemption, MakeupEligibility, RosterSnapshotPerson
from examapp.delivery.exams.queries import get_audience
from examapp.delivery.grading.models import ExternalResult, Grade
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit
from examapp.oversight.roster_snapshots.actions import create_snapshot
from examapp.oversight.statistics import queries as statistics_queries
from examapp.oversight.statistics.actions import refresh_unit_stats
from examapp.oversight.statistics.models import StatsInvalidation, UnitStatsCache
from examapp.oversight.statistics.queries import counts_by_unit, find_kept_counts
from examapp.oversight.statistics_definitions.rules import Counts, Scope
from examapp.oversight.statistics_population.queries import select_counts
from examapp.oversight.statistics_scope.queries import (
    EVERYBODY,
    PeopleFilter,
    RosterQueryKey,
    _select_marks,
    get_report_context,
    roster_query_key,
)
from examapp.platform.audit.actions import SYSTEM, ActionContext
from tests.reports.county import DAY, ReportCounty


def keep(session):
    return refresh_unit_stats(session, now=clock.now(), min_people=0)


def counted(session, roster_key, unit_ids=None):
    wanted = PeopleFilter(unit_ids=None if unit_ids is None else tuple(unit_ids))
    return {unit_id: Counts(*values) for unit_id, *values in session.execute(select_counts(roster_key, wanted))}


def roster_keys(session, exam):
    bases = [get_report_context(session, exam.id, scope=scope, now=clock.now()) for scope in Scope]
    return [roster_query_key(session, report_context) for report_context in bases]


def test_cached_statistics_are_read_where_nothing_is_marked(county):
    session = county.world.session
    county.fill_with_every_odd_case()
    report_context = get_report_context(session, county.exam.id, scope=None, now=clock.now())
    assert find_kept_counts(session, roster_query_key(session, report_context), None) is None
    before = counts_by_unit(session, report_context)
    assert keep(session) == 2  # the county's exam, and the one that somebody sat besides
    assert counts_by_unit(session, report_context) == before
    session.execute(update(UnitStatsCache).where(UnitStatsCache.unit_id == county.town.id).values(roster=777))
    assert counts_by_unit(session, report_context)[county.town.id].roster == 777
    assert (
        counts_by_unit(session, report_context, PeopleFilter(unit_ids=[county.town.id]))[county.town.id].roster == 777
    )
    assert counts_by_unit(session, report_context, PeopleFilter(rank="无此职级")) == {}
    county.attempt(county.people["absent too"], points="70")
    assert counts_by_unit(session, report_context)[county.town.id].roster == 777, "only the school is marked"
    assert (
        counts_by_unit(session, report_context)[county.school.id].participated
        == before[county.school.id].participated + 1
    )
    county.excuse(county.people["in progress"])
    session.execute(update(Person).where(Person.id == county.people["absent"].id).values(unit_id=county.town.id))
    assert counts_by_unit(session, report_context)[county.town.id].roster == before[county.town.id].roster + 1


def test_small_rosters_are_counted_and_their_marks_forgotten(county):
    session = county.world.session
    county.fill_with_every_odd_case()
    keep(session)
    county.excuse(county.people["absent"])
    assert refresh_unit_stats(session, now=clock.now()) == 0
    assert session.scalar(select(func.count()).select_from(StatsInvalidation)) == 0
    assert session.scalar(select(func.count()).select_from(UnitStatsCache)) == 0
    assert county.exam.cached_roster_keys == []


@dataclass
class Chance:
    """Happenings of a county, one by one, chosen by a seed; rows are written as they come, past every rule of the program."""

    county: ReportCounty
    seed: int
    makeup: Any = None
    dice: random.Random = field(init=False)

    def __post_init__(self):
        self.dice = random.Random(self.seed)
        self.session = self.county.world.session
        self.units = [c for c in vars(self.county).values() if isinstance(c, Unit) and c.kind != "sector"]

    def person(self) -> Person:
        return self.dice.choice(list(self.county.people.values()))

    def exam(self):
        return self.dice.choice([self.county.exam, self.makeup])

    def happen(self):
        what = self.dice.choice([n for n in dir(self) if n.startswith("let_")])
        getattr(self, what)()
        self.session.flush()
        return what

    def let_somebody_start_or_hand_in(self):
        person, exam = self.person(), self.exam()
        live = Attempt.state == "in_progress"
        mine = (Attempt.exam_id == exam.id, Attempt.person_id == person.id)
        running = self.session.scalars(select(Attempt).where(*mine, live)).one_or_none()
        if running is None:
            number = 1 + (self.session.scalar(select(func.max(Attempt.number)).where(*mine)) or 0)
            self.county.attempt(person, exam=exam, number=number, submitted=False, hours_ago=self.dice.randint(1, 30))
            return
        running.state, running.receipt_number = "submitted", f"C{running.id}"
        running.submitted_at = running.started_at + timedelta(minutes=self.dice.randint(1, 30))

    def let_an_attempt_be_graded_or_regraded(self):
        attempt = self.dice.choice(self.session.scalars(select(Attempt).where(Attempt.state != "in_progress")).all())
        last = self.session.scalar(select(func.max(Grade.number)).where(Grade.attempt_id == attempt.id)) or 0
        self.session.execute(update(Grade).where(Grade.attempt_id == attempt.id).values(is_current=False))
        attempt.state = "graded"
        self.county.grade(attempt, self.dice.randint(0, 100), number=last + 1)

    def let_somebody_be_excused_or_not(self):
        person = self.person()
        found = self.session.scalars(
            select(Exemption).where(Exemption.exam_id == self.county.exam.id, Exemption.person_id == person.id)
        ).all()
        if not found:
            self.county.excuse(person, self.dice.choice(["exemption", "deferral"]))
            return
        for row in found:
            row.withdrawn_at = None if row.withdrawn_at and len(found) == 1 else clock.now()

    def let_somebody_move_leave_or_come_back(self):
        person = self.person()
        person.unit_id = self.dice.choice(self.units).id
        person.state = self.dice.choice(["on_roster", "on_roster", "left"])
        person.rank = self.dice.choice(["一级科员", "四级调研员"])

    def let_somebody_join(self):
        self.county.people[f"new {len(self.county.people)}"] = self.county.world.person(self.dice.choice(self.units))

    def let_a_result_come_from_elsewhere_or_go(self):
        person, exam = self.person(), self.exam()
        found = self.session.scalars(
            select(ExternalResult).where(ExternalResult.exam_id == exam.id, ExternalResult.person_id == person.id)
        ).first()
        if found is not None:
            found.undone_at = None if found.undone_at else clock.now()
            return
        exam.has_external_results = True
        points = Decimal(self.dice.randint(0, 100))
        self.session.add(
            ExternalResult(
                exam_id=exam.id, person_id=person.id, unit_id=person.unit_id, import_id=1, source="省平台", points=points,
                points_possible=100, percent=points, band="pass" if points >= 60 else "fail", is_passed=points >= 60,
                taken_at=clock.now() - DAY, recorded_at=clock.now(),
            )
        )  # fmt: skip

    def let_the_makeup_take_or_lose_somebody(self):
        person = self.person()
        gone = delete(MakeupEligibility).where(
            MakeupEligibility.exam_id == self.makeup.id, MakeupEligibility.person_id == person.id
        )
        if not self.session.execute(gone).rowcount:
            self.county.eligible_for(self.makeup, person)

    def let_the_audience_change(self):
        if self.dice.random() < 0.5:
            self.session.execute(delete(ExamAudience).where(ExamAudience.exam_id == self.county.exam.id))
        else:
            named = self.dice.choice([{"person_id": self.person().id}, {"unit_id": self.county.bureau.id}])
            self.session.add(ExamAudience(exam_id=self.county.exam.id, ranks=[], **named))

    def let_a_unit_hang_elsewhere(self):
        self.county.school.region_path = self.dice.choice(
            [
                f"{above.region_path}{self.county.school.id}/"
                for above in (self.county.town, self.county.bureau, self.county.top)
            ]
        )

    def let_the_rule_change(self):
        self.county.exam.counting_rule = self.dice.choice(list(CountingRule))

    def let_the_historic_roster_be_corrected(self):
        snapshot_rows = self.session.scalars(
            select(RosterSnapshotPerson).where(RosterSnapshotPerson.exam_id == self.county.exam.id)
        ).all()
        if snapshot_rows:
            row = self.dice.choice(snapshot_rows)
            row.unit_id = self.dice.choice(self.units).id
            row.excuse = self.dice.choice([None, "exemption"])

    def let_the_figures_be_kept(self):
        keep(self.session)


@pytest.mark.parametrize(
    ("seed", "steps"),
    [
        (0, 20),
        (1, 24),
        *(pytest.param(seed, 80, marks=pytest.mark.slow) for seed in (2, 3)),
        *(pytest.param(seed, 80, marks=pytest.mark.long) for seed in (4, 5)),
    ],
)
def test_whatever_happens_what_is_kept_and_marked_is_what_counting_gives(county, seed, steps):
    session = county.world.session
    county.fill_with_every_odd_case()
    chance = Chance(county, seed, makeup=county.makeup())
    keep(session)
    looks, read = 0, 0
    for step in range(steps):
        if step == steps * 2 // 3 and seed % 2:
            county.exam.snapshot_due_at = clock.now()
            assert create_snapshot(ActionContext(session, SYSTEM, clock.now()), county.exam.id)
        what = chance.happen()
        session.expire_all()
        both: tuple[Any, ...] = (county.exam, chance.makeup)
        for exam in both:
            for roster_key in roster_keys(session, exam):
                for unit_ids in (None, [county.town.id, county.school.id]):
                    found = find_kept_counts(session, roster_key, unit_ids)
                    looks, read = looks + 1, read + (found is not None)
                    expected = counted(session, roster_key, unit_ids)
                    assert found in (None, expected), (step, what, exam.title, roster_key)
    assert read > looks / 3, "the rest were counted, as their exam was marked or its ground new"


def test_too_many_marked_units_are_counted_instead(county, monkeypatch):
    session = county.world.session
    county.fill_with_every_odd_case()
    keep(session)
    roster_key = roster_keys(session, county.exam)[0]
    assert find_kept_counts(session, roster_key, None) is not None
    for unit in (county.town, county.bureau):
        county.world.person(unit)
    assert find_kept_counts(session, roster_key, None) == counted(session, roster_key)
    monkeypatch.setattr(statistics_queries, "MAX_MARKED_UNITS", 1)
    assert find_kept_counts(session, roster_key, None) is None


def test_a_change_that_is_under_way_while_figures_are_kept_is_marked_when_it_commits(race_app, race_world):
    county = ReportCounty(race_world)
    county.fill_with_every_odd_case()
    exam_id, person_id, town_id = county.exam.id, county.people["absent"].id, county.town.id
    race_world.commit()

    def read():
        with transaction() as session:
            return counts_by_unit(session, get_report_context(session, exam_id, scope=None, now=clock.now()))

    with race_app.app_context():
        with transaction() as session:
            keep(session)
        before = read()
        with db.engine.connect() as other:
            other.execute(update(Person).where(Person.id == person_id).values(unit_id=town_id))
            with transaction() as session:
                keep(session)
            assert read() == before
            other.commit()
        moved = read()
        assert moved[town_id].roster == before[town_id].roster + 1
        with transaction() as session:
            keep(session)
            assert not session.scalar(select(func.count()).select_from(StatsInvalidation))
        assert read() == moved
        with db.engine.connect() as other:
            other.execute(text("SELECT pg_advisory_lock(hashtext('reports.refresh_unit_stats'))"))
            with transaction() as session:
                assert keep(session) == 0, "one at a time"
        read_session().rollback()


CARRIED = {"attempts.started_at", "attempts.unit_id", "attempts.is_forced", "grades.points_possible"}
"""What goes through the select without being counted."""
WRITTEN_WITH_THE_EXAM = {"roster_snapshot_people", "roster_snapshot_units"}
"""A freeze and its corrections stand in the exam's row, which the version of the data looks at."""
OF_THE_ROSTER_KEY = {"roster_snapshot_units"}
"""Written with the frozen people, who are marked."""


@pytest.mark.parametrize("has_snapshot", [False, True])
@pytest.mark.parametrize("is_of_makeup", [False, True])
def test_every_column_that_is_counted_marks_when_it_changes(county, has_snapshot, is_of_makeup):
    session = county.world.session
    session.add(ExamAudience(exam_id=county.exam.id, ranks=["一级科员"], unit_id=county.bureau.id))
    session.add(ExamAudience(exam_id=county.exam.id, ranks=[], sector_unit_id=county.bureau.id))
    session.flush()
    present = replace(get_audience(session, county.exam), is_of_makeup=is_of_makeup)
    audience = None if has_snapshot else present
    rules = ((county.exam.id, CountingRule.LAST),)
    roster_key = RosterQueryKey(
        exam_id=county.exam.id, audience=audience, counting_rules=rules, has_external_results=True
    )
    statement = str(select_counts(roster_key, EVERYBODY).compile(dialect=postgresql.dialect()))
    read = {tuple(found) for found in re.findall(r"\b(\w+)\.(\w+)", statement) if found[0] in Base.metadata.tables}
    assert len(read) > 15
    watched = session.execute(
        text(
            "SELECT c.relname, coalesce(array_agg(a.attname::text) FILTER (WHERE a.attname IS NOT NULL), '{}') FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY(t.tgattr) WHERE t.tgname = 'invalidate_changed_stats' GROUP BY 1"
        )
    )
    watched = {table: set(names) for table, names in watched}
    missed = {
        f"{table}.{column}"
        for table, column in read
        if not Base.metadata.tables[table].c[column].primary_key
        and table not in OF_THE_ROSTER_KEY
        and f"{table}.{column}" not in CARRIED
        and not (table in watched and (not watched[table] or column in watched[table]))
    }
    assert missed == set()
    versioned = set(re.findall(r"\b(\w+)\.\w+", str(_select_marks().compile(dialect=postgresql.dialect()))))
    assert {table for table, _ in read} - versioned <= WRITTEN_WITH_THE_EXAM, "a table without its mark in versions.py"
