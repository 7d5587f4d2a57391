"""Check a file's questions after they were read: what looks read wrongly goes on review, whichever reader let it pass."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import replace

from examapp.documents.decoding import read_count
from question_bank.formats.heuristics.stems import take_letter_keys, take_truth
from question_bank.formats.heuristics.truth_lines import has_truth_line
from question_bank.kinds.registry import kind_of
from question_bank.model import OPTION_LETTERS, Kind, Note, ParseResult, Question, QuestionForReview, ReadQuestion
from question_bank.rich import Rich, marks_left

_WRITTEN = frozenset({"text", "docx", "pdf", "web-page"})
"""Formats whose questions are told apart by their look."""
GUESSED = frozenset({*_WRITTEN, "csv", "excel", "ods", "spreadsheet-xml"})
"""Formats whose options are told apart by their look."""
MIN_LONG = 12
"""Characters: a shorter option may be three times as long as its siblings."""
_BROKEN = re.compile(r"[。！？!?；;：:\s]|[(（]\s*[)）]|__|\d\s*[.．、]")
"""Signs within a long option that it may hold more than itself; without any, only the last option takes what stands below it."""
_LINE_NUMBER = re.compile(r"\n\s*(\d{1,4})\s*[.．、](?!\d)")
_ANY_NUMBER = re.compile(r"(?<![\d.．第(（])(\d{1,4})\s*[.．、](?=\s*[^\s\d])")
_INNER_LETTER = re.compile(
    r"(?:(?<=[\s，,。；;])([A-H])\s*[.．、:：)）]|(?<=[\u4e00-\u9fff])([A-H])[.．:：]|[(（]([A-HＡ-Ｈ])[)）])(?=\s*\S)"
)
_NUMBER_LEFT = re.compile(
    r"\d{1,2}\s*[-—–－]\s*\d{1,3}[\s.、．:：]|[.．、，,：:)）】]\s*\S|\d{1,3}\s*(?:[，,](?!\d{3}(?!\d))|[.．、](?!\d))\s*\S"
)
_SAID = re.compile(r"(?:正确|参考|标准)?答案\s*[:：]\s*(?:[A-H√×]|正确|错误)")
_TWO_SENTENCES = re.compile(r"[。）)]\s*\n+[^\n]{6,}$")
_KEY_BLANK = re.compile(r"[(（]\s*[)）]")
_EMPTY = re.compile(r"[(（【\[]\s*[)）】\]]|__")


def check_reading(result: ParseResult) -> ParseResult:
    """Return the result with the questions on review that look read wrongly, each with the reason."""
    notes: dict[int, Note] = {}
    shared = Counter(_first_line(item.question) for item in result.imported)
    for item in result.imported:
        parts = (item.question, *item.question.parts)
        is_shared = shared[_first_line(item.question)] > 1
        if found := next(_review_notes(parts, result.format, is_shared=is_shared), None):
            notes[id(item)] = Note(item.where, *found)
    for item in _sharing(result.imported, lambda item: (item.where, item.question.code)):
        notes.setdefault(id(item), Note(item.where, "有两道题出自同一处，可能读重了。请核对。", "same_place"))
    for item in _contradicting(result.imported):
        reason = "文件里还有一道题干和选项都相同的题，答案却不一样。请核对两题的答案。"
        notes.setdefault(id(item), Note(item.where, reason, "same_stem_other_key"))
    kept = []
    for item in result.imported:
        if note := notes.get(id(item)):
            result.needing_review.append(QuestionForReview(_without_key(item.question), note))
        else:
            kept.append(_with_marks_noted(item))
    result.imported = kept
    return result


def _first_line(question: Question) -> str:
    return question.stem.partition("\n")[0]


def _with_marks_noted(item: ReadQuestion) -> ReadQuestion:
    """Return the question with a note on marks of HTML, Markdown or LaTeX that its texts would show as they are written."""
    parts = (item.question, *item.question.parts)
    texts = ((text, one.is_html) for one in parts for text in (one.stem, *one.options, one.explanation))
    mark = next(filter(None, (marks_left(text, is_html=is_html) for text, is_html in texts)), "")
    reason = f"文字里有没有转换的排版代码（{mark[:20]}），会照原样显示。请核对后改成文字或图片。"
    is_said = any(note.code == "markup_left" for note in item.dropped)
    return (
        replace(item, dropped=(*item.dropped, Note(item.where, reason, "markup_left")))
        if mark and not is_said
        else item
    )


def _review_notes(questions: Iterable[Question], format_name: str, *, is_shared: bool) -> Iterator[tuple[str, str]]:
    """Yield reason and code of what looks read wrongly in the texts of a question and its parts; `is_shared`: a material stands above the stem."""
    is_guessed = format_name in GUESSED
    for question in questions:
        options = [Rich(option, question.is_html).plain for option in question.options]
        stem = Rich(question.stem, question.is_html).plain
        if is_guessed:
            yield from _look_notes(question, stem, options)
        if (
            format_name in _WRITTEN
            and question.kind is Kind.TRUE_FALSE
            and not is_shared
            and _TWO_SENTENCES.search(stem)
        ):
            yield "题干分成了两段，每段都像一道判断题。请核对是否把两道题读成了一道。", "number_inside"
        if format_name in _WRITTEN and has_truth_line(stem):
            yield "题干里还留着“正确”“错误”两个选项。请核对题干和答案。", "option_in_stem"
        if format_name in _WRITTEN and _NUMBER_LEFT.match(stem):
            yield f"题干开头还留着像题号的“{stem[:4]}”。请核对题干，以及前后两题是否完整。", "number_left"
        if (format_name != "examtext" and _SAID.search(stem)) or (is_guessed and _gives_key(question, stem)):
            yield "题干里还留着答案。请核对题干和答案。", "answer_in_stem"


def _look_notes(question: Question, stem: str, options: list[str]) -> Iterable[tuple[str, str]]:
    lengths = sorted(map(len, options))
    long = max(options, key=len, default="")
    is_long = kind_of(question.kind).has_options and lengths[-1] >= MIN_LONG and lengths[-1] > 3 * lengths[-2]
    if is_long and (long is options[-1] or _BROKEN.search(long)):
        yield f"选项“{long[:20]}…”比其他选项长三倍以上，可能并入了别的文字。请核对选项。", "long_option"
    following = read_count(question.code, -1) + 1
    for text in (stem, *options):
        numbers = [int(number) for number in _LINE_NUMBER.findall(text)]
        if numbers and (numbers != list(range(1, len(numbers) + 1)) or text is not stem):
            yield f"文字里另起一行有题号“{numbers[0]}.”，可能把两道题读成了一道。请核对。", "number_inside"
        if following and str(following) in _ANY_NUMBER.findall(text, 1):
            yield f"文字里有下一题的题号“{following}”，可能把两道题读成了一道。请核对。", "number_inside"
    if not _EMPTY.search(stem) and any(map(_KEY_BLANK.search, options)):
        yield "有一个选项里留着空括号，题干里却没有，可能题干的一行读成了选项。请核对选项。", "blank_in_option"
    for letter, option in zip(OPTION_LETTERS, options, strict=False):
        inner = {unicodedata.normalize("NFKC", "".join(found)) for found in _INNER_LETTER.findall(option)}
        if any(one > letter for one in inner):
            yield f"选项 {letter} 里还有选项字母 {max(inner)}，可能把两个选项读成了一个。请核对选项。", "letter_inside"


def _gives_key(question: Question, stem: str) -> bool:
    """Return whether a stem's bracket still holds the key, and no empty one stands beside it."""
    if _EMPTY.search(stem):
        return False
    if question.kind is Kind.TRUE_FALSE:
        return bool(take_truth(stem)[1])
    return kind_of(question.kind).has_letter_key and "".join(question.key) in take_letter_keys(stem)[1]


def _sharing(items: Iterable[ReadQuestion], key: Callable[[ReadQuestion], Hashable]) -> list[ReadQuestion]:
    counts = Counter(map(key, items := list(items)))
    return [item for item in items if counts[key(item)] > 1]


def _contradicting(items: Iterable[ReadQuestion]) -> Iterable[ReadQuestion]:
    """Yield the questions that others equal in stem and options, with another key."""
    alike: dict[Hashable, list[tuple[ReadQuestion, Hashable]]] = defaultdict(list)
    for item in items:
        question = item.question
        if question.kind in {Kind.CASE, Kind.SHORT_ANSWER, Kind.ORDERING}:
            continue
        options = dict(zip(OPTION_LETTERS, map(_bare, question.options), strict=False))
        right = frozenset(options.get(letter, letter) for letter in question.key), question.blanks
        alike[_bare(question.stem), frozenset(options.values())].append((item, right))
    for group in alike.values():
        if len({right for _, right in group}) > 1:
            yield from (item for item, _ in group)


def _bare(text: str) -> str:
    return re.sub(r"\W+", "", text)


def _without_key(question: Question) -> Question:
    return replace(question, key=(), blanks=(), parts=tuple(map(_without_key, question.parts)))
