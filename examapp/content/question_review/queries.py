"""Queries of the review queue and of the coverage of the syllabus."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, exists, func, select, tuple_
from sqlalchemy.orm import Session

from examapp.content.laws.models import Law, LawVersion
from examapp.content.question_duplicates.queries import LikePair, list_similar
from examapp.content.question_review.rules import CheckedRule, check_draft
from examapp.content.question_search.queries import PAGE_SIZE, QuestionRow, list_rows, read_question
from examapp.content.questions.models import (
    AnswerKey,
    BankQuestion,
    QuestionCitation,
    QuestionState,
    QuestionUse,
    QuestionVersion,
)
from examapp.content.questions.queries import (
    PartCitation,
    current_key,
    get_question,
    get_version,
    list_cited,
    list_keys,
    list_uses,
    list_versions,
    stamp_of,
)
from examapp.content.questions.rules import TOPICS
from question_bank.model import Difficulty, Kind
from question_bank.quality import SIMILARITY_THRESHOLD

READ_AT_ONCE = 20
"""How many drafts a reviewer reads in full on one page."""


def count_queue(session: Session, *, person_id: int, may_own: bool) -> int:
    """Count the drafts that this person may review."""
    return session.scalar(_queue(select(func.count()), person_id, may_own=may_own)) or 0


def list_queue(session: Session, *, person_id: int, may_own: bool, page: int) -> list[QuestionRow]:
    """List a page of the drafts that this person may review, those that have waited longest first."""
    statement = _queue(select(BankQuestion.id), person_id, may_own=may_own).order_by(
        BankQuestion.updated_at, BankQuestion.id
    )
    ids = list(session.scalars(statement.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)))
    rows = {row.id: row for row in list_rows(session, ids)}
    return [rows[each] for each in ids if each in rows]


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInFull:
    """A draft as its reviewer reads it: content, valid key, what it cites; `stamp` changes whenever the question changes."""

    question: BankQuestion
    content: dict[str, Any]
    key_parts: list[dict[str, Any]]
    cited: list[str]
    stamp: str


def list_drafts_in_full(session: Session, *, person_id: int, may_own: bool, skip: int) -> list[DraftInFull]:
    """List the next drafts that this person may review, after so many; a page of READ_AT_ONCE, in four statements."""
    statement = _queue(cast("Select[Any]", select(BankQuestion, QuestionVersion)), person_id, may_own=may_own)
    ordered = statement.order_by(BankQuestion.updated_at, BankQuestion.id).offset(skip).limit(READ_AT_ONCE)
    pairs = [(question, version) for question, version in session.execute(ordered)]
    version_ids = [version.id for _, version in pairs]
    keys = list_keys(session, version_ids)
    cited: dict[int, list[str]] = {}
    for citation, law in session.execute(
        select(QuestionCitation, Law.name)
        .join(LawVersion, QuestionCitation.law_version_id == LawVersion.id)
        .join(Law, LawVersion.law_id == Law.id)
        .where(QuestionCitation.question_version_id.in_(version_ids))
        .order_by(QuestionCitation.part, QuestionCitation.id)
    ):
        cited.setdefault(citation.question_version_id, []).append(f"《{law}》{'、'.join(citation.articles)}")
    return [
        DraftInFull(
            question=question,
            content=version.content,
            key_parts=keys[version.id][0].parts,
            cited=cited.get(version.id, []),
            stamp=stamp_of(question, version),
        )
        for question, version in pairs
    ]


def next_in_queue(session: Session, *, person_id: int, may_own: bool, after: BankQuestion) -> int | None:
    """Find the draft to review after this one, or else the one that has waited longest; None where this is the only one."""
    statement = (
        _queue(select(BankQuestion.id), person_id, may_own=may_own)
        .where(BankQuestion.id != after.id)
        .order_by(BankQuestion.updated_at, BankQuestion.id)
        .limit(1)
    )
    later = tuple_(BankQuestion.updated_at, BankQuestion.id) > tuple_(after.updated_at, after.id)
    found: int | None = session.scalar(statement.where(later)) or session.scalar(statement)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionForReviewer:
    """All that a reviewer sees of one question: the articles beside it, what the machine found, similar ones, how it fared."""

    question: BankQuestion
    version: QuestionVersion
    key: AnswerKey
    cited: list[PartCitation]
    checklist: list[CheckedRule]
    similar: list[LikePair]
    uses: list[QuestionUse]
    numbers: dict[int, int]
    """Numbers of the question's versions by id."""

    @property
    def finding_count(self) -> int:
        """Return how many findings the reviewer has to tick."""
        return sum(len(rule.findings) for rule in self.checklist)


def get_for_reviewer(session: Session, question_id: int) -> QuestionForReviewer:
    """Get a question with all that its reviewer should see; raises NotFoundError."""
    question = get_question(session, question_id)
    version = get_version(session, question)
    cited = list_cited(session, version.id)
    articles = [
        [article for one in cited if one.part == number for article in one.articles]
        for number in range(1, len(version.content["parts"]) + 1)
    ]
    similar = list_similar(session, question, version)
    codes = [pair.other.code for pair in similar if pair.similarity >= 100 * SIMILARITY_THRESHOLD]
    read = read_question(session, question, version, is_editable=True)
    numbers = {each.id: each.number for each in list_versions(session, question.id)}
    return QuestionForReviewer(
        question=question,
        version=version,
        key=current_key(session, version.id),
        cited=cited,
        checklist=check_draft(read, articles, similar_codes=codes),
        similar=similar,
        uses=list_uses(session, list(numbers)),
        numbers=numbers,
    )


def count_states(session: Session, *, person_id: int) -> dict[str, int]:
    """Count what else waits: the user's own drafts, reviewed ones not yet active, doubtful keys, changed laws."""
    draft = BankQuestion.state == QuestionState.DRAFT
    own = _is_own(person_id)
    row = session.execute(
        select(
            func.count().filter(draft, BankQuestion.review_note == "", own).label("own"),
            func.count().filter(BankQuestion.state == QuestionState.REVIEWED).label("reviewed"),
            func.count()
            .filter(BankQuestion.review_note != "", BankQuestion.state != QuestionState.RETIRED)
            .label("review_note"),
            func.count().filter(BankQuestion.law_change != "").label("law"),
        )
        .select_from(BankQuestion)
        .outerjoin(QuestionVersion, BankQuestion.current_version_id == QuestionVersion.id)
        .where(
            draft
            | (BankQuestion.state == QuestionState.REVIEWED)
            | (BankQuestion.review_note != "")
            | (BankQuestion.law_change != "")
        )
    ).one()
    return dict(row._mapping)  # noqa: SLF001 – SQLAlchemy's public name


def _is_own(person_id: int) -> ColumnElement[bool]:
    """Whether this person wrote or imported the current version, or set a key of it."""
    writer = func.coalesce(QuestionVersion.created_by_id, BankQuestion.created_by_id, 0)
    by_hand = exists().where(AnswerKey.question_version_id == QuestionVersion.id, AnswerKey.created_by_id == person_id)
    return (writer == person_id) | by_hand


def _queue(statement: Select[Any], person_id: int, *, may_own: bool) -> Select[Any]:
    statement = (
        statement.select_from(BankQuestion)
        .join(QuestionVersion, BankQuestion.current_version_id == QuestionVersion.id)
        .where(BankQuestion.state == QuestionState.DRAFT, BankQuestion.review_note == "")
    )
    return statement if may_own else statement.where(~_is_own(person_id))


@dataclass(slots=True, kw_only=True)
class LawCoverage:
    """A law's questions that papers may draw, by kind and difficulty."""

    law: str
    topic: str
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    flagged: int = 0
    """Kept out because the law has changed."""

    @property
    def total(self) -> int:
        """All that papers may draw."""
        return self.counts.total()

    def of_kind(self, kind: str) -> int:
        """Count a kind over all difficulties."""
        return sum(count for (each, _), count in self.counts.items() if each == kind)

    def of_difficulty(self, difficulty: str) -> int:
        """Count a difficulty over all kinds; the empty word for those without."""
        return sum(count for (_, each), count in self.counts.items() if each == difficulty)

    def cell(self, kind: str, difficulty: str) -> int:
        """Count one kind and difficulty."""
        return self.counts[kind, difficulty]

    def is_thin(self, minimum: int) -> bool:
        """Whether a kind of which papers are mostly made, or a difficulty, falls short."""
        return bool(self.thin_in(minimum))

    def thin_in(self, minimum: int) -> list[str]:
        """List the kinds and difficulties of which there are fewer than this."""
        kinds = [kind for kind in MAIN_KINDS if self.of_kind(kind) < minimum]
        return kinds + [each for each in map(str, Difficulty) if self.of_difficulty(each) < minimum]


MAIN_KINDS = (str(Kind.SINGLE_CHOICE), str(Kind.TRUE_FALSE), str(Kind.MULTIPLE_CHOICE))
"""What real papers are mostly made of."""


def cover_syllabus(session: Session) -> dict[str, list[LawCoverage]]:
    """Return the coverage of each law by topic, in the syllabus's order, laws without a question included."""
    laws = {name: LawCoverage(law=name, topic=topic) for name, topic in session.execute(select(Law.name, Law.topic))}
    columns = (
        BankQuestion.law_name,
        BankQuestion.topic,
        BankQuestion.kind,
        BankQuestion.difficulty,
        BankQuestion.law_change != "",
    )
    rows = session.execute(
        select(*columns, func.count()).where(BankQuestion.state == QuestionState.ACTIVE).group_by(*columns)
    )
    for name, topic, kind, difficulty, is_flagged, count in rows:
        entry = laws.setdefault(name, LawCoverage(law=name, topic=topic))
        entry.topic = entry.topic or topic
        if is_flagged:
            entry.flagged += count
        else:
            entry.counts[kind, difficulty or ""] += count
    topics: dict[str, list[LawCoverage]] = {topic: [] for topic in TOPICS}
    for entry in sorted(laws.values(), key=lambda each: each.law):
        topics.setdefault(entry.topic or "", []).append(entry)
    return {topic: entries for topic, entries in topics.items() if entries or topic}
