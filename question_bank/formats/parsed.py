"""Represent and validate a question between its file and the bank: every reader fills a ParsedQuestion."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation

from examapp.documents.embedded_pictures import EmbeddedPicture
from question_bank import validation
from question_bank.formats.export import decode_tags
from question_bank.formats.pictures import append_pictures
from question_bank.kinds.base import Severity
from question_bank.kinds.registry import kind_of
from question_bank.model import (
    OPTION_LETTERS,
    TRUE_FALSE_OPTIONS,
    Citation,
    Difficulty,
    Image,
    Kind,
    Note,
    Outcome,
    Question,
    QuestionForReview,
    ReadQuestion,
)
from question_bank.rich import Rich, joined, unify

TRUE_TERMS = frozenset({"true", "t", "正确", "对", "√", "✓", "✔"})
FALSE_TERMS = frozenset({"false", "f", "错误", "错", "×", "✗", "✘"})
MAX_POINTS = Decimal(99999)
MAX_EXPONENT = 1000
"""Of numbers in files: sums of larger ones overflow."""
OPTION_CODES = frozenset(
    {
        "too_few_options", "too_many_options", "repeated_option", "option_missing", "blank_option", "same_options",
        "kind_options_conflict",
    }
)  # fmt: skip
"""Codes of issues of the options, not of the answer."""


@dataclass(slots=True, kw_only=True)
class ParsedQuestion:
    """A question as a reader found it, before it is checked.

    Formats with keys by option fill `right`. Tables and texts, which name the key in words, fill `answer` and `blank_answers`;
    `heuristics.resolving` turns these into `kind`, `right` and `blanks`.
    """

    where: str
    kind: Kind | None = None
    """None until it is decided from options and answer; a question that stays undecided is a short answer."""
    kind_hint: Kind | None = None
    """The kind that only the name of the file, sheet or section states: it decides where options and answer leave it open."""
    kind_label: str = ""
    """What the file gives as the kind, where that is none of ours."""
    stem: Rich = field(default_factory=Rich)
    options: list[Rich] = field(default_factory=list)
    letters: list[str] = field(default_factory=list)
    """The letter of each option as written; empty in formats whose options have none."""
    right: list[int] = field(default_factory=list)
    """Indexes of the right options, from 0; of an ordering question all indexes in the right order."""
    blanks: list[tuple[str, ...]] = field(default_factory=list)
    answer: str = ""
    """The answer as written; of a short answer the model answer."""
    blank_answers: list[str] = field(default_factory=list)
    """Answers as written, one a blank (columns `空 1`, `空 2` …)."""
    parts: list["ParsedQuestion"] = field(default_factory=list)
    part_name: str = ""
    """What notes call a sub-question that has no place of its own in the file, such as `第 2 小题`."""
    explanation: list[Rich] = field(default_factory=list)
    option_notes: dict[int, Rich] = field(default_factory=dict)
    """Feedback on single options, appended to the explanation after the option's letter."""
    citation: Citation | None = None
    knowledge_points: tuple[str, ...] = ()
    difficulty: Difficulty | None = None
    points: Decimal | None = None
    code: str | None = None
    tags: tuple[str, ...] = ()
    images: list[Image] = field(default_factory=list)
    """Pictures that the texts name as `bank:<name>`."""
    pictures: list[tuple[str, EmbeddedPicture]] = field(default_factory=list)
    """Pictures beside the texts, each with the text it belongs to: `pictures.STEM`, `pictures.EXPLANATION`, or an option's letter."""
    places: dict[str, str] = field(default_factory=dict)
    """Where the `kind`, the `stem`, the `options` and the `answer` are, in files in which each has a place of its own."""
    group: str = ""
    """The sheet or file whose true/false questions are alike in the order of their options."""
    is_letter_truth: bool = True
    """Whether a bare A or B of a true/false question without options is read as 正确 or 错误."""
    may_be_true_false: bool = True
    """Whether a single choice between true and false becomes a true/false question."""
    dropped: list[Note] = field(default_factory=list)
    review: Note | None = None
    """Why a person must set the key."""
    rejection: Note | None = None
    """Why the question cannot be imported, whatever its key."""

    @property
    def stem_text(self) -> str:
        """The stem as written."""
        return self.stem.text

    @stem_text.setter
    def stem_text(self, text: str) -> None:
        """Set a plain stem."""
        self.stem = Rich(text)

    @property
    def explanation_text(self) -> str:
        """The explanation as written."""
        return "\n".join(text.text for text in self.explanation)

    @explanation_text.setter
    def explanation_text(self, text: str) -> None:
        """Set a plain explanation."""
        self.explanation = [Rich(text)] if text else []

    @property
    def lettered(self) -> list[tuple[str, str]]:
        """Letter and text of each option as written."""
        return list(zip(self.letters, (option.text for option in self.options), strict=False))

    @lettered.setter
    def lettered(self, pairs: list[tuple[str, str]]) -> None:
        """Set letters and plain texts of the options."""
        self.letters, self.options = [letter for letter, _ in pairs], [Rich(text) for _, text in pairs]

    def add_dropped(self, code: str, reason: str) -> None:
        """Note something that could not be kept; once a code."""
        if all(note.code != code for note in self.dropped):
            self.dropped.append(Note(self.where, reason, code))

    def require_review(self, code: str, reason: str, *, at: str = "answer") -> None:
        """Put the question on the review list; the first reason is kept."""
        if self.review is None:
            self.review = Note(self.places.get(at, self.where), reason, code)

    def set_tags(self, tags: list[str]) -> None:
        """Set the tags of a format that carries knowledge points, difficulty and citation in them."""
        self.tags, self.knowledge_points, self.difficulty, self.citation = decode_tags(tags)

    def choose(self, right: Iterable[str], names: list[str]) -> None:
        """Set the right options by their names in the file; require a review where the names do not identify them."""
        if len(set(names)) != len(names):
            self.require_review("duplicate_letters", "有两个选项用了同一个标识，分不清答案指哪一个。请改正后再导入。")
        elif not set(right) <= set(names):
            self.require_review("key_outside_options", "答案指向不存在的选项。请核对答案。")
        else:
            self.right = [names.index(name) for name in right]

    def validate(self) -> Outcome:
        """Return the question as imported, doubtful or rejected."""
        if (rejection := self.rejection or _validate_parts(self) or _check(self)) is not None:
            return rejection
        question = _question(self)
        if self.review is not None:
            return QuestionForReview(question, self.review)
        return ReadQuestion(question, self.where, tuple(self.dropped))

    def set_code(self, name: str) -> None:
        """Set the question's number, but for one that our writers gave to a question without."""
        self.code = None if re.fullmatch(r"bank-item-\d+", name) else name or None

    def clear_key(self) -> None:
        """Remove the key, which must not be guessed."""
        self.right, self.blanks, self.answer = [], [], ""


def truth_index(word: str) -> int | None:
    """Return the index of 正确 or 错误 among the options of a true/false question, by a word that means it."""
    word = word.strip().lower()
    return 0 if word in TRUE_TERMS else 1 if word in FALSE_TERMS else None


def unsupported_kind(where: str, kind_name: str) -> Note:
    """Return the rejection of a kind that the platform does not have, by its name."""
    reason = f"本平台不考“{kind_name}”，这道题没有导入。可改写成单选、多选、判断、排序、填空或简答题后再导入。"
    return Note(where, reason, "kind_not_sat")


def parse_points(text: str | None) -> Decimal | None:
    """Return points as written in a file, to two places; None when they are no positive number."""
    points = number(text)
    if points is None or not 0 < points <= MAX_POINTS:
        return None
    rounded = points.quantize(Decimal("0.01"))
    whole = rounded.to_integral_value()
    return (whole if rounded == whole else rounded.normalize()) or None


def _validate_parts(parsed: ParsedQuestion) -> Note | None:
    for part in parsed.parts:
        outcome = part.validate()
        name = f"{part.part_name}：" if part.part_name else ""
        if isinstance(outcome, Note):
            return replace(outcome, reason=f"{name or '案例题的小题有问题，整道案例题没有导入：'}{outcome.reason}")
        if part.review is not None and parsed.review is None:
            parsed.review = replace(part.review, reason=name + part.review.reason)
        if name:
            for dropped_item in part.dropped:
                parsed.add_dropped(dropped_item.code, name + dropped_item.reason)
        else:
            parsed.dropped += part.dropped
    return None


def _check(parsed: ParsedQuestion) -> Note | None:
    """Validate the question as the file has it: before two options become true and false."""
    is_out_of_range = any(not 0 <= index < len(parsed.options) for index in parsed.right)
    if is_out_of_range and parsed.options and parsed.kind is not Kind.ORDERING:
        parsed.require_review("key_outside_options", "答案指向不存在的选项。请核对答案。")
        parsed.right = []
    question = _built(parsed)
    own_issues = list(validation.own_issues(question))
    if rejected := validation.find_issue(own_issues, Severity.REJECT):
        place = parsed.places.get("options", parsed.where) if rejected.code in OPTION_CODES else parsed.where
        return Note(place, rejected.reason, rejected.code)
    for issue in (*own_issues, *kind_of(question.kind).iter_key_issues(question)):
        if issue.severity is Severity.NOTE:
            parsed.add_dropped(issue.code, issue.reason)
        else:
            parsed.require_review(issue.code, issue.reason, at="options" if issue.code in OPTION_CODES else "answer")
        if issue.voids_key:
            parsed.right = []
    return None


def _question(parsed: ParsedQuestion) -> Question:
    if parsed.kind is Kind.SINGLE_CHOICE and parsed.may_be_true_false:
        _turn_true_false(parsed)
    question = _built(parsed)
    return append_pictures(question, parsed.pictures) if parsed.pictures else question


def _built(parsed: ParsedQuestion) -> Question:
    notes = [text for text in parsed.explanation if not text.is_blank]
    names = TRUE_FALSE_OPTIONS if parsed.kind is Kind.TRUE_FALSE else tuple(OPTION_LETTERS)
    for index, note in sorted(parsed.option_notes.items()):
        if not note.is_blank and index < len(names):
            notes.append(Rich(f"{names[index]}：{note.simplest.text}", note.simplest.is_html))
    values, is_html = unify([parsed.stem, *parsed.options, joined(notes)])
    by_name = {image.name: image for image in parsed.images}
    return Question(
        kind=parsed.kind or Kind.SHORT_ANSWER,
        stem=values[0],
        options=TRUE_FALSE_OPTIONS if parsed.kind is Kind.TRUE_FALSE else tuple(values[1:-1]),
        key=_key(parsed),
        blanks=tuple(parsed.blanks),
        parts=tuple(_question(part) for part in parsed.parts),
        explanation=values[-1],
        citation=parsed.citation,
        knowledge_points=parsed.knowledge_points,
        difficulty=parsed.difficulty,
        points=parsed.points,
        code=parsed.code or None,
        tags=parsed.tags,
        is_html=is_html,
        images=tuple(image for name, image in by_name.items() if any(f"bank:{name}" in value for value in values)),
    )


def _key(parsed: ParsedQuestion) -> tuple[str, ...]:
    if parsed.kind in {Kind.SHORT_ANSWER, None}:
        return (parsed.answer.strip(),) if parsed.answer.strip() else ()
    indexes = parsed.right if parsed.kind is Kind.ORDERING else sorted(set(parsed.right))
    return tuple(OPTION_LETTERS[index] for index in indexes if 0 <= index < len(OPTION_LETTERS))


def _turn_true_false(parsed: ParsedQuestion) -> None:
    """Make two options that say only true and false a true/false question; its key follows the words, not the indexes."""
    text = [option.plain.strip().lower() for option in parsed.options]
    if len(text) != 2 or not TRUE_TERMS.intersection(text) or not FALSE_TERMS.intersection(text):
        return
    parsed.kind, parsed.options = Kind.TRUE_FALSE, []
    if text[0] in FALSE_TERMS:
        parsed.right = [1 - index for index in parsed.right]
        parsed.option_notes = {1 - index: note for index, note in parsed.option_notes.items()}


BLANK = "____"
_TOKEN = re.compile("\uf100(\\d{1,6})\uf101")


@dataclass(slots=True)
class Gap:
    """One gap: accepted variants when it is written, options and right places when it is chosen."""

    variants: tuple[str, ...] = ()
    options: list[Rich] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    option_notes: dict[int, Rich] = field(default_factory=dict)
    review: tuple[str, str] | None = None
    """Code and reason, when the gap's key is unclear."""
    is_choice: bool = False
    length: int = 4
    """How long a line stands for the gap."""

    def fill(self, parsed: ParsedQuestion) -> None:
        """Make a question of this gap alone."""
        if self.is_choice:
            parsed.kind, parsed.options, parsed.right = Kind.SINGLE_CHOICE, self.options, self.right
            parsed.option_notes = self.option_notes
        else:
            parsed.kind, parsed.blanks = Kind.FILL_BLANK, [self.variants]
        if self.review is not None:
            parsed.require_review(*self.review)


def token(place: int) -> str:
    """Return what stands in a stem for the gap at that place (from 0) until the kind is known."""
    return f"\uf100{place}\uf101"


def place_gaps(parsed: ParsedQuestion, stem: Rich, gaps: list[Gap], *, hidden: frozenset[int] = frozenset()) -> None:
    """Give the question its kind, stem, blanks or options from a stem with tokens; gaps without one follow, if not hidden."""
    missing = [place for place in range(len(gaps)) if token(place) not in stem.text and place not in hidden]
    stem = Rich(" ".join([stem.text, *(token(place) for place in missing)]), stem.is_html) if missing else stem
    choices = [gap for gap in gaps if gap.is_choice]
    written = [gap.variants for gap in gaps if len(gap.variants) > 1]
    if any({*one} == {*other} for place, one in enumerate(written) for other in written[:place]):
        reason = "几个空接受同样的几个答案；导入后在几个空里重复填同一个答案也会算对。"
        parsed.add_dropped("gaps_interchangeable", reason)
    for gap in gaps:
        if gap.review is not None:
            parsed.require_review(*gap.review)
    if not choices:
        parsed.kind, parsed.blanks = Kind.FILL_BLANK, [gap.variants for gap in gaps]
    elif len(gaps) == 1:
        choices[0].fill(parsed)
    else:
        _make_case(parsed, stem, gaps)
        return
    lengths = {str(place): gap.length for place, gap in enumerate(gaps)}
    parsed.stem = Rich(_TOKEN.sub(lambda match: "_" * lengths.get(match.group(1), 0), stem.text), stem.is_html)


def _make_case(parsed: ParsedQuestion, stem: Rich, gaps: list[Gap]) -> None:
    parsed.kind = Kind.CASE
    parsed.stem = Rich(_TOKEN.sub(lambda match: f"（{int(match.group(1)) + 1}）{BLANK}", stem.text), stem.is_html)
    parsed.add_dropped("gaps_as_case", "一段文字里有几处选择，改成了案例题：每一空是一道小题。")
    for place, gap in enumerate(gaps, start=1):
        stem = Rich(f"第（{place}）空")
        part = ParsedQuestion(where=parsed.where, part_name=f"第 {place} 小题", stem=stem, images=parsed.images)
        gap.fill(part)
        parsed.parts.append(part)


def number(text: str | None) -> Decimal | None:
    """Return a finite number as written, or None."""
    try:
        value = Decimal((text or "").strip())
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value.adjusted()) < MAX_EXPONENT else None


def as_texts(variants: Iterable[str]) -> tuple[str, ...]:
    """Return numbers as a candidate may write them: as in the file, and without trailing zeros (`4.0` also as `4`)."""
    found: list[str] = []
    for variant in variants:
        value = number(variant)
        plain = variant if value is None or abs(value.adjusted()) > 30 else f"{value.normalize():f}"
        found += [plain, variant]
    return tuple(dict.fromkeys(found))
