"""Compare parsed questions with the bank and store the new ones; load the seed questions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from examapp.clock import day_of
from examapp.content.law_texts.rules import iso_day, law_name
from examapp.content.laws.actions import ensure_law_version, load_gists
from examapp.content.laws.queries import find_version_in_force
from examapp.content.question_editing.actions import add_prepared, add_questions
from examapp.content.question_intake.rules import describe
from examapp.content.questions import models as question_models
from examapp.content.questions.models import AnswerKey, QuestionImport, QuestionState, QuestionVersion
from examapp.content.questions.rules import Prepared, UnfitQuestionError, prepare
from examapp.errors import NotFoundError
from examapp.platform.audit.actions import SYSTEM, ActionContext, record
from question_bank.gists import read_gists
from question_bank.model import ParseResult, Question
from question_bank.quality import read_content

AUDIT_ACTS = {"questions.commit_import": "导入试题入库"}
AUDIT_DETAILS = {"existing": "已有", "prepared_for_review": "待核对"}


def find_existing(session: Session, digests: Sequence[str]) -> dict[str, tuple[int, list[Any]]]:
    """Find which contents the bank has among questions not retired: by digest, the question's id and the parts of its key."""
    statement = (
        select(QuestionVersion.digest, question_models.BankQuestion.id, AnswerKey.parts)
        .join(question_models.BankQuestion, question_models.BankQuestion.current_version_id == QuestionVersion.id)
        .join(AnswerKey, AnswerKey.question_version_id == QuestionVersion.id)
        .where(QuestionVersion.digest.in_(digests), question_models.BankQuestion.state != "retired")
        .order_by(AnswerKey.number)
    )
    return {row.digest: (row.id, row.parts) for row in session.execute(statement)}


def get_import(session: Session, import_id: int, *, is_locked: bool = False) -> QuestionImport:
    """Get an import, locked for an act if asked for; raises NotFoundError."""
    found = session.get(QuestionImport, import_id, with_for_update=is_locked or None, populate_existing=is_locked)
    if found is None:
        raise NotFoundError("没有找到这次导入。请从导入记录重新进入。")
    return found


def find_earlier_import(session: Session, row: QuestionImport) -> QuestionImport | None:
    """Find an earlier import of the same file that was stored and not undone."""
    statement = select(QuestionImport).where(
        QuestionImport.digest == row.digest,
        QuestionImport.id < row.id,
        QuestionImport.is_confirmed,
        QuestionImport.undone_at.is_(None),
    )
    return session.scalars(statement.order_by(QuestionImport.id.desc()).limit(1)).first()


def list_imports(session: Session, *, limit: int = 30) -> list[QuestionImport]:
    """List the newest imports."""
    return list(session.scalars(select(QuestionImport).order_by(QuestionImport.id.desc()).limit(limit)))


_PROGRESS_EVERY = 100
"""Questions between two notes of progress."""
_SAME_BUT_KEY = "{}已有文字相同的题，答案却不同。请核对哪一个对。"


@dataclass(slots=True, kw_only=True)
class QuestionImportResult:
    """The result of an import: `ready` and `prepared_for_review` are new to the bank, `existing` counts what it has already."""

    ready: list[Prepared] = field(default_factory=list, repr=False)
    prepared_for_review: list[Prepared] = field(default_factory=list, repr=False)
    existing: int = 0
    duplicates: list[dict[str, str]] = field(default_factory=list)
    """What `existing` counts: where each stands, and of what it is a duplicate, in the bank or in the file."""
    dropped: list[dict[str, str]] = field(default_factory=list)
    needing_review: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, str]] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)


def sort_reading(
    session: Session, *, reading: ParseResult, now: datetime, note_progress: Callable[[int], None] | None = None
) -> QuestionImportResult:
    """Classify a result against the bank without writing: new, known, in doubt, not storable."""
    taken = QuestionImportResult()
    laws = _LawsInForce(session, now)
    prepared = list(_prepared(reading, laws, taken, note_progress))
    found = find_existing(session, [one.digest for _, one in prepared])
    known = {digest: (f"题库中第 {number} 号题", parts) for digest, (number, parts) in found.items()}
    for where, one in prepared:
        _sort(taken, where, one, known)
    return taken


def take_over(
    context: ActionContext,
    *,
    reading: ParseResult,
    state: QuestionState,
    import_id: int | None = None,
    note_progress: Callable[[int], None] | None = None,
) -> QuestionImportResult:
    """Store what is new in a result, as drafts or active; questions with a doubtful key always as drafts."""
    session, now = context.session, context.now
    taken = sort_reading(session, reading=reading, now=now, note_progress=note_progress)
    taken.ids = add_prepared(context, prepared=taken.ready, state=state, import_id=import_id)
    taken.ids += add_prepared(
        context, prepared=taken.prepared_for_review, state=QuestionState.DRAFT, import_id=import_id
    )
    record(
        context,
        "questions.commit_import",
        object_type="question_import",
        object_id=import_id,
        details={
            "added": len(taken.ids),
            "prepared_for_review": len(taken.prepared_for_review),
            "existing": taken.existing,
            "state": state,
        },
    )
    return taken


def _prepared(
    reading: ParseResult, laws: _LawsInForce, taken: QuestionImportResult, note_progress: Callable[[int], None] | None
) -> Iterator[tuple[str, Prepared]]:
    outcomes: list[tuple[str, Question, str]] = [(item.where, item.question, "") for item in reading.imported]
    outcomes += [(item.note.where, item.question, item.note.reason) for item in reading.needing_review]
    for number, (where, question, review_note) in enumerate(outcomes):
        if note_progress is not None and number % _PROGRESS_EVERY == 0:
            note_progress(number)
        try:
            one = prepare(laws.completed(question, where, taken), review_note=review_note)
        except UnfitQuestionError as error:
            taken.rejected.append({"where": where, "reason": error.text, "code": error.code})
            continue
        taken.dropped += [{"where": where, "reason": reason, "code": "image_lost"} for reason in one.dropped]
        yield where, one


def _sort(taken: QuestionImportResult, where: str, one: Prepared, known: dict[str, tuple[str, list[Any]]]) -> None:
    before, parts = known.get(one.digest, ("", []))
    review_note = one.review_note
    if before and (one.review_note or _keys(parts) == _keys(one.key_parts)):
        taken.existing += 1
        code = "in_bank" if before.startswith("题库") else "in_file"
        taken.duplicates.append({"where": where, "reason": f"与{before}相同，不重复导入。", "code": code})
        return
    if before:
        review_note = _SAME_BUT_KEY.format(before)
    known.setdefault(one.digest, (f"本文件{where}", one.key_parts))
    if not review_note:
        taken.ready.append(one)
        return
    taken.prepared_for_review.append(one if one.review_note else prepare(one.question, review_note=review_note))
    taken.needing_review.append(
        {
            "where": where,
            "reason": review_note,
            "code": "doubtful_key" if one.review_note else "same_but_key",
            "question": describe(one.question),
        }
    )


def _keys(parts: Iterable[dict[str, Any]]) -> list[Any]:
    return [[part["key"], part["blanks"]] for part in parts]


class _LawsInForce:
    """Completes citations without a version by the one in force, and notes it."""

    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._today = day_of(now)
        self._found: dict[str, str | None] = {}

    def completed(self, question: Question, where: str, taken: QuestionImportResult) -> Question:
        """Return the question with a version for its citation where one is in force in the bank."""
        citation = question.citation
        if citation is None or iso_day(citation.version):
            return question
        version = self._version(law_name(citation.law))
        known = f"按现行版本（{version}）关联" if version else "这部法律还没有导入，条文未关联"
        taken.dropped.append(
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


_SETTING = re.compile(r"^@(law|version|effective|topic)\s+(.+)$", re.MULTILINE)


def load_seed_bank(session: Session, folder: Path, *, now: datetime) -> list[int]:
    """Load the seed questions of a folder as active questions, except those whose number the bank has; return the new ids.

    The laws they cite come with them, with the gists of their articles.
    """
    load_laws(session, folder, now=now)
    known = set(session.scalars(select(question_models.BankQuestion.code)))
    questions = [question for question in read_content(folder) if question.code not in known]
    if not questions:
        return []
    return add_questions(ActionContext(session, SYSTEM, now), questions=questions, state=QuestionState.ACTIVE)


def load_laws(session: Session, folder: Path, *, now: datetime) -> int:
    """Load the names, versions and days of the laws that seed questions cite, and all gists; return how many gists there are."""
    for path in sorted(folder.glob("*.txt")):
        settings = dict(_SETTING.findall(path.read_text("utf-8-sig")))
        version_on: date | None = iso_day(settings.get("version"))
        if version_on and settings.get("law"):
            ensure_law_version(
                session,
                law=law_name(settings["law"]),
                version_on=version_on,
                topic=settings.get("topic", "").strip(),
                effective_on=iso_day(settings.get("effective")),
                now=now,
            )
    return load_gists(session, read_gists(folder / "gists"), now=now)
