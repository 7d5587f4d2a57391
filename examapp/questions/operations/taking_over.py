"""Take a file's reading over into the bank: what it has already is left alone, what is in doubt goes to the review list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from examapp.audit.operations import Actor, record
from examapp.core.clock import day_of
from examapp.laws.queries import find_version_in_force
from examapp.laws.rules import iso_day, law_name
from examapp.questions.models import QuestionState
from examapp.questions.operations.adding import add_prepared
from examapp.questions.queries import find_existing
from examapp.questions.rules.content import Prepared, UnfitQuestionError, prepare
from examapp.questions.rules.described import describe
from question_bank.model import Question
from question_bank.parse_result import ParseResult

_TELL_EVERY = 100
"""Questions between two notes of progress."""
_SAME_BUT_KEY = "题库或本文件中已有文字相同的题，答案却不同。请核对哪一个对。"


@dataclass(slots=True, kw_only=True)
class Taken:
    """What came of a reading: `ready` and `in_doubt` are new to the bank, `existing` counts what it has already."""

    ready: list[Prepared] = field(default_factory=list, repr=False)
    in_doubt: list[Prepared] = field(default_factory=list, repr=False)
    existing: int = 0
    losses: list[dict[str, str]] = field(default_factory=list)
    doubtful: list[dict[str, Any]] = field(default_factory=list)
    refused: list[dict[str, str]] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)


def sort_reading(
    session: Session, *, reading: ParseResult, now: datetime, note_progress: Callable[[int], None] | None = None
) -> Taken:
    """Sort a reading against the bank without writing: new, known, in doubt, not to be held."""
    taken = Taken()
    laws = _LawsInForce(session, now)
    prepared = list(_prepared(reading, laws, taken, note_progress))
    known = {d: parts for d, (_, parts) in find_existing(session, [one.digest for _, one in prepared]).items()}
    for where, one in prepared:
        _sort(taken, where, one, known)
    return taken


def take_over(
    session: Session,
    *,
    reading: ParseResult,
    state: QuestionState,
    actor: Actor,
    now: datetime,
    import_id: int | None = None,
    note_progress: Callable[[int], None] | None = None,
) -> Taken:
    """Store what a reading brings that is new, as drafts or active; those with a doubtful key always as drafts."""
    taken = sort_reading(session, reading=reading, now=now, note_progress=note_progress)
    common = {"actor": actor, "now": now, "import_id": import_id}
    taken.ids = add_prepared(session, prepared=taken.ready, state=state, **common)  # type: ignore[arg-type]  # three keywords of their own types
    taken.ids += add_prepared(session, prepared=taken.in_doubt, state=QuestionState.DRAFT, **common)  # type: ignore[arg-type]
    record(
        session,
        "questions.take_over",
        actor=actor,
        now=now,
        object_type="question_import",
        object_id=import_id,
        details={"added": len(taken.ids), "in_doubt": len(taken.in_doubt), "existing": taken.existing, "state": state},
    )
    return taken


def _prepared(
    reading: ParseResult, laws: _LawsInForce, taken: Taken, note_progress: Callable[[int], None] | None
) -> Iterator[tuple[str, Prepared]]:
    outcomes: list[tuple[str, Question, str]] = [(item.where, item.question, "") for item in reading.imported]
    outcomes += [(item.note.where, item.question, item.note.reason) for item in reading.doubtful]
    for number, (where, question, doubt) in enumerate(outcomes):
        if note_progress is not None and number % _TELL_EVERY == 0:
            note_progress(number)
        try:
            one = prepare(laws.completed(question, where, taken), doubt=doubt)
        except UnfitQuestionError as error:
            taken.refused.append({"where": where, "reason": error.text, "code": error.code})
            continue
        taken.losses += [{"where": where, "reason": reason, "code": "image_lost"} for reason in one.losses]
        yield where, one


def _sort(taken: Taken, where: str, one: Prepared, known: dict[str, list[Any]]) -> None:
    before = known.get(one.digest)
    doubt = one.doubt
    if before is not None and (one.doubt or _keys(before) == _keys(one.key_parts)):
        taken.existing += 1
        return
    if before is not None:
        doubt = _SAME_BUT_KEY
    known.setdefault(one.digest, one.key_parts)
    if not doubt:
        taken.ready.append(one)
        return
    taken.in_doubt.append(one if one.doubt else prepare(one.question, doubt=doubt))
    taken.doubtful.append({"where": where, "reason": doubt, "code": "doubtful_key", "question": describe(one.question)})


def _keys(parts: Iterable[dict[str, Any]]) -> list[Any]:
    return [[part["key"], part["blanks"]] for part in parts]


class _LawsInForce:
    """Completes citations without a version by the one in force, and says so."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._today = day_of(now)
        self._found: dict[str, str | None] = {}

    def completed(self, question: Question, where: str, taken: Taken) -> Question:
        """Give the question with a version for its citation where the bank's laws have one in force."""
        citation = question.citation
        if citation is None or iso_day(citation.version):
            return question
        version = self._version(law_name(citation.law))
        known = f"按现行版本（{version}）关联" if version else "法律库中没有这部法律，条文未关联"
        taken.losses.append(
            {
                "where": where,
                "reason": f"没有写明《{law_name(citation.law)}》的版本，{known}，请核对。",
                "code": "law_version",
            }
        )
        if version is None:
            return question
        return replace(question, citation=replace(citation, version=version))

    def _version(self, law: str) -> str | None:
        if law not in self._found:
            version = find_version_in_force(self._session, law=law, on=self._today)
            self._found[law] = version.version_on.isoformat() if version else None
        return self._found[law]
