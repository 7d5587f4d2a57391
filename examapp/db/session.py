"""The database session, the one place that commits, and the column types that all tables share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, cast

import msgspec
import psycopg
from flask_sqlalchemy import SQLAlchemy
from psycopg.rows import namedtuple_row
from sqlalchemy import (
    BigInteger,
    ClauseElement,
    Connection,
    Date,
    DateTime,
    Engine,
    Executable,
    Identity,
    MetaData,
    Numeric,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Session, mapped_column, scoped_session
from sqlalchemy.sql.compiler import SQLCompiler

from examapp.db.addresses import TIME_LIMITS

_NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
"""A surrogate key, given by the database."""
BigInt = Annotated[int, mapped_column(BigInteger)]
UtcDateTime = Annotated[datetime, mapped_column(DateTime(timezone=True))]
"""An aware instant in UTC."""
DateCol = Annotated[date, mapped_column(Date)]
Str = Annotated[str, mapped_column(Text)]
Points = Annotated[Decimal, mapped_column(Numeric(7, 2))]
"""A mark or a rate: two places, rounded half up, never a float."""
JsonB = Annotated[Any, mapped_column(JSONB)]


class Base(DeclarativeBase):
    """The base of all tables."""

    metadata = MetaData(naming_convention=_NAMING)


@dataclass(frozen=True, slots=True)
class EncryptedColumn:
    """A column of encrypted values: the associated data of a row's value, and the blind index beside it, if any."""

    label: str
    column: InstrumentedAttribute[Any]
    key: InstrumentedAttribute[Any]
    """The row's key, by which key rotation reads batches."""
    bound_by: InstrumentedAttribute[Any]
    """Whose value `binding` turns into the associated data."""
    binding: Callable[[int], str]
    index: InstrumentedAttribute[Any] | None = None
    purpose: str = ""


encrypted_columns: list[EncryptedColumn] = []
"""Every encrypted column, each added where its table is declared: key rotation and the daily check read them all; a test compares them with the schema."""


db = SQLAlchemy(metadata=Base.metadata)

_AFTER_COMMIT = "after_commit"
Execute = Callable[[ClauseElement, Mapping[str, Any]], Sequence[Any]]
"""Runs a statement with its values and gives its rows, with their columns by name."""


@contextmanager
def transaction() -> Iterator[Session]:
    """Give the request's session, commit at the end, and roll back on any error; then run the work kept for after the commit."""
    session = _plain(db.session)
    try:
        yield session
        session.commit()
    except BaseException:
        session.rollback()
        session.info.pop(_AFTER_COMMIT, None)
        raise
    for work in session.info.pop(_AFTER_COMMIT, []):
        work()


@contextmanager
def independent_transaction() -> Iterator[Session]:
    """Give a session with a transaction of its own, beside one that is running: for the progress of a long job."""
    with Session(db.engine) as session:
        yield session
        session.commit()


def execute_autocommit(statement: ClauseElement, values: Mapping[str, Any]) -> Sequence[Any]:
    """Run what is one statement whole and commits by itself; give its rows, with their columns by name. Statements are built once and kept.

    It goes to the driver on a connection of the same pool, past SQLAlchemy's execution, which took a quarter of a save's processor time. The driver
    gets it with the server's own placeholders, since it would parse a statement over 4,096 characters each time, and prepares it from its first
    run: such statements come again and again, and the dearest takes ten times its run to plan.
    Raises what SQLAlchemy raises. Where the bind is a connection already, in a transaction of its owner, it joins that.
    """
    bind: Engine | Connection = db.session.get_bind() if db.session.registry.has() else db.engine
    if isinstance(bind, Connection):
        with bind.begin_nested():
            return bind.execute(cast("Executable", statement), dict(values)).all()
    return execute_autocommit_on(bind, statement, values)


def execute_autocommit_on(engine: Engine, statement: ClauseElement, values: Mapping[str, Any]) -> Sequence[Any]:
    """The same on any engine's pool."""
    (text, names, constants), pooled = _driver_text(statement), None
    try:
        pooled = engine.raw_connection()
        driver = cast("psycopg.Connection[Any]", pooled.driver_connection)
        driver.autocommit = True
        with psycopg.RawCursor(driver, row_factory=namedtuple_row) as cursor:
            given = {**constants, **values}
            rows = cursor.execute(text, [given[name] for name in names], prepare=True).fetchall()
        driver.autocommit = False
    except BaseException as error:
        if pooled is not None:
            pooled.invalidate()  # whatever state it is in, nobody else gets it
        if isinstance(error, psycopg.Error):
            raise DBAPIError.instance(text.decode(), None, error, psycopg.Error, hide_parameters=True) from error
        raise
    pooled.close()
    return rows


def execute_in(session: Session) -> Execute:
    """Give the function that runs a statement within a session's transaction, where `execute_autocommit` commits each by itself."""
    return lambda statement, values: session.connection().execute(cast("Executable", statement), dict(values)).all()


_NUMBERED = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


@lru_cache(maxsize=64)
def _driver_text(statement: ClauseElement) -> tuple[bytes, list[str], dict[str, Any]]:
    """Give a statement with numbered placeholders, the name of the value of each, and the values that stand in it."""
    compiled = cast("SQLCompiler", statement.compile(dialect=_NUMBERED, compile_kwargs={"render_postcompile": True}))
    return str(compiled).encode(), compiled.positiontup or [], dict(compiled.params)


def read_session() -> Session:
    """Give the request's session for reads only; what is read lives until the request ends."""
    return _plain(db.session)


ONLY_READS = "transaction_only_reads"
"""What `db.read_end` notes of a connection's transaction."""


def commit_reads(session: Session) -> None:
    """Commit a session's transaction where it has only read; leave every other to be rolled back."""
    if not session.in_transaction() or session.new or session.dirty or session.deleted:
        return
    if session.connection().info.get(ONLY_READS):
        session.commit()


def after_commit(session: Session, work: Callable[[], None]) -> None:
    """Keep work until the transaction has committed; it is dropped on rollback."""
    session.info.setdefault(_AFTER_COMMIT, []).append(work)


def _plain(session: scoped_session[Any]) -> Session:
    plain: Session = session()
    return plain


def engine_options(pool_size: int) -> dict[str, object]:
    """Options of the engine: short waits everywhere, so that a database that is away is noticed within seconds."""
    return {
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_timeout": 3,
        "pool_pre_ping": False,
        "pool_recycle": 1800,
        "pool_use_lifo": True,
        "json_deserializer": msgspec.json.decode,  # of every JSONB value that is read: a third of the time of the standard library's
        "hide_parameters": True,  # an error's text goes to the log, which holds no answer and no name
        "connect_args": {
            "connect_timeout": 3,
            "application_name": "examapp",
            "prepare_threshold": 3,
            "tcp_user_timeout": 5000,
            "options": " ".join(f"-c {name}={limit}" for name, limit in {**TIME_LIMITS, "timezone": "UTC"}.items()),
        },
    }
