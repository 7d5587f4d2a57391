"""What has had its time is let go: leavers, names of old results, old sign-ins; and every figure is afterwards what it was before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text

from examapp import clock
from examapp.config import Settings
from examapp.db.personal_data import RetentionPolicy, list_personal_data
from examapp.db.session import Base
from examapp.delivery.attempts.models import Attempt, AttemptReopening
from examapp.delivery.exams.models import Exam, RosterSnapshotPerson
from examapp.delivery.external_results.models import ResultImport, ResultImportRow
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import Account, Person, PersonState, PlannedMove, RoleGrant, RosterMove, SignIn
from examapp.organisation.roster_change_requests.models import RosterChangeItem, RosterChangeRequest
from examapp.organisation.units.models import Tree
from examapp.oversight.statistics.queries import counts_by_unit
from examapp.oversight.statistics_definitions.rules import Scope
from examapp.oversight.statistics_scope.queries import PeopleFilter, get_report_context, get_unit_tree
from examapp.platform.audit.actions import SYSTEM, ActionContext
from examapp.platform.audit.models import AuditEvent
from examapp.platform.privacy import actions as privacy_actions
from examapp.platform.privacy.actions import look_ahead, purge_expired
from examapp.platform.privacy.models import RetentionRun
from examapp.platform.privacy.rules import Terms
from examapp.platform.result_anonymisation import actions as result_anonymisation_actions
from examapp.platform.result_anonymisation.actions import NAMELESS
from tests.conftest import NOON
from tests.helpers.accounts import give_numbers
from tests.reports.county import ReportCounty

TERMS = Terms.from_settings(Settings())
YEARS = timedelta(days=366 * 5 + 30)


def run(session):
    session.flush()
    return purge_expired(ActionContext(session, SYSTEM, clock.now()), terms=TERMS, today=clock.today())


def run_to_the_end(session):
    done = []
    while (one := run(session)).exams:
        done.append(one)
    return done


def ahead(session):
    session.flush()
    return look_ahead(session, terms=TERMS, now=clock.now(), today=clock.today())


@pytest.fixture
def county(world, session):
    """Every odd case of a roster, all attempts at rest."""
    county = ReportCounty(world)
    county.fill_with_every_odd_case()
    session.flush()
    grades = select(Base.metadata.tables["grades"].c.attempt_id)
    session.execute(delete(Attempt).where(Attempt.id.not_in(grades)))
    return county


def figures(session, county):
    found = {}
    exams = session.scalars(select(Exam.id).order_by(Exam.id)).all()
    for exam_id in exams:
        for scope in (Scope.THIS, Scope.FINAL):
            report_context = get_report_context(session, exam_id, scope=scope, now=clock.now())
            nodes = get_unit_tree(
                session, county.top.id, tree=Tree.REGION, access=AccessScope(is_everything=True)
            ).nodes
            wanted = PeopleFilter(unit_ids=[node.unit_id for node in nodes])
            found[exam_id, scope] = counts_by_unit(session, report_context, wanted)
    return found


def test_every_figure_is_the_same_when_the_names_are_gone(county, world, session, fixed_clock):
    people = {attempt.person_id for attempt in session.query(Attempt)}
    fixed_clock.at(NOON + YEARS)
    before = figures(session, county)
    assert any(counts.participated for counts in before[county.exam.id, Scope.THIS].values())
    due = ahead(session)
    assert (due.exams, due.people_of_exams) == (2, len(people))
    done = run_to_the_end(session)
    assert [one.exams for one in done] == [1, 1], "one exam a run"
    session.expire_all()
    assert figures(session, county) == before
    assert people.isdisjoint(attempt.person_id for attempt in session.query(Attempt))
    assert {session.get(Person, a.person_id).name for a in session.query(Attempt)} == {NAMELESS}
    assert not set(session.scalars(select(RosterSnapshotPerson.person_id))) & people
    assert run(session).exams == 0, "a second run finds nothing"
    assert figures(session, county) == before
    rows, events = session.query(RetentionRun), session.query(AuditEvent).filter_by(act="privacy.apply_retention")
    counted = [one.people_of_exams for one in done]
    assert sorted(row.counts["people_of_exams"] for row in rows) == sorted(counted)
    assert sorted(event.details["people_of_exams"] for event in events) == sorted(counted)


def test_nothing_leads_from_the_nameless_back(county, world, session, fixed_clock):
    fixed_clock.at(NOON + YEARS)
    old = {person.id: person.unit_id for person in session.query(Person)}
    run_to_the_end(session)
    nameless = session.query(Person).filter_by(state=PersonState.ANONYMOUS).order_by(Person.id).all()
    assert len(nameless) > 10
    assert all((p.name, p.rank, p.position, p.id_number_encrypted) == (NAMELESS, "", "", None) for p in nameless)
    assert all(p.staff_number.endswith(f"-{p.id}") for p in nameless)
    assert not set(session.scalars(select(RosterSnapshotPerson.position))) - {""}
    tables = Base.metadata.tables
    for name in (*result_anonymisation_actions.DROPPED, *result_anonymisation_actions.MOVED):
        table = tables[name]
        left = select(table.c.person_id).where(table.c.exam_id.is_not(None), table.c.person_id.in_(old))
        assert session.scalars(left).all() == [], name
    office = world.client(world.admin("publicity_office", county.top))
    assert NAMELESS not in office.get("/admin/people/").text


def test_every_table_with_an_exam_and_a_person_is_decided_upon():
    named = {name for name, table in Base.metadata.tables.items() if "exam_id" in table.c and "person_id" in table.c}
    assert named == {
        *result_anonymisation_actions.MOVED,
        *result_anonymisation_actions.DROPPED,
        *result_anonymisation_actions.KEPT,
    }
    assert all("attempt_id" in Base.metadata.tables[name].c for name in result_anonymisation_actions.ATTEMPT_TABLES)


def test_every_holding_that_is_let_go_with_the_results_or_the_person_is_taken_by_name():
    taken = {
        RetentionPolicy.RESULTS: {
            *result_anonymisation_actions.MOVED,
            *result_anonymisation_actions.DROPPED,
            *result_anonymisation_actions.ATTEMPT_TABLES,
            *result_anonymisation_actions.OF_IMPORTS,
            *result_anonymisation_actions.STAYING,
        },
        RetentionPolicy.LEAVER: {*privacy_actions.OF_LEAVERS},
    }
    for term, tables in taken.items():
        assert {category.table for category in list_personal_data() if category.term is term} == tables
        assert all(name in Base.metadata.tables for name in tables)


def text_left(session, word):
    """Give the tables of the register, but for the log's, that still hold a word anywhere."""
    names = [category.table for category in list_personal_data() if category.term is not RetentionPolicy.AUDIT]
    return [
        name
        for name in names
        if session.scalar(text(f"SELECT count(*) FROM {name} AS t WHERE t::text LIKE '%{word}%'"))
    ]


def test_no_word_of_a_file_of_results_is_left_when_the_names_are_gone(county, session, fixed_clock):
    attempt = session.query(Attempt).filter_by(exam_id=county.exam.id).first()
    job = ResultImport(
        exam_id=county.exam.id, created_by_id=attempt.person_id, file_name="x.csv", digest="1", source="省平台",
        taken_on=NOON.date(), points_possible=100, state="done", created_at=NOON, taken_count=1,
    )  # fmt: skip
    session.add(job)
    session.flush()
    session.add(
        ResultImportRow(
            import_id=job.id, line=2, name="真名某", staff_number="真工号", id_tail="1234", points=88,
            outcome="matched", person_id=attempt.person_id, is_decided=True,
        )
    )  # fmt: skip
    session.add(
        AttemptReopening(attempt_id=attempt.id, request_key="k", seconds=60, reason="真名某家里停电", reopened_at=NOON)
    )
    session.flush()
    assert text_left(session, "真名某") == ["attempt_reopenings", "result_import_rows"]
    fixed_clock.at(NOON + YEARS)
    run_to_the_end(session)
    assert text_left(session, "真名某") == text_left(session, "真工号") == []
    assert session.query(AttemptReopening).count() == 1


def test_a_young_exam_and_one_with_an_ungraded_attempt_stay(county, world, session, fixed_clock):
    fixed_clock.at(NOON + timedelta(days=366 * 4))
    assert ahead(session).exams == 0
    fixed_clock.at(NOON + YEARS)
    session.query(Attempt).filter_by(exam_id=county.exam.id).first().state = "submitted"
    run_to_the_end(session)
    assert session.get(Exam, county.exam.id).anonymised_at is None
    assert NAMELESS not in {
        session.get(Person, a.person_id).name for a in session.query(Attempt).filter_by(exam_id=county.exam.id)
    }


@pytest.fixture
def leaver(app, world, session):
    person = give_numbers(world, world.person(world.unit("甲局"), name="离某"), cipher=app.extensions["cipher"])
    world.client(person)
    person.state = PersonState.LEFT
    world.save(RoleGrant(person_id=person.id, role="leader", unit_id=person.unit_id, tree="region", granted_at=NOON))
    world.save(
        RosterMove(
            person_id=person.id,
            kind="retire",
            from_unit_id=person.unit_id,
            effective_on=NOON.date(),
            recorded_at=NOON,
            note="退休",
        )
    )
    return person


def test_a_leaver_loses_numbers_and_account_in_time_and_the_name_years_later(leaver, session, fixed_clock):
    fixed_clock.at(NOON + timedelta(days=179))
    assert ahead(session).is_nothing
    assert run(session).is_nothing
    assert session.query(RetentionRun).count() == 0, "nothing done, nothing written"
    fixed_clock.at(NOON + timedelta(days=181))
    assert ahead(session).leavers == 1
    assert run(session).leavers == 1
    session.refresh(leaver)
    assert (leaver.id_number_encrypted, leaver.id_number_index, leaver.mobile_encrypted, leaver.mobile_index) == (
        None,
    ) * 4
    assert leaver.name == "离某", "the results still say whose they are"
    assert session.query(Account).filter_by(person_id=leaver.id).count() == 0
    assert session.query(SignIn).count() == 0
    assert session.query(RoleGrant).count() == 0
    assert run(session).is_nothing
    fixed_clock.at(NOON + YEARS)
    assert run(session).unnamed == 1
    session.refresh(leaver)
    assert (leaver.name, leaver.staff_number) == (NAMELESS, f"X{leaver.id}")
    assert session.query(RosterMove).one().note == ""


def test_lists_of_changes_and_planned_moves_forget_the_leaver_and_who_never_came(world, leaver, session, fixed_clock):
    changes = world.save(RosterChangeRequest(unit_id=leaver.unit_id, created_by_id=leaver.id, created_at=NOON))
    about = {"list_id": changes.id, "effective_on": NOON.date(), "position": "离某处长", "note": "离某病退"}
    known = {"name": "离某", "staff_number": leaver.staff_number}
    stays = world.person(name="在册某")
    session.add_all(
        (
            RosterChangeItem(kind="retire", person_id=leaver.id, **known, **about),
            RosterChangeItem(kind="transfer_in", person_id=None, **known, **about),
            RosterChangeItem(
                kind="join", person_id=None, name="离某未到", staff_number="离某号", answer="离某不来", **about
            ),
            RosterChangeItem(
                kind="correction", person_id=stays.id, name="在册某", staff_number=stays.staff_number, **about
            ),
        )
    )
    world.save(
        PlannedMove(
            person_id=leaver.id, kind="retire", effective_on=NOON.date(), note="离某退休", recorded_at=NOON,
            ended_at=NOON, outcome="done",
        )
    )  # fmt: skip
    about_the_other = session.query(RosterChangeItem).filter_by(person_id=stays.id).one()
    about_the_other.position = about_the_other.note = "在册"
    number = leaver.staff_number
    fixed_clock.at(NOON + YEARS)
    assert (ahead(session).unnamed, run(session).unnamed) == (2, 2)
    session.expire_all()
    assert text_left(session, "离某") == text_left(session, number) == []
    assert [line.name for line in session.query(RosterChangeItem).order_by(RosterChangeItem.id)] == [NAMELESS] * 3 + [
        "在册某"
    ]
    assert run(session).is_nothing


def test_somebody_who_is_here_keeps_all(app, world, session, fixed_clock):
    person = give_numbers(world, world.person(), cipher=app.extensions["cipher"])
    fixed_clock.at(NOON + timedelta(days=3000))
    run(session)
    session.refresh(person)
    assert person.id_number_encrypted is not None
    assert session.query(Account).filter_by(person_id=person.id).count() == 1


def test_old_sign_ins_go_and_young_ones_stay(world, session, fixed_clock):
    person = world.person()
    world.client(person)
    fixed_clock.at(NOON + timedelta(days=300))
    world.client(person)
    fixed_clock.at(NOON + timedelta(days=370))
    assert ahead(session).sign_ins == 1
    assert run(session).sign_ins == 1
    assert session.query(SignIn).count() == 1


def test_the_page_shows_first_and_changes_nothing(app, world, leaver, session, fixed_clock):
    fixed_clock.at(NOON + timedelta(days=181))
    client = world.api(world.admin("system_admin", world.unit("某县", kind="county")))
    page = client.get("/admin/privacy/").text
    assert "离开人员的号码和账号（人）" in page
    assert "还没有清除过" in page
    session.refresh(leaver)
    assert leaver.id_number_encrypted is not None
    assert client.post("/admin/privacy/run").status_code == 303
    session.refresh(leaver)
    assert leaver.id_number_encrypted is None
    after = client.get("/admin/privacy/").text
    assert "没有到期的信息" in after
    assert "手工" in after
    app.extensions["celery"].tasks["privacy.apply_retention"]()
    assert session.query(RetentionRun).count() == 1
