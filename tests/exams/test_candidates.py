"""Who belongs to an exam, and how one candidate stands to it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from examapp import clock
from examapp.content.blueprints.models import Paper
from examapp.delivery.exam_candidates.actions import prepare_paper, prepare_papers
from examapp.delivery.exam_candidates.queries import (
    find_candidate_exam,
    find_prepared_paper,
    list_exams_of,
)
from examapp.delivery.exams.models import (
    ExamAudience,
    ExamExtension,
    ExamSession,
    Exemption,
    MakeupEligibility,
    PreparedPaper,
    StudyClearance,
)
from examapp.delivery.exams.queries import ON_ROSTER, audience_clause, list_organiser_exams, readiness
from examapp.delivery.exams.rules import StartRejection
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Person
from examapp.organisation.units.models import Unit
from question_bank.model import Kind
from tests.helpers.extensions import extensions_of


def part(world, exam, **fields):
    return world.save(ExamAudience(**{"exam_id": exam.id, "ranks": []} | fields))


def exempt(world, exam, person, kind="exemption", **fields):
    return world.save(
        Exemption(
            **{
                "exam_id": exam.id,
                "person_id": person.id,
                "kind": kind,
                "reason": "长期病假",
                "requested_at": clock.now(),
                "approved_at": clock.now(),
            }
            | fields
        )
    )


@pytest.fixture
def county(world):
    root = world.unit("某县", kind="county")
    sector = world.unit("教育系统", kind="sector")
    bureau = world.unit("教育局", parent=root, sector_parent=sector)
    school = world.unit("一中", parent=bureau, sector_parent=bureau)
    town = world.unit("某镇", parent=root, kind="township")
    people = {
        "head": world.person(bureau, rank="四级调研员"),
        "teacher": world.person(school, rank="一级科员"),
        "clerk": world.person(town, rank="一级科员"),
        "chief": world.person(town, rank="四级调研员"),
        "gone": world.person(town, state="left"),
    }
    return {"root": root, "sector": sector, "bureau": bureau, "school": school, "town": town, **people}


NAMES = ("head", "teacher", "clerk", "chief", "gone")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], {"head", "teacher", "clerk", "chief"}),
        ([{"unit": "bureau"}], {"head", "teacher"}),
        ([{"sector": "sector"}], {"head", "teacher"}),
        ([{"unit": "root", "ranks": ["四级调研员"]}], {"head", "chief"}),
        ([{"ranks": ["一级科员"]}], {"teacher", "clerk"}),
        ([{"unit": "town", "sector": "sector"}], set()),
        ([{"unit": "school"}, {"person": "chief"}], {"teacher", "chief"}),
        ([{"person": "clerk"}, {"person": "gone"}], {"clerk"}),
    ],
)
def test_an_audience_is_units_sectors_ranks_and_named_people(world, session, county, parts, expected):
    exam = world.exam()
    for spec in parts:
        part(
            world,
            exam,
            unit_id=county[spec["unit"]].id if "unit" in spec else None,
            sector_unit_id=county[spec["sector"]].id if "sector" in spec else None,
            person_id=county[spec["person"]].id if "person" in spec else None,
            ranks=spec.get("ranks", []),
        )
    ids = {county[name].id: name for name in NAMES}
    in_bulk = session.scalars(
        select(Person.id).join(Unit, Person.unit_id == Unit.id).where(ON_ROSTER, audience_clause(session, exam))
    )
    assert {ids[i] for i in in_bulk if i in ids} == expected
    one_by_one = {name for i, name in ids.items() if find_candidate_exam(session, exam.id, i).is_eligible}
    assert one_by_one == expected
    listed = {name for i, name in ids.items() if exam.id in [c.exam.id for c in list_exams_of(session, i, clock.now())]}
    assert listed == expected


def test_how_a_candidate_stands_to_an_exam_is_one_statement(world, session, county, statements):
    exam = world.exam(study_gate={"credits": 10})
    world.save(
        ExamSession(
            exam_id=exam.id,
            name="第一场",
            opens_at=clock.now() - timedelta(minutes=5),
            closes_at=clock.now() + timedelta(hours=1),
        )
    )
    with statements() as seen:
        candidate = find_candidate_exam(session, exam.id, county["clerk"].id)
        assert candidate.start_rejection(clock.now()) == StartRejection.STUDY_REQUIRED
        assert candidate.window(clock.now()).name == "第一场"
    assert len(seen) == 1
    world.save(StudyClearance(exam_id=exam.id, person_id=county["clerk"].id, cleared_at=clock.now()))
    assert find_candidate_exam(session, exam.id, county["clerk"].id).start_rejection(clock.now()) is None
    assert (
        find_candidate_exam(session, exam.id, county["chief"].id).start_rejection(clock.now())
        == StartRejection.STUDY_REQUIRED
    )


def test_a_draft_or_cancelled_exam_is_not_there(world, session, county):
    for state in ("draft", "cancelled"):
        exam = world.exam(state=state)
        assert find_candidate_exam(session, exam.id, county["clerk"].id) is None
    assert find_candidate_exam(session, 10**9, county["clerk"].id) is None
    assert list_exams_of(session, county["clerk"].id, clock.now()) == []


def test_an_exemption_counts_from_its_approval_until_it_is_withdrawn(world, session, county):
    exam, clerk = world.exam(), county["clerk"]
    row = exempt(world, exam, clerk, approved_at=None)
    assert find_candidate_exam(session, exam.id, clerk.id).is_eligible
    row.approved_at = clock.now()
    session.flush()
    assert find_candidate_exam(session, exam.id, clerk.id).start_rejection(clock.now()) == StartRejection.NOT_ELIGIBLE
    row.withdrawn_at = clock.now()
    session.flush()
    assert find_candidate_exam(session, exam.id, clerk.id).is_eligible
    exempt(world, exam, clerk, kind="deferral")
    found = find_candidate_exam(session, exam.id, clerk.id)
    assert (found.is_deferred, found.is_exempt, found.is_eligible) == (True, False, False)


def test_a_makeup_is_for_those_whom_grading_found_absent_or_failed(world, session, county):
    makeup = world.exam(kind="makeup", main_exam_id=world.exam(title="主考").id)
    world.save(MakeupEligibility(exam_id=makeup.id, person_id=county["clerk"].id, reason="absent"))
    assert find_candidate_exam(session, makeup.id, county["clerk"].id).is_eligible
    assert not find_candidate_exam(session, makeup.id, county["chief"].id).is_eligible
    ids = session.scalars(
        select(Person.id).join(Unit, Person.unit_id == Unit.id).where(audience_clause(session, makeup))
    ).all()
    assert ids == [county["clerk"].id]


def test_exams_of_a_person_come_open_first(world, session, county):
    closed = world.exam(title="往年", opens_in=timedelta(days=-300))
    upcoming = world.exam(title="下月", opens_in=timedelta(days=30))
    running = world.exam(title="正在")
    assert [c.exam.id for c in list_exams_of(session, county["clerk"].id, clock.now())] == [
        running.id,
        upcoming.id,
        closed.id,
    ]


def test_an_organiser_sees_the_exams_that_concern_the_reach(world, session, county):
    everyone, schools = world.exam(), world.exam()
    world.exam(state="draft")
    part(world, schools, unit_id=county["bureau"].id)
    town = AccessScope(is_everything=False, region_paths=(county["town"].region_path,))
    assert [exam.id for exam in list_organiser_exams(session, town)] == [everyone.id]
    assert {exam.id for exam in list_organiser_exams(session, AccessScope(is_everything=True))} == {
        everyone.id,
        schools.id,
    }


def test_extensions_add_up_over_units_above_and_by_name(world, session, county):
    exam = world.exam()
    for key, fields in enumerate(
        ({"unit_id": county["root"].id}, {"unit_id": county["town"].id}, {"person_id": county["clerk"].id})
    ):
        world.save(
            ExamExtension(
                exam_id=exam.id,
                request_key=str(key),
                seconds=60 * 10**key,
                reason="停电",
                granted_at=clock.now(),
                **fields,
            )
        )
    assert extensions_of(session, exam.id, county["clerk"].id) == 60 + 600 + 6000
    assert extensions_of(session, exam.id, county["chief"].id) == 660
    assert extensions_of(session, exam.id, county["teacher"].id) == 60


def test_papers_are_made_ahead_for_everyone_eligible_in_batches(world, session, county):
    for _ in range(6):
        world.question()
        world.question(Kind.TRUE_FALSE)
    exam = world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)))
    own = world.blueprint(((Kind.TRUE_FALSE, 3, "1"),))
    part(world, exam, unit_id=county["root"].id)
    part(world, exam, unit_id=county["town"].id, blueprint_id=own.id)
    exempt(world, exam, county["chief"])
    made = [prepare_papers(session, exam.id, now=clock.now(), limit=2) for _ in range(3)]
    assert made == [2, 1, 0]
    ready = readiness(session, exam)
    assert (ready.eligible, ready.prepared) == (3, 3)
    schemas = {
        name: session.get(Paper, found).response_schema
        for name in NAMES
        if (found := find_prepared_paper(session, exam.id, county[name].id, 1))
    }
    assert schemas == {"head": "S41S41", "teacher": "S41S41", "clerk": "T21T21T21"}


def test_papers_are_not_made_for_a_draft_or_a_closed_exam(world, session, county):
    world.question()
    blueprint = world.blueprint(((Kind.SINGLE_CHOICE, 1, "2"),))
    for exam in (world.exam(blueprint, state="draft"), world.exam(blueprint, opens_in=timedelta(days=-3))):
        assert prepare_papers(session, exam.id, now=clock.now()) == 0


def test_a_paper_for_a_further_attempt_is_made_when_asked_for_and_only_once(world, session, county):
    for _ in range(5):
        world.question()
    exam = world.exam(world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),)))
    candidate = find_candidate_exam(session, exam.id, county["clerk"].id)
    first = prepare_paper(session, candidate, 2, now=clock.now())
    assert prepare_paper(session, candidate, 2, now=clock.now()) == first
    assert session.query(PreparedPaper).filter_by(exam_id=exam.id).count() == 1
