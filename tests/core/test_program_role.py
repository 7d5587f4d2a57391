"""The program's own account of the database: it works under it, and cannot change what was logged. Tried on a real server."""

from __future__ import annotations

import psycopg
import pytest

from examapp.db.program_role import APPEND_ONLY, PROGRAM_ROLE, SameRoleError, as_program, restrict, restrict_role_of
from examapp.db.session import Base
from examapp.platform.audit.models import AuditArchive, AuditEvent, AuditSeal


@pytest.fixture
def owner_url(servers, race_app):
    return servers.settings("race").database_url


@pytest.fixture
def program(owner_url):
    restrict(owner_url, PROGRAM_ROLE, is_to_be_made=True)
    restrict(owner_url, PROGRAM_ROLE, is_to_be_made=True)
    url = as_program(owner_url).replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(url) as connection:
        yield connection
        connection.rollback()


def test_the_tables_of_the_log_are_those_that_only_grow():
    assert set(APPEND_ONLY) == {model.__tablename__ for model in (AuditEvent, AuditSeal, AuditArchive)}


def test_the_program_adds_to_the_log_and_reads_it(program):
    assert program.execute("SELECT current_user, usesuper FROM pg_user WHERE usename = current_user").fetchone() == (
        PROGRAM_ROLE,
        False,
    )
    program.execute("INSERT INTO audit_events (at, act, object_type, details) VALUES (now(), 'x', 'x', '{}')")
    assert program.execute("SELECT count(*) FROM audit_events").fetchone()[0] >= 1


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET {} = NULL",
        "DELETE FROM {}",
        "TRUNCATE {}",
        "DROP TABLE {}",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "GRANT UPDATE ON {} TO PUBLIC",
        "SET ROLE postgres; DELETE FROM {}",
    ],
)
def test_the_program_can_neither_change_nor_delete_what_was_logged(program, owner_url, table, statement):
    column = {"audit_events": "act", "audit_seals": "digest", "audit_archives": "sha256"}[table]
    with psycopg.connect(owner_url.replace("+psycopg", "")) as owner:
        before = owner.execute(
            f"SELECT count(*), has_table_privilege('{PROGRAM_ROLE}', '{table}', 'UPDATE') FROM {table}"
        ).fetchone()
    if statement.startswith("GRANT"):
        program.execute(statement.format(table))  # the server warns that nothing was granted
    else:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            program.execute(statement.format(table, column))
    program.rollback()
    with psycopg.connect(owner_url.replace("+psycopg", "")) as owner:
        after = owner.execute(
            f"SELECT count(*), has_table_privilege('{PROGRAM_ROLE}', '{table}', 'UPDATE') FROM {table}"
        ).fetchone()
    assert after == before
    assert after[1] is False


def test_a_fresh_installation_makes_the_programs_account_with_its_password_and_keeps_an_old_one(owner_url):
    url = "postgresql+psycopg://made_by_migrate:abc123@postgres/examapp"
    assert [restrict_role_of(url, owner_url=owner_url) for _ in range(2)] == ["made_by_migrate"] * 2
    plain = owner_url.replace("+psycopg", "")
    with psycopg.connect(plain) as owner:
        role = owner.execute(
            "SELECT rolpassword LIKE 'SCRAM-SHA-256$%', rolsuper, rolcreaterole FROM pg_authid WHERE rolname = 'made_by_migrate'"
        ).fetchone()
        assert role == (True, False, False)
        rights = "SELECT has_table_privilege('made_by_migrate', 'audit_events', %s)"
        assert [owner.execute(rights, [one]).fetchone()[0] for one in ("INSERT", "UPDATE", "DELETE")] == [
            True,
            False,
            False,
        ]
        owner.execute("DROP OWNED BY made_by_migrate; DROP ROLE made_by_migrate")


def test_an_owner_is_not_restricted_as_its_own_program(owner_url):
    with pytest.raises(SameRoleError):
        restrict(owner_url, "postgres")


def test_the_program_may_do_everything_else(program, owner_url):

    for table in Base.metadata.sorted_tables:
        if table.name not in APPEND_ONLY:
            privileges = ["SELECT", "INSERT", "UPDATE", "DELETE"]
            for privilege in privileges:
                row = program.execute("SELECT has_table_privilege(%s, %s)", [table.name, privilege]).fetchone()
                assert row == (True,), (table.name, privilege)
