"""From what a format says of a question to the bank's question: checks, doubts and losses, the same for all formats."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from question_bank import validation
from question_bank.formats.export import decode_tags
from question_bank.kinds.base import Severity
from question_bank.kinds.registry import kind_of
from question_bank.model import OPTION_LETTERS, TRUE_FALSE_OPTIONS, Image, Kind, Question
from question_bank.parse_result import DoubtfulQuestion, Note, ParseResult, ReadQuestion
from question_bank.rich import Rich, joined, unify

TRUE_WORDS = frozenset({"true", "t", "正确", "对", "√", "✓", "✔"})
FALSE_WORDS = frozenset({"false", "f", "错误", "错", "×", "✗", "✘"})
MAX_POINTS = Decimal(99999)

Outcome = ReadQuestion | DoubtfulQuestion | Note


@dataclass(slots=True, kw_only=True)
class ParsedQuestion:
    """A question as a format's reader found it, before it is checked."""

    where: str
    kind: Kind
    stem: Rich
    options: list[Rich] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    """Places of the right options, from 0; of an ordering question all places in the right order."""
    blanks: list[tuple[str, ...]] = field(default_factory=list)
    answer: str = ""
    parts: list[ParsedQuestion] = field(default_factory=list)
    explanation: list[Rich] = field(default_factory=list)
    option_notes: dict[int, Rich] = field(default_factory=dict)
    """Feedback on single options, told in the explanation after the option's letter."""
    code: str | None = None
    points: Decimal | None = None
    tags: list[str] = field(default_factory=list)
    images: list[Image] = field(default_factory=list)
    losses: list[Note] = field(default_factory=list)
    doubt: Note | None = None

    def lose(self, code: str, reason: str) -> None:
        """Name something that could not be kept; once a code."""
        if all(note.code != code for note in self.losses):
            self.losses.append(Note(self.where, reason, code))

    def doubt_key(self, code: str, reason: str) -> None:
        """Send the question to the review list; the first reason stands."""
        if self.doubt is None:
            self.doubt = Note(self.where, reason, code)


def validate_parsed(draft: ParsedQuestion) -> Outcome:
    """The draft as imported, doubtful or refused."""
    refusal = _validate_parts(draft) or _check(draft)
    if refusal is not None:
        return refusal
    question = _question(draft)
    if draft.doubt is not None:
        return DoubtfulQuestion(question, draft.doubt)
    return ReadQuestion(question, draft.where, tuple(draft.losses))


def add_outcome(reading: ParseResult, outcome: Outcome) -> None:
    """Put one outcome on its list of the reading."""
    if isinstance(outcome, ReadQuestion):
        reading.imported.append(outcome)
    elif isinstance(outcome, DoubtfulQuestion):
        reading.doubtful.append(outcome)
    else:
        reading.refused.append(outcome)


def unsupported_kind(where: str, kind_name: str) -> Note:
    """The refusal of a kind that the platform does not sit, by its name."""
    return Note(
        where,
        f"本平台不考“{kind_name}”，这道题没有导入。可改写成单选、多选、判断、排序、填空或简答题后再导入。",
        "kind_not_sat",
    )


def read_points(text: str | None) -> Decimal | None:
    """Points as written in a file, to two places; None when they are no positive number."""
    try:
        points = Decimal((text or "").strip())
    except InvalidOperation:
        return None
    if not points.is_finite() or points <= 0 or points > MAX_POINTS:
        return None
    rounded = points.quantize(Decimal("0.01"))
    whole = rounded.to_integral_value()
    return whole if rounded == whole else rounded.normalize()


def _validate_parts(draft: ParsedQuestion) -> Note | None:
    for place, part in enumerate(draft.parts, start=1):
        outcome = validate_parsed(part)
        if isinstance(outcome, Note):
            return Note(draft.where, f"第 {place} 小题：{outcome.reason}", outcome.code)
        if part.doubt is not None:
            draft.doubt_key(part.doubt.code, f"第 {place} 小题：{part.doubt.reason}")
        for loss in part.losses:
            draft.lose(loss.code, f"第 {place} 小题：{loss.reason}")
    return None


def _check(draft: ParsedQuestion) -> Note | None:
    """Hold the draft against the one validation, as the file has it: before two options become true and false."""
    if any(not 0 <= place < len(draft.options) for place in draft.right) and draft.options:
        draft.doubt_key("key_outside_options", "答案指向不存在的选项。请核对答案。")
        draft.right = []
    question = _built(draft)
    if rejected := validation.rejection(validation.own_issues(question)):
        return Note(draft.where, rejected.reason, rejected.code)
    own_key_issues = kind_of(draft.kind).iter_key_issues(question)
    for issue in (*validation.own_issues(question), *own_key_issues):
        if issue.severity is Severity.NOTE:
            draft.lose(issue.code, issue.reason)
        else:
            draft.doubt_key(issue.code, issue.reason)
        if issue.voids_key:
            draft.right = []
    return None


def _question(draft: ParsedQuestion) -> Question:
    if draft.kind is Kind.SINGLE_CHOICE:
        _turn_true_false(draft)
    return _built(draft)


def _built(draft: ParsedQuestion) -> Question:
    texts = [draft.stem, *draft.options, _explanation(draft)]
    values, is_html = unify(texts)
    facts = decode_tags(draft.tags)
    return Question(
        kind=draft.kind,
        stem=values[0],
        options=TRUE_FALSE_OPTIONS if draft.kind is Kind.TRUE_FALSE else tuple(values[1:-1]),
        key=_key(draft),
        blanks=tuple(draft.blanks),
        parts=tuple(_question(part) for part in draft.parts),
        explanation=values[-1],
        citation=facts.citation,
        knowledge_points=facts.knowledge_points,
        difficulty=facts.difficulty,
        points=draft.points,
        code=draft.code or None,
        tags=facts.tags,
        is_html=is_html,
        images=_used_images(draft.images, values),
    )


def _used_images(images: list[Image], values: Iterable[str]) -> tuple[Image, ...]:
    text = "\n".join(values)
    return tuple(image for image in {image.name: image for image in images}.values() if f"bank:{image.name}" in text)


def _key(draft: ParsedQuestion) -> tuple[str, ...]:
    if draft.kind is Kind.SHORT_ANSWER:
        return (draft.answer.strip(),) if draft.answer.strip() else ()
    places = draft.right if draft.kind is Kind.ORDERING else sorted(set(draft.right))
    return tuple(OPTION_LETTERS[place] for place in places if 0 <= place < len(OPTION_LETTERS))


def _explanation(draft: ParsedQuestion) -> Rich:
    """General feedback first, then what was said of single options, after their letters."""
    notes = [text for text in draft.explanation if not text.is_blank]
    names = TRUE_FALSE_OPTIONS if draft.kind is Kind.TRUE_FALSE else tuple(OPTION_LETTERS)
    for place, note in sorted(draft.option_notes.items()):
        if not note.is_blank and place < len(names):
            notes.append(Rich(f"{names[place]}：{note.simplest.text}", note.simplest.is_html))
    return joined(notes)


def _turn_true_false(draft: ParsedQuestion) -> None:
    """Two options that say only true and false make a true/false question; its letters follow the words, not the places."""
    words = [option.plain.strip().lower() for option in draft.options]
    if len(words) != 2 or not ({words[0], words[1]} & TRUE_WORDS) or not ({words[0], words[1]} & FALSE_WORDS):
        return
    swapped = words[0] in FALSE_WORDS
    draft.kind = Kind.TRUE_FALSE
    draft.options = []
    if swapped:
        draft.right = [1 - place for place in draft.right]
        draft.option_notes = {1 - place: note for place, note in draft.option_notes.items()}
