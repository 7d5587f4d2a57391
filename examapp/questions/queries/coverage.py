"""The syllabus against the bank: which laws have how many questions of which kind and difficulty."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from examapp.laws.models import Law
from examapp.questions.models import Question, QuestionState
from examapp.questions.rules.content import TOPICS
from question_bank.model import Difficulty, Kind


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

    def is_thin(self, least: int) -> bool:
        """Whether a kind of which papers are mostly made, or a difficulty, falls short."""
        return bool(self.thin_in(least))

    def thin_in(self, least: int) -> list[str]:
        """List the kinds and difficulties of which there are fewer than this."""
        kinds = [kind for kind in MAIN_KINDS if self.of_kind(kind) < least]
        return kinds + [each for each in map(str, Difficulty) if self.of_difficulty(each) < least]


MAIN_KINDS = (str(Kind.SINGLE_CHOICE), str(Kind.TRUE_FALSE), str(Kind.MULTIPLE_CHOICE))
"""What real papers are mostly made of."""


def cover_syllabus(session: Session) -> dict[str, list[LawCoverage]]:
    """Give the coverage of each law by topic, in the syllabus's order; laws of the library without a question too."""
    laws = {name: LawCoverage(law=name, topic=topic) for name, topic in session.execute(select(Law.name, Law.topic))}
    columns = (Question.law_name, Question.topic, Question.kind, Question.difficulty, Question.law_change != "")
    rows = session.execute(
        select(*columns, func.count()).where(Question.state == QuestionState.ACTIVE).group_by(*columns)
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
