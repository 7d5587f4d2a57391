"""The chain over the log: nothing that was changed, removed or inserted stays unseen."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from examapp.db.session import db
from examapp.platform.audit import tasks as audit_tasks
from examapp.platform.audit.models import AuditEvent, AuditSeal
from examapp.platform.audit.queries import check_chain
from examapp.platform.audit.rules import LATEST_COMMIT, link_text
from examapp.platform.audit_chain import actions
from examapp.platform.audit_chain.actions import seal_events
from tests.conftest import NOON
from tests.helpers.audit_log import note

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def check(app, session, fixed_clock):
    return lambda head=None: check_chain(session, cipher=app.extensions["cipher"], head=head, now=fixed_clock.instant)


@pytest.fixture
def seal(app, session):
    """The task, of this very application."""
    return lambda: (session.flush(), app.extensions["celery"].tasks["audit.seal"].apply())


@pytest.fixture
def log(world, session, fixed_clock, seal):
    """Five lines on the chain."""
    for number in range(5):
        note(
            session,
            fixed_clock.instant,
            act="people.sign_in",
            person=world.person(),
            count=number,
            list=["甲", 1.5, None],
        )
    seal()
    fixed_clock.at(NOON + timedelta(hours=1))
    return session.query(AuditEvent).order_by(AuditEvent.id).all()


def test_an_untouched_log_is_whole_and_grows(session, log, check, fixed_clock, seal):
    assert (check().issues, check().count, check().unchained) == ([], 5, 0)
    note(session, fixed_clock.instant)
    assert (check().issues, check().unchained) == ([], 1)
    seal()
    assert (check().issues, check().count, check().unchained) == ([], 6, 0)
    seal()
    assert check().count == 6


@pytest.mark.parametrize(
    "column",
    [
        "act = 'people.sign_out'",
        "actor_id = 99",
        "at = at + interval '1 microsecond'",
        "object_type = 'x'",
        "object_id = 8",
        "person_id = NULL",
        "address = '6.6.6.6'",
        "details = details || '{\"count\": 9}'",
    ],
)
def test_every_changed_field_is_found(session, log, check, column):
    session.execute(text(f"UPDATE audit_events SET {column} WHERE id = {log[2].id}"))
    assert check().issues == [f"第 3 环对应的记录 {log[2].id} 已被改动。"]


def test_a_removed_line_is_found_with_and_without_its_link(session, log, check):
    head = (check().count, check().head)
    session.execute(text(f"DELETE FROM audit_events WHERE id = {log[1].id}"))
    assert check().issues == [f"第 2 环对应的记录 {log[1].id} 已被删除。"]
    session.execute(text("DELETE FROM audit_seals WHERE number = 2"))
    assert any("第 2 至 2 环缺失" in issue for issue in check().issues)
    assert check(head).issues


def test_lines_taken_off_the_end_are_missed_by_the_kept_head(session, log, check):
    head = (check().count, check().head)
    assert check(head).issues == []
    session.execute(text("DELETE FROM audit_seals WHERE number = 5"))
    session.execute(text(f"DELETE FROM audit_events WHERE id = {log[4].id}"))
    assert check().issues == []
    assert "链尾不在链上" in check(head).issues[0]


def test_a_line_that_commits_late_is_still_linked(session, log, check, fixed_clock, seal):
    early = log[0].id - 1
    at = fixed_clock.instant - LATEST_COMMIT / 2
    session.execute(text(f"DELETE FROM audit_events WHERE id = {early}"))
    session.execute(
        text(
            f"INSERT INTO audit_events (id, at, act, object_type, details) OVERRIDING SYSTEM VALUE VALUES ({early}, '{at}', 'x', 'x', '{{}}')"
        )
    )
    seal()
    assert (check().issues, check().count) == ([], 6)


def test_a_chain_made_again_without_the_key_is_found(session, log, check):
    previous = session.get(AuditSeal, 3).digest
    forged = session.get(AuditSeal, 4)
    forged.digest = __import__("hashlib").sha256(link_text(4, previous, []).encode()).digest()
    session.flush()
    assert "第 4 环" in check().issues[0]


def test_two_that_seal_at_once_do_not_disturb_each_other(race_app, race_world):
    note(race_world.session, NOON)
    race_world.commit()
    cipher, folder = race_app.extensions["cipher"], race_app.config["SETTINGS"].data_path
    with Session(db.engine) as first, Session(db.engine) as second:
        assert seal_events(first, cipher=cipher, folder=folder, now=NOON) == 1
        assert seal_events(second, cipher=cipher, folder=folder, now=NOON) == 0
        first.commit()


def test_a_line_of_a_long_transaction_is_linked_however_many_were_written_meanwhile(
    race_app, race_world, fixed_clock, monkeypatch
):
    """Its id lies 30,000 behind the newest, and two pieces are sealed in one call of the task."""
    monkeypatch.setattr(audit_tasks, "MAX_LINKS", 3)
    monkeypatch.setattr(actions, "MAX_LINKS", 3)
    cipher, seal = race_app.extensions["cipher"], race_app.extensions["celery"].tasks["audit.seal"]
    with Session(db.engine) as slow:
        note(slow, NOON, act="slow")
        for minutes in (0, 5, 10):
            fixed_clock.at(NOON + timedelta(minutes=minutes))
            for _ in range(4):
                note(race_world.session, fixed_clock.instant)
            race_world.session.execute(
                text("SELECT setval('audit_events_id_seq', nextval('audit_events_id_seq') + 15000)")
            )
            race_world.commit()
            seal.apply()
        slow.commit()
    assert actions._settled_through(race_world.session, now=NOON + timedelta(minutes=10)) > 0
    seal.apply()
    fixed_clock.at(NOON + timedelta(hours=1))
    found = check_chain(race_world.session, cipher=cipher, now=fixed_clock.instant)
    assert (found.issues, found.count, found.unchained) == ([], 13, 0)


def test_the_command_says_whether_the_log_is_whole(app, session, log):
    runner = app.test_cli_runner()
    whole = runner.invoke(args=["audit", "verify"])
    assert whole.exit_code == 0, whole.output
    head = re.search(r"链尾 (\d+:[0-9a-f]{64})", whole.output)[1]
    assert runner.invoke(args=["audit", "verify", "--head", head]).exit_code == 0
    assert runner.invoke(args=["audit", "verify", "--head", "nonsense"]).exit_code == 2
    session.execute(text(f"UPDATE audit_events SET act = 'x' WHERE id = {log[0].id}"))
    broken = runner.invoke(args=["audit", "verify"])
    assert (broken.exit_code, "已被改动" in broken.output) == (1, True)


def test_the_handbooks_statement_takes_the_programs_right_to_change_the_log(session, log):
    statement = re.search(r"^REVOKE .*;$", (DOCS / "operations.md").read_text("utf-8"), re.MULTILINE)[0]
    session.execute(text("CREATE ROLE audit_test_program"))
    session.execute(text("GRANT ALL ON audit_events, audit_seals TO audit_test_program"))
    session.execute(text(statement.replace("FROM examapp", "FROM audit_test_program")))
    session.execute(text("SET LOCAL ROLE audit_test_program"))
    session.execute(text("INSERT INTO audit_events (at, act, object_type, details) VALUES (now(), 'x', 'x', '{}')"))
    for forbidden in (
        "UPDATE audit_events SET act = 'y'",
        "DELETE FROM audit_events",
        "UPDATE audit_seals SET number = 9",
        "TRUNCATE audit_seals",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), session.begin_nested():
            session.execute(text(forbidden))
    session.execute(text("RESET ROLE"))
