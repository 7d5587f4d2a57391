"""Reads about blueprints and papers, and the paper as a candidate sees it."""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from threading import Lock
from typing import Annotated, Any, Protocol, TypedDict

import msgspec
from cachetools import LRUCache
from msgspec import Meta
from sqlalchemy import ColumnElement, Select, select, true, union
from sqlalchemy.orm import Session, selectinload

from examapp.content.blueprints.models import Blueprint, BlueprintSection, Paper
from examapp.content.blueprints.rules import DrawnPaper, Pool, PoolQuestion, Section, draw, parts_of, prepare_pool
from examapp.content.questions.models import (
    AnswerKey,
    BankQuestion,
    KnowledgePoint,
    QuestionState,
    QuestionVersion,
    question_knowledge_points,
)
from examapp.documents.html import text_to_html
from examapp.errors import NotFoundError
from examapp.organisation.units.rules import CELL_RANGE
from question_bank.kinds import response_schema
from question_bank.kinds.base import QuestionKind
from question_bank.kinds.registry import DRAWN_KINDS, PART_KINDS, kind_of
from question_bank.model import OPTION_LETTERS, Kind

_MAX_CACHED_ORDERS = 64  # of the options of one version


@dataclass(frozen=True, slots=True)
class PaperItem:
    """One item of a paper: which part of which question version it is, and in which order its options stand."""

    item: int
    version_id: int
    part: int
    kind: Kind
    order: str
    """Stored letters in display order, `"CABD"`: display key A is stored letter C."""
    points: Decimal
    scoring: str = ""
    """The rule that the section chose for its kind; empty for the kind's first."""


class OptionBody(TypedDict):
    """An option by its display key; the text is sanitised HTML."""

    key: str
    text: str


class PaperItemBody(TypedDict):
    """An item of a paper as a candidate sees it; nothing in it reveals a key."""

    item: Annotated[int, Meta(ge=1)]
    kind: Annotated[str, Meta(extra_json_schema={"enum": [str(kind) for kind in PART_KINDS]})]
    points: Annotated[str, Meta(pattern=r"^-?\d+\.\d\d$")]
    stem: str
    material: str | None
    blanks: Annotated[int, Meta(ge=1)] | None
    options: list[OptionBody]


class PaperSectionBody(TypedDict):
    """A section of a paper."""

    title: str
    instructions: str
    items: list[PaperItemBody]


class PaperBody(TypedDict):
    """A paper in this person's order of questions and options."""

    sections: list[PaperSectionBody]


class _Version:
    """A question version's content, and the JSON of its parts in the option orders that papers have."""

    __slots__ = ("content", "encoded")

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.encoded: dict[tuple[int, str, str], bytes] = {}

    def encode(self, part: int, order: str, points: str, kind: QuestionKind) -> bytes:
        """Encode an item but for the number that it begins with."""
        asked = (part, order, points)
        if asked not in self.encoded:
            if len(self.encoded) >= _MAX_CACHED_ORDERS:
                self.encoded.clear()
            self.encoded[asked] = msgspec.json.encode(_render_part(self.content, part, order, points, kind))[1:]
        return self.encoded[asked]


_versions: LRUCache[int, _Version] = LRUCache(20_000)
_papers: LRUCache[int, bytes] = LRUCache(1_000)
_cache_lock = Lock()


def clear_paper_caches() -> None:
    """Drop the cached papers and question versions: another database stands behind the same ids now (tests, a restore)."""
    with _cache_lock:
        _versions.clear()
        _papers.clear()


def _get_versions(session: Session, version_ids: set[int]) -> dict[int, _Version]:
    """Get versions by id; reads what is not cached in one statement, caches only versions already used in a paper, which never change."""
    with _cache_lock:
        found = {version_id: _versions[version_id] for version_id in version_ids if version_id in _versions}
    if missing := version_ids - found.keys():
        columns = select(QuestionVersion.id, QuestionVersion.content, QuestionVersion.used_at)
        rows = session.execute(columns.where(QuestionVersion.id.in_(missing))).all()
        read = {row.id: _Version(row.content) for row in rows}
        found |= read
        with _cache_lock:
            _versions.update({row.id: read[row.id] for row in rows if row.used_at is not None})
    return found


def get_paper(session: Session, paper_id: int) -> Paper:
    """Get a paper; raises NotFoundError."""
    paper = session.get(Paper, paper_id)
    if paper is None:
        raise NotFoundError
    return paper


class PaperContent(Protocol):
    """What a paper consists of, stored or only drawn."""

    @property
    def sections(self) -> list[dict[str, Any]]:
        """Titles, instructions and items, as `Paper.sections` holds them."""

    @property
    def response_schema(self) -> str:
        """The paper's response schema."""


def items_of(paper: PaperContent) -> list[PaperItem]:
    """List a paper's items, numbered 1 to n over the whole paper."""
    raw = ((*item, section.get("scoring", "")) for section in paper.sections for item in section["items"])
    return [
        PaperItem(number, version_id, part, kind.code, order, _points(points), scoring)
        for number, ((version_id, part, order, points, scoring), kind) in enumerate(
            zip(raw, response_schema.kinds_in(paper.response_schema), strict=True), 1
        )
    ]


@lru_cache(maxsize=512)
def _points(written: str) -> Decimal:
    return Decimal(written)


def option_order(item: PaperItem) -> dict[str, str]:
    """Give the stored letter behind each display key of an item: `{"A": "C", "B": "A", …}`; empty for texts."""
    return dict(zip(OPTION_LETTERS, item.order, strict=False))


def render_paper(session: Session, paper: PaperContent) -> PaperBody:
    """Give the paper as the protocol writes it; keys and explanations are not even read. At most one statement."""
    rendered: PaperBody = msgspec.json.decode(_encode_paper(session, paper))
    return rendered


def compressed_paper(session: Session, paper: PaperContent, *, paper_id: int) -> bytes:
    """Give the stored paper of that id as JSON of the protocol, compressed by gzip. A paper never changes: it is cached for a page loaded again."""
    with _cache_lock:
        compressed = _papers.get(paper_id)
    if compressed is None:
        compressed = gzip.compress(_encode_paper(session, paper), compresslevel=1, mtime=0)
        with _cache_lock:
            _papers[paper_id] = compressed
    return compressed


def _encode_paper(session: Session, paper: PaperContent) -> bytes:
    versions = _get_versions(session, {item[0] for section in paper.sections for item in section["items"]})
    kinds = iter(response_schema.kinds_in(paper.response_schema))
    numbers = itertools.count(1)
    sections = []
    for section in paper.sections:
        items = [
            b'{"item":%d,%b' % (next(numbers), versions[version_id].encode(part, order, points, next(kinds)))
            for version_id, part, order, points in section["items"]
        ]
        head = {"title": section["title"], "instructions": text_to_html(section["instructions"])}
        sections.append(msgspec.json.encode(head)[:-1] + b',"items":[' + b",".join(items) + b"]}")
    return b'{"sections":[' + b",".join(sections) + b"]}"


def _render_part(content: dict[str, Any], number: int, order: str, points: str, kind: QuestionKind) -> dict[str, Any]:
    """Give an item as `PaperItemBody`, without its number."""
    part = content["parts"][number]
    return {
        "kind": str(kind.code),
        "points": points,
        "stem": part["stem"],
        "material": content["material"],
        "blanks": part["blanks"] if kind.has_blanks else None,
        "options": [
            {"key": key, "text": part["options"][OPTION_LETTERS.index(letter)]}
            for key, letter in zip(OPTION_LETTERS, order, strict=False)
        ],
    }


def sections_of(blueprint: Blueprint) -> list[Section]:
    """Give a blueprint's sections in order, as the drawing needs them."""
    return [
        Section(
            title=row.title,
            instructions=row.instructions,
            kind=Kind(row.kind),
            count=row.count,
            points_each=row.points_each,
            scoring=row.scoring,
            part_count=row.part_count,
            laws=frozenset(row.laws),
            topics=frozenset(row.topics),
            knowledge_points=frozenset(row.knowledge_points),
            codes=frozenset(row.codes),
            difficulties=row.difficulties,
        )
        for row in blueprint.sections
    ]


def load_pool(session: Session, blueprint: Blueprint) -> Pool:
    """Load the active questions that a blueprint may draw from, cut to its sections: two statements at most."""
    sections = sections_of(blueprint)
    return prepare_pool(sections, iter_pool(session, sections, of_province=blueprint.id < CELL_RANGE))


def iter_pool(session: Session, sections: Collection[Section], *, of_province: bool = False) -> Iterator[PoolQuestion]:
    """Give the active questions that sections ask for, a province's alone where wanted; those whose law has changed wait for a reviewer."""
    points = _knowledge_points(session) if any(section.knowledge_points for section in sections) else {}
    kinds = {str(section.kind) for section in sections if section.kind in DRAWN_KINDS}
    rows = session.execute(
        select(
            BankQuestion.id,
            BankQuestion.kind,
            BankQuestion.law_name,
            BankQuestion.topic,
            BankQuestion.difficulty,
            BankQuestion.code,
            QuestionVersion.id.label("version_id"),
            QuestionVersion.content,
        )
        .join(QuestionVersion, BankQuestion.current_version_id == QuestionVersion.id)
        .where(BankQuestion.state == QuestionState.ACTIVE, BankQuestion.law_change == "", BankQuestion.kind.in_(kinds))
        .where(BankQuestion.id < CELL_RANGE if of_province else true())
        .order_by(BankQuestion.id)
    )
    for row in rows:
        yield PoolQuestion(
            question_id=row.id,
            version_id=row.version_id,
            kind=Kind(row.kind),
            parts=parts_of(row.content),
            law=row.law_name,
            topic=row.topic,
            difficulty=row.difficulty,
            knowledge_points=points.get(row.id, frozenset()),
            code=row.code,
        )


def select_pool(section: BlueprintSection) -> Select[int]:
    """Select the ids of the active questions that a section may draw from; law changes that wait for a reviewer are left out of account."""
    is_asked = BankQuestion.state == QuestionState.ACTIVE, BankQuestion.kind == section.kind
    return select(BankQuestion.id).where(*is_asked, *list_filters(section))


def list_filters(section: BlueprintSection) -> list[ColumnElement[bool]]:
    """List the conditions by which a section is cut out of the bank."""
    points = BankQuestion.knowledge_points.any(KnowledgePoint.name.in_(section.knowledge_points))
    columns = {"laws": BankQuestion.law_name, "topics": BankQuestion.topic, "codes": BankQuestion.code}
    cuts = [column.in_(names) for name, column in columns.items() if (names := getattr(section, name))]
    return cuts + ([points] if section.knowledge_points else [])


def list_pool_ids(session: Session, blueprint_ids: Iterable[int]) -> set[int]:
    """List the ids of the questions that papers of these blueprints may hold, in two statements."""
    sections = session.scalars(select(BlueprintSection).where(BlueprintSection.blueprint_id.in_(list(blueprint_ids))))
    statements = [_by_difficulty(section) for section in sections]
    return set(session.scalars(union(*statements))) if statements else set()


def _by_difficulty(section: BlueprintSection) -> Select[int]:
    """Narrow a section's pool to the difficulties that it draws from, where their counts leave nothing open."""
    statement = select_pool(section)
    if section.difficulties and sum(section.difficulties.values()) >= section.count:
        wanted = [difficulty for difficulty, count in section.difficulties.items() if count]
        statement = statement.where(BankQuestion.difficulty.in_(wanted))
    return statement


def _knowledge_points(session: Session) -> dict[int, frozenset[str]]:
    table = question_knowledge_points
    rows = session.execute(
        select(table.c.question_id, KnowledgePoint.name).join(
            KnowledgePoint, table.c.knowledge_point_id == KnowledgePoint.id
        )
    )
    names: dict[int, set[str]] = {}
    for question_id, name in rows:
        names.setdefault(question_id, set()).add(name)
    return {question_id: frozenset(found) for question_id, found in names.items()}


def get_blueprint(session: Session, blueprint_id: int) -> Blueprint:
    """Get a blueprint with its sections; raises NotFoundError."""
    blueprint = session.scalar(
        select(Blueprint).where(Blueprint.id == blueprint_id).options(selectinload(Blueprint.sections))
    )
    if blueprint is None:
        raise NotFoundError
    return blueprint


def list_blueprints(session: Session) -> list[Blueprint]:
    """List the blueprints that are not archived with their sections, the newest first."""
    return list(
        session.scalars(
            select(Blueprint)
            .where(Blueprint.archived_at.is_(None))
            .options(selectinload(Blueprint.sections))
            .order_by(Blueprint.id.desc())
        )
    )


def is_drawn_from(session: Session, blueprint_id: int) -> bool:
    """Tell whether a paper has been drawn from a blueprint: from then on it no longer changes."""
    return session.scalar(select(Paper.id).where(Paper.blueprint_id == blueprint_id).limit(1)) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class BankNames:
    """The names by which a section may be cut out of the bank."""

    laws: tuple[str, ...]
    topics: tuple[str, ...]
    knowledge_points: tuple[str, ...]


def bank_names(session: Session) -> BankNames:
    """Give the laws, topics and knowledge points that questions of the bank carry."""
    laws = session.scalars(select(BankQuestion.law_name).where(BankQuestion.law_name != "").distinct())
    topics = session.scalars(select(BankQuestion.topic).where(BankQuestion.topic != "").distinct())
    points = session.scalars(select(KnowledgePoint.name))
    return BankNames(laws=tuple(sorted(laws)), topics=tuple(sorted(topics)), knowledge_points=tuple(sorted(points)))


def unknown_names(session: Session, sections: Iterable[Section]) -> list[str]:
    """List the laws, topics, knowledge points and codes that sections name and the bank does not know."""
    sections, known = list(sections), bank_names(session)
    codes = {code for section in sections for code in section.codes}
    found = set(session.scalars(select(BankQuestion.code).where(BankQuestion.code.in_(codes)))) if codes else set()
    laws, topics, points = map(set, (known.laws, known.topics, known.knowledge_points))
    unknown = ((one.laws - laws) | (one.topics - topics) | (one.knowledge_points - points) for one in sections)
    return sorted(set().union(codes - found, *unknown))


def sample_paper(session: Session, blueprint: Blueprint, *, seed: int) -> PaperBody:
    """Draw a paper that is not kept, and give it as a candidate would see it; raises BankTooSmallError."""
    return render_paper(session, _draw_sample(session, blueprint, seed))


def sample_answers(session: Session, blueprint: Blueprint, *, seed: int) -> dict[int, str]:
    """Draw the same paper, and give its keys in words by item; raises BankTooSmallError."""
    items = items_of(_draw_sample(session, blueprint, seed))
    newest = select(AnswerKey).where(AnswerKey.question_version_id.in_({item.version_id for item in items}))
    keys = {key.question_version_id: key for key in session.scalars(newest.order_by(AnswerKey.number))}
    parts = ((item, keys[item.version_id].parts[item.part]) for item in items)
    return {
        item.item: "；".join(kind_of(item.kind).describe_key(part["key"], part.get("blanks") or (), item.order))
        for item, part in parts
    }


def _draw_sample(session: Session, blueprint: Blueprint, seed: int) -> DrawnPaper:
    pool = load_pool(session, blueprint)
    return draw(sections_of(blueprint), pool, seed=seed, is_shuffled=blueprint.is_shuffled)
