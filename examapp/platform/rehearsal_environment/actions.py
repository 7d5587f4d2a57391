"""The shadow: a database of its own beside the county's, with web processes of its own, all gone at the end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import URLError

from sqlalchemy import Engine, create_engine, func, insert, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from examapp.content.blueprints.models import Blueprint, BlueprintSection
from examapp.content.questions.models import AnswerKey, BankQuestion, QuestionState, QuestionVersion
from examapp.db.addresses import database_address
from examapp.delivery.exam_candidates.actions import prepare_papers
from examapp.delivery.exams.models import Exam, ExamKind, ExamState
from examapp.errors import ConflictError, DomainError
from examapp.ops.web_server import web_command
from examapp.organisation.people.models import Person, PersonState
from examapp.organisation.units.models import Unit, UnitKind
from question_bank import model
from question_bank.kinds.registry import kind_of
from question_bank.model import Kind

_ROOT = Path(__file__).parents[3]
_MARK = "examapp rehearsal: made by a rehearsal, may be dropped"
_SUFFIX = "_rehearsal"
_READY_S = 60
_NO_QUEUE = "unix:///nowhere/rehearsal.sock"
"""No queue: nothing of a rehearsal may reach the county's workers; the sweeper grades by itself."""


class RehearsalError(DomainError):
    """The rehearsal could not be held; the message says why and what to do, in Chinese."""

    code = "rehearsal_failed"


@dataclass(slots=True)
class Shadow:
    """The running shadow: where its web processes listen, and its database."""

    port: int
    environment: dict[str, str]
    engine: Engine

    def run(self, *arguments: str) -> dict[str, Any]:
        """Run a command of the program inside the shadow; gives the JSON that it prints last."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        done = subprocess.run(command, cwd=_ROOT, env=self.environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RehearsalError(f"演练的准备没有成功（{arguments[0]}）：{done.stderr.strip()[-400:]}")
        lines = done.stdout.strip().splitlines()
        return dict(json.loads(lines[-1])) if lines and lines[-1].startswith("{") else {}


@contextlib.contextmanager
def shadow_deployment(database_url: str, environment: dict[str, str]) -> Iterator[Shadow]:
    """Make the shadow database, serve it on a port of this machine only, and take both away at the end."""
    url = database_address(database_url)
    shadow_url = url.set(database=f"{url.database}{_SUFFIX}")
    with _database(database_url, str(shadow_url.database)), tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        port = _free_port()
        own = environment | {
            "DATABASE_URL": shadow_url.render_as_string(hide_password=False), "REDIS_URL": _NO_QUEUE, "DATA_DIR": folder, "DEMO": "0",
            "APP_MODE": "tryout", "SETUP_CODE": "", "HOST": "127.0.0.1", "PORT": str(port), "TRUSTED_PROXIES": "0", "HTTPS": "0", "STARTS_PER_SECOND": "100000",
            "LOG_LEVEL": "ERROR",
        }  # fmt: skip
        shadow = Shadow(port, own, create_engine(shadow_url, pool_size=1))
        try:
            shadow.run("db", "upgrade")
            with _web(shadow, Path(folder)):
                yield shadow
        finally:
            shadow.engine.dispose()
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _database(database_url: str, name: str) -> Iterator[None]:
    server = create_engine(database_address(database_url), isolation_level="AUTOCOMMIT", pool_size=1)
    try:
        with server.connect() as connection:
            _make_database(connection, name)
            try:
                yield
            finally:
                _drop_database(connection, name)
    except SQLAlchemyError as error:
        raise RehearsalError(
            "演练需要在同一台数据库上建立一个演练专用库，没有建成。请检查数据库是否正常、账号是否有建库权限"
            f"（ALTER ROLE … CREATEDB）。{str(getattr(error, 'orig', error)).strip()[:200]}"
        ) from error
    finally:
        server.dispose()


def _make_database(connection: Any, name: str) -> None:
    _drop_database(connection, name)
    quoted = connection.dialect.identifier_preparer.quote(name)  # meant: a name cannot be bound, so it is quoted
    connection.execute(text(f"CREATE DATABASE {quoted} ENCODING 'UTF8' TEMPLATE template0"))
    connection.execute(text(f"COMMENT ON DATABASE {quoted} IS '{_MARK}'"))  # meant: quoted above, and a constant


def _drop_database(connection: Any, name: str) -> None:
    """Drop the shadow where there is one; a database of that name that no rehearsal made is left alone."""
    found = connection.execute(
        text("SELECT shobj_description(oid, 'pg_database') AS mark FROM pg_database WHERE datname = :name"),
        {"name": name},
    ).one_or_none()
    if found is None:
        return
    if found.mark != _MARK:
        raise RehearsalError(f"数据库 {name} 已存在，但不是演练建立的。请改名或删除后再演练。")
    quoted = connection.dialect.identifier_preparer.quote(name)
    connection.execute(text(f"DROP DATABASE {quoted} WITH (FORCE)"))  # meant: a name cannot be bound, so it is quoted


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _web(shadow: Shadow, folder: Path) -> Iterator[None]:
    with (folder / "web.log").open("ab") as log:
        process = subprocess.Popen(
            web_command(), cwd=_ROOT, env=shadow.environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait_until_ready(shadow.port, process)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline and process.poll() is None:
        with (
            contextlib.suppress(OSError, URLError),  # meant: an address of this machine, made here
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise RehearsalError("演练用的网页进程没有起来，请看日志后再试。")


_SECTIONS = ((Kind.TRUE_FALSE, 20, "1"), (Kind.SINGLE_CHOICE, 40, "1"), (Kind.MULTIPLE_CHOICE, 5, "8"))
_BANK = 3
"""The bank holds so many times what a paper draws."""
_STEM = (
    "演练题目第 {} 题：下列关于国家工作人员学法用法、依法行政和依法履职的说法，按照有关法律法规的规定，哪一项是正确的？"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalCounty:
    """What was made: who can sign in, and the exam to sit."""

    login_names: list[str]
    exam_id: int


def write_county(session: Session, people: int, *, password_hash: str, now: datetime) -> RehearsalCounty:
    """Write the county; raises ConflictError in any database that is no empty shadow, so that no real row can be touched."""
    name = str(session.execute(text("SELECT current_database()")).scalar_one())
    if not name.endswith("_rehearsal") or session.execute(select(func.count()).select_from(Person)).scalar_one():
        raise ConflictError("这不是演练专用的空库，拒绝写入。")
    unit = Unit(code="REHEARSAL", name="演练单位", kind=UnitKind.COUNTY, region_path="/1/", created_at=now)
    session.add(unit)
    session.flush()
    unit.region_path = f"/{unit.id}/"
    login_names = [f"R{number:06d}" for number in range(people)]
    _write_people(session, unit.id, login_names, password_hash=password_hash, now=now)
    for kind, count, _ in _SECTIONS:
        for number in range(count * _BANK):
            _write_question(session, kind, number, now=now)
    return RehearsalCounty(login_names=login_names, exam_id=_write_exam(session, now=now))


def _write_people(session: Session, unit_id: int, login_names: list[str], *, password_hash: str, now: datetime) -> None:
    rows = [
        {"staff_number": name, "name": "演练", "unit_id": unit_id, "state": PersonState.ON_ROSTER, "created_at": now, "updated_at": now}
        for name in login_names
    ]  # fmt: skip
    session.execute(insert(Person), rows)
    session.execute(
        text(
            "INSERT INTO accounts (person_id, login_name, password_hash, must_change_password, failures, is_demo)"
            " SELECT id, staff_number, :password_hash, false, 0, false FROM persons"
        ),
        {"password_hash": password_hash},
    )


def _write_question(session: Session, kind: Kind, number: int, *, now: datetime) -> None:
    written = tuple(f"选项{n}：依照法定权限和程序办理" for n in range(4))
    options = list(kind_of(kind).options_of(model.Question(kind=kind, stem="", options=written)))
    question = BankQuestion(
        code=f"rehearsal-{kind}-{number}", kind=str(kind), state=QuestionState.ACTIVE, created_at=now, updated_at=now
    )
    session.add(question)
    session.flush()
    content = {
        "material": None,
        "parts": [{"kind": str(kind), "stem": _STEM.format(number), "options": options, "blanks": None}],
    }
    version = QuestionVersion(
        question_id=question.id, number=1, content=content, search_text=_STEM.format(number), created_at=now
    )
    session.add(version)
    session.flush()
    key = ["A", "B"] if kind_of(kind).is_multiple else ["A"]
    session.add(
        AnswerKey(
            question_version_id=version.id,
            number=1,
            parts=[{"key": key, "blanks": [], "explanation": ""}],
            created_at=now,
        )
    )
    question.current_version = version


def _write_exam(session: Session, *, now: datetime) -> int:
    blueprint = Blueprint(name="演练", created_at=now, updated_at=now)
    for position, (kind, count, points) in enumerate(_SECTIONS, 1):
        blueprint.sections.append(
            BlueprintSection(
                position=position, title=f"第{position}部分", kind=str(kind), count=count, points_each=Decimal(points),
                laws=[], knowledge_points=[], codes=[], topics=[], difficulties={},
            )
        )  # fmt: skip
    session.add(blueprint)
    session.flush()
    exam = Exam(
        title="演练", kind=ExamKind.ANNUAL, state=ExamState.PUBLISHED, blueprint_id=blueprint.id, opens_at=now - timedelta(minutes=1),
        closes_at=now + timedelta(days=1), duration_s=3600, attempts_allowed=1, pass_percent=Decimal(60), good_percent=Decimal(80),
        excellent_percent=Decimal(90), created_at=now, updated_at=now, published_at=now,
    )  # fmt: skip
    session.add(exam)
    session.flush()
    return exam.id


def prepare(session: Session, exam_id: int, *, now: datetime) -> int:
    """Make the next batch of papers ahead; gives how many, 0 when all are made."""
    return prepare_papers(session, exam_id, now=now)
