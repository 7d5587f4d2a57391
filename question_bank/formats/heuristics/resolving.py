"""The one place where a raw question ends: imported, imported with losses, doubtful, or refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from question_bank import validation
from question_bank.formats.decoding import clean_text
from question_bank.formats.heuristics import keys, kind_names
from question_bank.formats.heuristics.answers import (
    count_blanks,
    counts_from_zero,
    is_by_number,
    is_truth_word,
    read_truth,
)
from question_bank.formats.pictures import with_pictures
from question_bank.formats.raw import RawQuestion
from question_bank.kinds.registry import KIND_NAMES
from question_bank.model import TRUE_FALSE_OPTIONS, Kind, Question
from question_bank.parse_result import DoubtfulQuestion, Note, ParseResult, ReadQuestion
from question_bank.rich import plain_if_html

MANY_TRUTH_OPTIONS = 5
"""So many questions with 对/错 as options make a file without stated kinds a true/false bank."""
_LETTERS_ALONE = re.compile(r"A?B?C?D?E?F?(?<=[A-F])")
"""Letters in rising order, as a key has them; words such as `AI` or `BA` are none."""


@dataclass(slots=True)
class _End:
    """How one question ended: a question with perhaps a doubt, or a refusal."""

    question: Question | None
    problem: Note | None = None


def assemble(raws: Iterable[RawQuestion], *, format_name: str) -> ParseResult:
    """Every raw question in exactly one list of the reading, keys checked and true/false items held against their neighbours."""
    prepared = [_clean(raw) for raw in raws]
    _see_true_false(prepared)
    _doubt_counting(prepared)
    orders = _usual_orders(prepared)
    reading = ParseResult(format_name)
    for raw in prepared:
        end = _end(raw, orders)
        if end.question is None:
            reading.refused.append(end.problem or Note(raw.where, "认不出这道题，请核对。", "unreadable"))
        elif end.problem:
            reading.doubtful.append(DoubtfulQuestion(end.question, end.problem))
        else:
            reading.imported.append(ReadQuestion(end.question, raw.where, tuple(_all_losses(raw))))
    return reading


def _all_losses(raw: RawQuestion) -> list[Note]:
    return raw.losses + [note for part in raw.parts for note in part.losses]


def _clean(raw: RawQuestion) -> RawQuestion:
    raw.stem = _plain(raw, raw.stem)
    raw.explanation = _plain(raw, raw.explanation)
    raw.options = [(letter, _plain(raw, text)) for letter, text in raw.options]
    while raw.options and not raw.options[-1][1]:
        raw.options.pop()
    raw.answer = clean_text(raw.answer)
    raw.blanks = [clean_text(blank) for blank in raw.blanks]
    while raw.blanks and not raw.blanks[-1]:
        raw.blanks.pop()
    raw.parts = [_clean(part) for part in raw.parts]
    if raw.answer and raw.kind in {Kind.SHORT_ANSWER, Kind.FILL_BLANK}:
        raw.answer = _plain(raw, raw.answer)
    if "\ufffd" in raw.stem + raw.answer + "".join(text for _, text in raw.options):
        raw.lose("这道题里有认不出的字（文件编码损坏），请核对原文。", "broken_characters")
    return raw


def _plain(raw: RawQuestion, text: str) -> str:
    plain, lost = plain_if_html(text)
    if lost:
        raw.lose(f"题里的{lost}没有导入，只保留了文字。", "formatting")
    return clean_text(plain)


def _truth_order(raw: RawQuestion) -> bool | None:
    """True for 正确 before 错误, False for the reverse, None when the options are not these two."""
    texts = [text for _, text in raw.options]
    if len(texts) != len(TRUE_FALSE_OPTIONS) or not all(is_truth_word(text) for text in texts):
        return None
    first, second = read_truth(texts[0]), read_truth(texts[1])
    return first if first is not second else None


def _see_true_false(raws: list[RawQuestion]) -> None:
    unstated = [raw for raw in raws if raw.kind is None and not raw.kind_label and _truth_order(raw) is not None]
    if len(unstated) >= MANY_TRUTH_OPTIONS:
        for raw in unstated:
            raw.kind = Kind.TRUE_FALSE


def _doubt_counting(raws: list[RawQuestion]) -> None:
    """Doubt all answers by number where a neighbour's is 0: then they count from 0, or they do not; nobody can tell."""
    asked = [raw for one in raws for raw in (one, *one.parts) if raw.answer]
    listed = [raw for raw in asked if len(raw.options) >= 2]
    places = {raw.neighbourhood for raw in listed if counts_from_zero(raw.answer) and not keys.is_by_words(raw)}
    for raw in (*listed, *(raw for raw in asked if not raw.options and raw.kind is Kind.TRUE_FALSE)):
        if raw.neighbourhood in places and is_by_number(raw.answer):
            raw.doubt(
                f"同一处的答案里有 0，看不出“{raw.answer[:10]}”是从 0 还是从 1 数起的。请写明选项字母。", "two_readings"
            )


def _usual_orders(raws: list[RawQuestion]) -> dict[str, bool]:
    """For each neighbourhood the order in which most of its true/false items have their two options."""
    votes: dict[str, Counter[bool]] = {}
    for raw in raws:
        for one in (raw, *raw.parts):
            order = _truth_order(one)
            if order is not None and one.kind is Kind.TRUE_FALSE:
                votes.setdefault(one.neighbourhood, Counter())[order] += 1
    return {place: count[True] >= count[False] for place, count in votes.items()}


def _end(raw: RawQuestion, orders: dict[str, bool]) -> _End:
    end = _end_words(raw, orders)
    if end.question is not None and raw.pictures:
        end.question = with_pictures(end.question, raw.pictures)
    return end


def _end_words(raw: RawQuestion, orders: dict[str, bool]) -> _End:
    refusal = _refusal(raw)
    if refusal:
        return _End(None, refusal)
    if raw.parts:
        return _end_case(raw, orders)
    kind = raw.kind = _decide_kind(raw)
    if kind in {Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE}:
        return _end_choice(raw, kind)
    if kind is Kind.TRUE_FALSE:
        return _end_true_false(raw, orders)
    if kind is Kind.ORDERING:
        return _end_order(raw)
    return _end_text(raw, kind)


def _refusal(raw: RawQuestion) -> Note | None:
    """Why a question cannot be imported whatever its key: a kind that is not sat, no stem."""
    if raw.refusal:
        return raw.refusal
    unsat = kind_names.unsupported_name(raw.kind_label) if raw.kind is None else None
    if unsat:
        reason = f"本系统不考“{unsat}”这种题型，没有导入。请改成单选、多选、判断、排序、填空、简答或案例题后再导入。"
        return Note(raw.places.get("kind", raw.where), reason, "kind_not_sat")
    if not raw.stem or not any(sign.isalnum() for sign in raw.stem):
        return Note(raw.places.get("stem", raw.where), "没有题干，无法导入。请补上题干。", "no_stem")
    texts = (raw.stem, raw.answer, raw.explanation, *(text for _, text in raw.options))
    too_long = next(validation.text_issues(*texts), None)
    return Note(raw.where, too_long.reason, too_long.code) if too_long else None


def _decide_kind(raw: RawQuestion) -> Kind:
    if raw.kind is not None and raw.kind is not Kind.CASE:
        return raw.kind
    kind = _seen_kind(raw)
    if raw.kind_label and not kind_names.is_choice_name(raw.kind_label):
        raw.lose(f"题型“{raw.kind_label[:20]}”不认识，已按内容当作{KIND_NAMES[kind]}导入，请核对。", "kind_unknown")
    return kind


def _seen_kind(raw: RawQuestion) -> Kind:
    if raw.options:
        letters, _ = keys.choice_key(raw)
        return Kind.MULTIPLE_CHOICE if letters and len(letters) > 1 else Kind.SINGLE_CHOICE
    if raw.blanks:
        return Kind.FILL_BLANK
    if raw.answer and read_truth(raw.answer) is not None and not raw.answer.isdigit():
        return Kind.TRUE_FALSE
    if count_blanks(raw.stem) and raw.answer and len(raw.answer) <= keys.LONG_ANSWER:
        _doubt_lone_letters(raw)
        return Kind.FILL_BLANK
    _doubt_lone_letters(raw)
    return Kind.SHORT_ANSWER


def _doubt_lone_letters(raw: RawQuestion) -> None:
    """Doubt an answer that names options where none were found and the file does not say that it wants words."""
    if _LETTERS_ALONE.fullmatch(raw.answer):
        reason = f"答案“{raw.answer}”像是选项字母，却没有认出选项。请核对题型和选项。"
        raw.doubt(reason, "options_missing")


def _question(raw: RawQuestion, kind: Kind) -> Question:
    return Question(
        kind=kind, stem=raw.stem, explanation=raw.explanation, citation=raw.citation,
        knowledge_points=raw.knowledge_points, difficulty=raw.difficulty, points=raw.points, code=raw.code, tags=raw.tags,
    )  # fmt: skip


def _doubt(raw: RawQuestion, question: Question, problem: tuple[str, str] | None) -> _End:
    """The question with its first doubt, its key left empty."""
    if raw.doubts:
        return _End(question, raw.doubts[0])
    if problem:
        place = raw.places.get("options") if problem[1] in keys.ABOUT_OPTIONS else None
        return _End(question, Note(place or raw.answer_where or raw.where, problem[0], problem[1]))
    return _End(question)


def _checked(raw: RawQuestion, question: Question) -> _End:
    """A question whose key was read, held against the one validation."""
    issue = validation.key_doubt(validation.iter_key_issues(question))
    return _doubt(raw, replace(question, key=(), blanks=()), (issue.reason, issue.code)) if issue else _End(question)


def _end_choice(raw: RawQuestion, kind: Kind) -> _End:
    question = replace(_question(raw, kind), options=tuple(text for _, text in raw.options))
    if rejected := validation.rejection(validation.own_issues(question)):
        return _End(None, Note(raw.places.get("options", raw.where), rejected.reason, rejected.code))
    letters, problem = keys.choice_key(raw)
    problem = problem or keys.options_problem(raw, letters)
    if problem is None and letters and kind is Kind.SINGLE_CHOICE and len(letters) > 1:
        problem = (f"写明是单选题，答案“{raw.answer}”却有 {len(letters)} 个。请核对题型和答案。", "kind_key_conflict")
    if problem or raw.doubts:
        return _doubt(raw, question, problem)
    return _checked(raw, replace(question, key=letters))


def _end_order(raw: RawQuestion) -> _End:
    question = replace(_question(raw, Kind.ORDERING), options=tuple(text for _, text in raw.options))
    if rejected := validation.rejection(validation.own_issues(question)):
        return _End(None, Note(raw.places.get("options", raw.where), rejected.reason, rejected.code))
    letters, problem = keys.order_key(raw)
    problem = problem or keys.options_problem(raw, letters)
    if problem or raw.doubts:
        return _doubt(raw, question, problem)
    return _checked(raw, replace(question, key=letters))


def _end_true_false(raw: RawQuestion, orders: dict[str, bool]) -> _End:
    question = replace(_question(raw, Kind.TRUE_FALSE), options=TRUE_FALSE_OPTIONS)
    order = _truth_order(raw)
    if any(text for _, text in raw.options) and order is None:
        shown = "、".join(text[:10] for _, text in raw.options[:4])
        return _doubt(
            raw, question, (f"判断题的选项应是“正确”和“错误”，这里是“{shown}”。请核对题型。", "not_true_false")
        )
    truth, problem = keys.truth_key(raw, order=order, usual=orders.get(raw.neighbourhood, True))
    if problem or raw.doubts:
        return _doubt(raw, question, problem)
    return _checked(raw, replace(question, key=("A",) if truth else ("B",)))


def _end_text(raw: RawQuestion, kind: Kind) -> _End:
    question = _question(raw, kind)
    filled = [text for _, text in raw.options if text]
    if kind is Kind.FILL_BLANK and not (raw.answer or raw.blanks) and len(filled) == count_blanks(raw.stem):
        raw.blanks, filled = filled, []
    if filled:
        problem = (f"写明是{KIND_NAMES[kind]}，却列了 {len(filled)} 个选项。请核对题型。", "kind_options_conflict")
        return _doubt(raw, question, problem)
    if kind is Kind.FILL_BLANK:
        blanks, unclear = keys.blanks_key(raw)
        if unclear or raw.doubts:
            return _doubt(raw, question, unclear)
        return _checked(raw, replace(question, blanks=blanks))
    answer = raw.answer or "\n".join(blank for blank in raw.blanks if blank)
    if not answer:
        return _doubt(raw, question, ("没有参考答案。请补上参考答案。", "no_key"))
    return _doubt(raw, question, None) if raw.doubts else _End(replace(question, key=(answer,)))


def _end_case(raw: RawQuestion, orders: dict[str, bool]) -> _End:
    ends = [_end(part, orders) for part in raw.parts]
    refused = next((end.problem for end in ends if end.question is None), None)
    if refused:
        reason = f"案例题的小题有问题，整道案例题没有导入：{refused.reason}"
        return _End(None, Note(refused.where, reason, refused.code))
    parts = tuple(end.question for end in ends if end.question)
    case = replace(_question(raw, Kind.CASE), parts=parts)
    if rejected := validation.rejection(validation.own_issues(case)):
        return _End(None, Note(raw.where, rejected.reason, rejected.code))
    return _End(case, raw.doubts[0] if raw.doubts else next((end.problem for end in ends if end.problem), None))
