"""Makes what tests need, with as little said as possible; every default is a plain, valid thing."""

from __future__ import annotations

import itertools
import secrets
import threading
from datetime import timedelta
from decimal import Decimal

from flask.testing import FlaskClient

from examapp import clock
from examapp.content.blueprints.models import Blueprint, BlueprintSection
from examapp.content.blueprints.queries import clear_paper_caches
from examapp.content.question_editing.actions import index_questions
from examapp.content.questions.models import AnswerKey, BankQuestion, KnowledgePoint, QuestionVersion
from examapp.delivery.exams.models import Exam, ExamState
from examapp.delivery.grading.queries import clear_key_cache
from examapp.organisation.accounts.rules import digest
from examapp.organisation.people.models import Account, Person, RoleGrant, SignIn
from examapp.organisation.units.models import Unit
from question_bank.model import Kind

_numbers = itertools.count(1)
NO_PASSWORD = "!"


class BrowserClient(FlaskClient):
    """A client whose every request has an application context (and so `g` and database session) of its own, as in real life.

    The test's own session is flushed before each request and expired after it, so that both see the same rows.
    """

    world: World

    def open(self, *args, **kwargs):
        is_same_thread = threading.get_ident() == self.world.thread
        if is_same_thread:
            self.world.session.flush()
        try:
            with self.application.app_context():
                return super().open(*args, **kwargs)
        finally:
            if is_same_thread:
                self.world.session.expire_all()


class World:
    """Makes rows in the test's session, and clients signed in as a person (without the cost of a password hash)."""

    def __init__(self, app, session, *, commits=False) -> None:
        self.app = app
        self.session = session
        self.commits = commits
        self.thread = threading.get_ident()
        clear_key_cache()
        clear_paper_caches()  # another test, another database behind the same ids

    def save(self, row):
        self.session.add(row)
        self.session.flush()
        return row

    def commit(self) -> None:
        self.session.commit()

    # people and units

    def unit(self, name="测试局", *, parent=None, sector_parent=None, kind="department", code=None, **fields):
        unit = Unit(
            code=code or f"U{next(_numbers):05d}",
            name=name,
            kind=kind,
            parent_id=parent.id if parent else None,
            sector_parent_id=sector_parent.id if sector_parent else None,
            region_path="/0/",
            sector_path=None,
            created_at=clock.now(),
            **fields,
        )
        self.save(unit)
        unit.region_path = f"{parent.region_path if parent else '/'}{unit.id}/"
        if sector_parent:
            unit.sector_path = f"{sector_parent.sector_path}{unit.id}/"
        elif kind == "sector":
            unit.sector_path = f"/{unit.id}/"
        self.session.flush()
        return unit

    def person(
        self,
        unit=None,
        *,
        name="张三",
        staff_number=None,
        state="on_roster",
        rank="一级科员",
        position="科员",
        login=True,
        **fields,
    ):
        person = Person(
            staff_number=staff_number or f"P{next(_numbers):06d}",
            name=name,
            unit_id=(unit or self.unit()).id,
            state=state,
            rank=rank,
            position=position,
            created_at=clock.now(),
            updated_at=clock.now(),
            **fields,
        )
        self.save(person)
        if login:
            self.save(
                Account(
                    person_id=person.id,
                    login_name=person.staff_number,
                    password_hash=NO_PASSWORD,
                    must_change_password=False,
                )
            )
        return person

    def admin(self, role="publicity_office", unit=None, *, tree="region", **fields):
        person = self.person(unit, state="off_roster", **fields)
        self.save(
            RoleGrant(
                person_id=person.id, role=role, unit_id=unit.id if unit else None, tree=tree, granted_at=clock.now()
            )
        )
        return person

    def client(self, person=None):
        """A browser; signed in as the person where one is given. Its `csrf` header is set for unsafe API calls."""
        client = BrowserClient(self.app, self.app.response_class, use_cookies=True)
        client.world = self
        if person is not None:
            token = secrets.token_urlsafe(24)
            account = self.session.query(Account).filter_by(person_id=person.id).one()
            self.save(SignIn(account_id=account.id, token_digest=digest(token), started_at=clock.now()))
            if self.commits:
                self.session.commit()
            with client.session_transaction() as cookie:
                cookie["_user_id"] = token
                cookie["_fresh"] = True
        return client

    def api(self, person):
        """A client for `/api/`: signed in, with the CSRF token in its headers."""
        client = self.client(person)
        answer = client.get("/api/v1/session")
        client.environ_base["HTTP_X_CSRFTOKEN"] = answer.get_json()["csrf_token"]
        return client

    # questions, papers, exams

    def question(
        self,
        kind=Kind.SINGLE_CHOICE,
        *,
        key=("A",),
        options=4,
        blanks=(("三十日", "30日"),),
        parts=None,
        stem=None,
        law="行政处罚法",
        topic="行政法",
        difficulty="easy",
        state="active",
        knowledge_points=(),
        explanation="理由",
    ):
        """A question of one part, or a case of `parts=[(kind, key, options)…]`."""
        number = next(_numbers)
        specs = parts if kind == Kind.CASE else [(kind, key, options)]
        contents, keys = [], []
        for index, (part_kind, part_key, count) in enumerate(specs):
            texts = (
                ["正确", "错误"]
                if part_kind == Kind.TRUE_FALSE
                else [f"选项{number}-{index}-{letter}" for letter in "ABCDEFGH"[:count]]
            )
            is_blank = part_kind == Kind.FILL_BLANK
            contents.append(
                {
                    "kind": str(part_kind),
                    "stem": stem or f"第{number}题第{index}问的题干？",
                    "options": [] if is_blank or part_kind == Kind.SHORT_ANSWER else texts,
                    "blanks": len(blanks) if is_blank else None,
                }
            )
            keys.append(
                {
                    "key": [] if is_blank else list(part_key),
                    "blanks": [list(b) for b in blanks] if is_blank else [],
                    "explanation": explanation,
                }
            )
        question = self.save(
            BankQuestion(
                code=f"t-{number}",
                kind=str(kind),
                state=state,
                difficulty=difficulty,
                law_name=law,
                topic=topic,
                created_at=clock.now(),
                updated_at=clock.now(),
            )
        )
        for name in knowledge_points:
            point = self.session.query(KnowledgePoint).filter_by(name=name).one_or_none() or self.save(
                KnowledgePoint(name=name)
            )
            question.knowledge_points.append(point)
        version = self.save(
            QuestionVersion(
                question_id=question.id,
                number=1,
                content={"material": "材料" if kind == Kind.CASE else None, "parts": contents},
                search_text=contents[0]["stem"],
                created_at=clock.now(),
            )
        )
        self.save(AnswerKey(question_version_id=version.id, number=1, parts=keys, created_at=clock.now()))
        question.current_version = version
        self.session.flush()
        index_questions(self.session, [(question.id, question.code, version.search_text)])
        return question

    def blueprint(self, sections=((Kind.SINGLE_CHOICE, 2, "2"),), **fields):
        """A blueprint of sections `(kind, count, points each)`; make enough questions yourself."""
        blueprint = Blueprint(name="测试组卷", created_at=clock.now(), updated_at=clock.now(), **fields)
        for position, (kind, count, points) in enumerate(sections, 1):
            blueprint.sections.append(
                BlueprintSection(
                    position=position,
                    title=f"第{position}部分",
                    kind=str(kind),
                    count=count,
                    points_each=Decimal(points),
                    laws=[],
                    knowledge_points=[],
                    topics=[],
                    difficulties={},
                )
            )
        return self.save(blueprint)

    def exam(
        self,
        blueprint=None,
        *,
        title="测试考试",
        kind="annual",
        state=ExamState.PUBLISHED,
        opens_in=timedelta(hours=-1),
        lasts=timedelta(days=1),
        **fields,
    ):
        """An exam that is open now, unless said otherwise."""
        now = clock.now()
        fields = {
            "duration_s": 3600,
            "attempts_allowed": 1,
            "pass_percent": Decimal(60),
            "good_percent": Decimal(80),
            "excellent_percent": Decimal(90),
        } | fields
        return self.save(
            Exam(
                title=title,
                kind=kind,
                state=state,
                blueprint_id=blueprint.id if blueprint else None,
                opens_at=now + opens_in,
                closes_at=now + opens_in + lasts,
                created_at=now,
                updated_at=now,
                published_at=now,
                **fields,
            )
        )
