"""The database role under which the program runs: it reads and writes everything, but what was logged it can neither change nor delete.

The owner of the tables migrates, restores and archives; the role's rights are given after each migration, as often as one likes.
"""

from __future__ import annotations

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from examapp.db.addresses import TIME_LIMITS, connect_arguments

PROGRAM_ROLE = "examapp_program"
"""The role in the database that the program brings itself."""
APPEND_ONLY = ("audit_events", "audit_seals", "audit_archives")
"""Tables to which the program only adds."""


class SameRoleError(ValueError):
    """The program's role is the owner's own, whose rights to its tables nothing takes away."""


def restrict(database_url: str, role: str, *, is_to_be_made: bool = False, password: str = "") -> None:
    """Give a role what the program needs, and not the right to change the log; the URL is the owner's.

    `is_to_be_made` makes the role where it is not there; without a password only for a server that lets nobody else in.
    Raises SameRoleError.
    """
    name = sql.Identifier(role)
    with psycopg.connect(**connect_arguments(database_url), connect_timeout=5) as connection:
        if connection.info.user == role:
            raise SameRoleError
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        if is_to_be_made and known is None:
            secret = sql.SQL(" PASSWORD {}").format(sql.Literal(password)) if password else sql.SQL("")
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB{}").format(name, secret))
        for statement in (
            "GRANT USAGE ON SCHEMA public TO {}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {}",
            "GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {}",
        ):
            connection.execute(sql.SQL(statement).format(name))
        # So they hold behind a pooler too, which drops what a client asks for.
        for setting, limit in TIME_LIMITS.items():
            wanted = sql.SQL("ALTER ROLE {} SET {} = {}").format(name, sql.Identifier(setting), sql.Literal(limit))
            connection.execute(wanted)
        for table in APPEND_ONLY:
            connection.execute(
                sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON {} FROM {}").format(sql.Identifier(table), name)
            )


def restrict_role_of(program_url: str, *, owner_url: str) -> str:
    """Make the role that the program's own address names, with its password, where it is not there, and restrict it; gives its name.

    Raises SameRoleError.
    """
    program = make_url(program_url)
    role, password = program.username or "", str(program.password or "")
    restrict(owner_url, role, is_to_be_made=bool(password), password=password)
    return role


def as_program(database_url: str) -> str:
    """Give the address of the database that the program brings itself, for its restricted role."""
    return database_url.replace("//postgres@", f"//{PROGRAM_ROLE}@", 1)
