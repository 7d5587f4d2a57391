"""Read free texts of questions, with the answers in the same text or in a second one."""

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath

from examapp.documents.archives import UnreadableFileError
from examapp.documents.decoding import decode_text
from question_bank.formats import csv_table
from question_bank.formats.heuristics import kind_names
from question_bank.formats.heuristics.answers import fold, looks_like_key, read_letters, read_truth, same_answer
from question_bank.formats.heuristics.keys import chosen_in, take_ticks
from question_bank.formats.heuristics.resolving import resolve_questions
from question_bank.formats.heuristics.stems import STEM_SIGNS, split_glued, split_stem_signs
from question_bank.formats.heuristics.text_answers import (
    AnswerBlock,
    Entry,
    joined,
    keys_by_kind,
    keys_by_section,
    keys_of,
    read_answers,
)
from question_bank.formats.heuristics.text_blocks import TEXT_KINDS, read_block
from question_bank.formats.heuristics.text_fields import field_names
from question_bank.formats.heuristics.text_lookahead import TextBlock, texts_of
from question_bank.formats.heuristics.text_patterns import GLUED_NUMBER, TextLine, read_heading, to_lines
from question_bank.formats.heuristics.text_reasons import part_reason, part_truth
from question_bank.formats.heuristics.text_segments import cut
from question_bank.formats.heuristics.text_state import Segments
from question_bank.formats.parsed import ParsedQuestion
from question_bank.model import OPTION_LETTERS, TRUE_FALSE_OPTIONS, Kind, Note, ParseResult

MAX_LINES = 100_000
"""Lines of a text; some twenty thousand questions."""
MAX_HEADING = 20
"""Characters of a line behind a key, without a stop, that may be a heading."""
_PAPER_TITLE = re.compile(
    r"[^。；;！!？?：:\d][^。；;！!？?：:]{1,38}?(?:卷|试题|试卷|题库|测试|考试|竞赛|练习)(?:[(（][^()（）]{1,12}[)）])?"
)
_NO_QUESTION = (
    "没有认出任何题目。请核对是否选错了文件；每道题要有题号（如“1.”），选项以“A.”“B.”开头，答案写成“答案：A”。"
)
_MARKS = r"(?:的|者|题|目|请|说法)*(?:打|划|画|涂|填|选|写|用)上?\s*[“\"'(]?\s*"
_TURNED_SIGNS = re.compile(rf"(?:正确|对){_MARKS}(?:[×✗✘XxFfNn错叉]|[02](?!\d))")
"""What a heading says where the signs mean the reverse: `正确的打×，错误的打√`."""
_SAID_TRUTH = re.compile(
    rf"(?:正确|对){_MARKS}([0-9A-Z])[”\"')]?[\s,、;。]*(?:错误|错|不正确|不对){_MARKS}([0-9A-Z])(?![0-9A-Za-z])"
)
"""What a heading says of digits and letters that answer true/false questions, in half width."""
_NUMBER_HEADS = frozenset({"题号", "序号", "编号", "题目序号"})
_ANSWER_HEADS = frozenset({"答案", "正确答案", "参考答案", "标准答案"})
_ANSWER_TABLE = re.compile(r"\ufeff?[^\n]*(?:题号|序号|编号)[^\n]*,[^\n]*答案")
_NO_ANSWERS = "答案文件里没有认出任何答案。请写成“1.A 2.B”或“1-5 ABCDE”的样子，题号与题目文件一致。"


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the file is a text with at least one question or record in it."""
    if PurePath(name).suffix.lower() not in {".txt", ".text", ".md", ".tsv", ""}:
        return False
    try:
        return bool(cut(to_lines(decode_text(content)[:200_000])).blocks)
    except UnreadableFileError:
        return False


def read(content: bytes, *, name: str, answers: tuple[bytes, str] | None = None) -> ParseResult:
    """Return all questions of a text file; `answers` is the second file, bytes and name, where the keys are listed apart."""
    text = decode_text(content)
    second = decode_text(answers[0]) if answers else None
    return read_text(text, name=name, answers=second, format_name="text")


def read_text(text: str, *, name: str, answers: str | None = None, format_name: str = "text") -> ParseResult:
    """Return all questions of a text that is already decoded (a Word file's too)."""
    if answers is None and csv_table.divider_of(text) in {"\t", "|"}:
        return csv_table.read_csv_text(text, name=name, format_name=format_name)
    if text.count("\n") > MAX_LINES:
        raise UnreadableFileError(f"文本超过 {MAX_LINES} 行。请拆成几个文件再导入。")
    segments, keys = _cut(text)
    if not segments.blocks:
        raise UnreadableFileError(_NO_QUESTION)
    if answers is not None:
        lines = _rows_of(answers) or _keys_alone(answers, segments.blocks) or to_lines(answers)
        inner = cut(lines)
        block = AnswerBlock("答案", len(segments.blocks), lines)
        if inner.answers and not inner.blocks:
            block.lines = [line for one in inner.answers for line in one.lines]
        if not read_answers(block.lines):
            raise UnreadableFileError(_NO_ANSWERS)
        segments.answers.append(block)
    questions = _raws(segments, name)
    for parsed, key in zip(questions, keys, strict=False):
        _give(Entry(0, parsed.where, answer=key), parsed, explains=False)
    for parsed in questions:
        _take_stem_signs(parsed)
    _read_said_truth(questions, unicodedata.normalize("NFKC", text))
    result = resolve_questions(questions, format_name=format_name)
    result.remarks.extend(segments.remarks)
    return result


def _cut(text: str) -> tuple[Segments, list[str]]:
    """Return the segments of a text, and the keys of all questions where it ends in keys by section, as many in each as it has questions."""
    before, listed = keys_by_section(text)
    if listed:
        segments = cut(to_lines(before))
        sizes = [0]
        for block in segments.blocks:
            sizes += [0] if block.is_first and sizes[-1] else []
            sizes[-1] += 1
        if len(sizes) == len(listed):
            keys = [keys_of(part, size) or [] for part, size in zip(listed, sizes, strict=True)]
            if [len(one) for one in keys] == sizes:
                return segments, [key for one in keys for key in one]
    before, by_kind = keys_by_kind(text)
    segments = cut(to_lines(before))
    of_kind = [[one.kind is kind for one in segments.blocks].count(True) for kind, _ in by_kind]
    lists = [keys_of(part, size) for (_, part), size in zip(by_kind, of_kind, strict=True)]
    if not by_kind or any(one is None or len(one) != size for one, size in zip(lists, of_kind, strict=True)):
        return (cut(to_lines(text)) if by_kind else segments), []
    left = {kind: iter(one or ()) for (kind, _), one in zip(by_kind, lists, strict=True)}
    return segments, [next(left.get(block.kind, iter(())), "") if block.kind else "" for block in segments.blocks]


def _take_stem_signs(parsed: ParsedQuestion) -> None:
    """Take texts marked `[甲]`, `[乙]` as options, and an answer that names these signs as its letters."""
    if parsed.lettered or parsed.kind not in {None, Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE}:
        return
    parsed.stem_text, parsed.lettered = split_stem_signs(parsed.stem_text)
    signs = re.sub(r"[\s、,，;；和\[\]【】()（）]", "", parsed.answer)
    if parsed.lettered and set(signs) <= set(STEM_SIGNS[: len(parsed.lettered)]):
        parsed.answer = "".join(OPTION_LETTERS[STEM_SIGNS.index(sign)] for sign in signs)


def _read_said_truth(questions: list[ParsedQuestion], text: str) -> None:
    """Read the answers of true/false questions by what the text says of them (`正确的选0，错误的选1`); require a review where it may turn signs round."""
    said = {match.groups() for match in _SAID_TRUTH.finditer(text)}
    yes, no = next(iter(said)) if len(said) == 1 else ("", "")
    turned = _TURNED_SIGNS.search(text)
    for parsed in questions:
        word = fold(parsed.answer).removeprefix("选").upper()
        if parsed.kind is Kind.TRUE_FALSE and not parsed.lettered and yes != no and word in {yes, no}:
            parsed.answer = TRUE_FALSE_OPTIONS[word == no]
        elif turned and not parsed.lettered and read_truth(word) is not None:
            parsed.require_review("two_readings", f"文件里写着“{turned[0]}”，记号的意思可能是反的。请核对答案。")


def _rows_of(text: str) -> list[TextLine]:
    """Return the lines `1. A` of a table with a column of numbers and one of answers; none where it is no such table."""
    divider = csv_table.divider_of(text) or ("," if _ANSWER_TABLE.match(text) else "")
    rows = [[cell.strip() for cell in line.strip("| ").split(divider)] for line in text.split("\n")] if divider else []
    heads = [cell.lstrip("\ufeff") for cell in rows[0]] if rows else []
    number = next((place for place, head in enumerate(heads) if head in _NUMBER_HEADS), None)
    answer = next((place for place, head in enumerate(heads) if head in _ANSWER_HEADS), None)
    if number is None or answer is None:
        return []
    found: list[TextLine] = []
    for at, row in enumerate(rows[1:], 2):
        if len(row) > max(number, answer) and row[number].isdigit():
            beside = "；".join(cell for place, cell in enumerate(row) if cell and place not in {number, answer})
            found.append(TextLine(at, f"{row[number]}. {row[answer]}"))
            found += [TextLine(at, f"解析：{beside}")] if beside else []
    return found


def _keys_alone(text: str, blocks: list[TextBlock]) -> list[TextLine]:
    """Return keys one a line without numbers, as many as there are questions, numbered in order."""
    lines = [line for line in to_lines(text) if line.text]
    if len(lines) != len(blocks) or not all(looks_like_key(line.text) and line.text[0].isalpha() for line in lines):
        return []
    numbers = [block.number if block.number is not None else place for place, block in enumerate(blocks, 1)]
    return [TextLine(line.number, f"{number}. {line.text}") for line, number in zip(lines, numbers, strict=True)]


def _raws(segments: Segments, name: str) -> list[ParsedQuestion]:
    file_kind = kind_names.kind_in(PurePath(name).stem)
    names = field_names([texts_of(block) for block in segments.blocks])
    questions = [read_block(block, file_kind=file_kind, names=names) for block in segments.blocks]
    _follow_numbers(segments.blocks, questions)
    loose = [(block, parsed) for block, parsed in zip(segments.blocks, questions, strict=True) if block.loose]
    for block, parsed in loose:
        wording = block.loose
        is_title = len(wording) <= MAX_HEADING and wording[-1] not in "。；！？" and not block.is_explained
        if len(loose) * 3 > (2 if is_title else 1) * len(questions):
            continue
        reason = f"答案后面没有栏名的文字“{wording[:20]}”读作了这道题的解析，别的题多半没有。请核对。"
        if not any(note.code == "stray_text" for note in parsed.dropped):
            parsed.add_dropped("stray_text", reason)
    for parsed in questions:
        take_ticks(parsed)
    previous = 0
    for answers in segments.answers:
        _give_out(answers, segments, questions, previous)
        previous = answers.before
    return questions


def _follow_numbers(blocks: list[TextBlock], questions: list[ParsedQuestion]) -> None:
    """Note at both neighbours where the numbers skip or repeat, and where one is missing; require a review where it stands within the first."""
    unnumbered = [parsed for block, parsed in zip(blocks, questions, strict=True) if block.number is None]
    for parsed in unnumbered if len(unnumbered) * 2 < len(blocks) else ():
        parsed.add_dropped("number_missing", "这道题没有题号，别的题都有。请核对题干开头，以及前后两题是否完整。")
    for (block, below), parsed in zip(pairwise(blocks), questions, strict=False):
        glued = GLUED_NUMBER.match(block.lines[0].text) if block.number is None else None
        if glued and int(glued["n"]) + 1 == below.number:
            reason = f"题干以“{glued[0][:6]}”开头，“{glued['n']}.”可能是题号。请核对题干。"
            parsed.require_review("number_inside", reason)
    neighbours = [
        (place, other.number - one.number)
        for place, (one, other) in enumerate(pairwise(blocks))
        if one.number is not None and other.number is not None and other.number != 1 and not other.is_first
    ]
    breaks = [(place, step) for place, step in neighbours if step != 1]
    is_counting = len(breaks) * 3 <= len(neighbours)
    for place, step in breaks:
        one, other = blocks[place], blocks[place + 1]
        missing = re.compile(rf"(?:^|[^\d.．]){(one.number or 0) + 1}\s*[.．、:：)）]")
        reason = f"题号从 {one.number} 跳到 {other.number}，请核对中间是否少了题，或题目写在了一起。"
        for parsed in questions[place : place + 2]:
            if step > 1 and any(missing.search(line.text) for line in one.lines):
                parsed.require_review("number_gap", reason)
            elif is_counting:
                parsed.add_dropped("number_gap", reason)


def _give_out(listed: AnswerBlock, segments: Segments, questions: list[ParsedQuestion], previous: int) -> None:
    """Give each entry to the question of its number; where several fit, require a review of all of them."""
    before = listed.before
    entries = read_answers(_without_next_title(listed.lines) if before < len(segments.blocks) else listed.lines)
    explains = "解析" in listed.name and "答案" not in listed.name
    numbered: dict[int | None, list[int]] = {}
    for index, block in enumerate(segments.blocks[:before]):
        numbered.setdefault(block.number, []).append(index)
    alike: dict[int, list[Entry]] = {}
    for entry in entries:
        alike.setdefault(entry.number, []).append(entry)
    parts = _numbered_parts(segments.blocks[:before], numbered)
    for entry in entries:
        part = parts.get(entry.section) or parts.get(entry.kind or "") or parts[""]
        found = [index for index in numbered.get(entry.number, []) if index in part.places]
        fitting = _fitting(entry, alike[entry.number], found, segments.blocks, previous)
        if not fitting:
            text = entry.answer or entry.text or entry.analysis or entry.problem
            reason = f"答案区第 {entry.number} 题的答案“{text[:20]}”找不到对应的题目，没有导入。请核对题号。"
            segments.remarks.append(Note(entry.where, reason, "answer_without_question"))
            for index in part.shifted if entry.number == part.highest + 1 else ():
                reason = f"前面有题号重复，答案区却多出第 {entry.number} 题，答案可能错了位。请核对题号和答案。"
                questions[index].require_review("number_gap", reason)
            for index in part.places.intersection(numbered.get(entry.number - 1, [])):
                reason = f"答案区还有第 {entry.number} 题，题目里却没有，可能和这一题读在了一起。请核对这一题。"
                questions[index].require_review("number_gap", reason)
        for index in fitting:
            if len(fitting) > 1:
                reason = f"有 {len(fitting)} 道题都是第 {entry.number} 题，答案区分不清是哪一道的。请按大题分开写答案。"
                questions[index].require_review("two_readings", reason)
            else:
                _give(entry, questions[index], explains=explains)


def _without_next_title(lines: list[TextLine]) -> list[TextLine]:
    """Return the lines of answers between two papers without the second one's title (`法律知识测试（B卷）`), below a blank line and with no more than headings behind it."""
    for place in range(len(lines) - 1, 0, -1):
        text, above = lines[place].text, lines[place - 1]
        is_apart = not above.text or lines[place].number > above.number + 1
        if text and is_apart and _PAPER_TITLE.fullmatch(text):
            return [*lines[:place], *lines[place + 1 :]]
        if text and read_heading(text) is None:
            break
    return lines


@dataclass(frozen=True, slots=True)
class _NumberedPart:
    """Questions whose numbers are counted together: of the whole text, or of a section where they begin again."""

    places: frozenset[int]
    highest: int
    shifted: tuple[int, ...]
    """The questions from the first number given twice on: a list of answers that goes on further may be of other questions."""


def _numbered_parts(blocks: list[TextBlock], numbered: dict[int | None, list[int]]) -> dict[str, _NumberedPart]:
    """Return the part in which the numbers of each section's and each kind's questions count; the whole text's has no name."""
    groups: dict[str, list[int]] = {}
    for index, block in enumerate(blocks):
        for name in {block.section, block.kind or ""} - {""}:
            groups.setdefault(name, []).append(index)
    whole = _part_of(blocks, list(range(len(blocks))))
    parts = {"": whole}
    for name, places in groups.items():
        own = set(places)
        begins_again = any(not own.issuperset(numbered[number]) for number in {blocks[at].number for at in places})
        parts[name] = _part_of(blocks, places) if begins_again else whole
    return parts


def _part_of(blocks: list[TextBlock], places: list[int]) -> _NumberedPart:
    counted = [index for index in places if blocks[index].number is not None]
    twice = {other for one, other in pairwise(counted) if blocks[one].number == blocks[other].number}
    twice |= {index for index in counted if _holds_number(blocks[index])}
    shifted = tuple(index for index in counted if index >= min(twice)) if twice else ()
    return _NumberedPart(frozenset(places), max((blocks[index].number or 0 for index in counted), default=0), shifted)


def _holds_number(block: TextBlock) -> bool:
    """Return whether a further line of a question begins with its own number, as if it were another."""
    starts = (re.match(r"(\d{1,4})\s*[.．、]", line.text) for line in block.lines[1:])
    return any(start and int(start[1]) == block.number for start in starts)


def _fitting(
    entry: Entry, alike: list[Entry], numbered: list[int], blocks: list[TextBlock], previous: int
) -> list[int]:
    if len(numbered) <= 1:
        return numbered
    for choose in (
        lambda index: index >= previous,
        lambda index: bool(entry.section) and blocks[index].section == entry.section,
        lambda index: entry.kind is not None and blocks[index].kind is entry.kind,
    ):
        chosen = [index for index in numbered if choose(index)]
        if len(chosen) == 1:
            return chosen
        numbered = chosen or numbered
    if len(alike) == len(numbered):
        place = next(index for index, one in enumerate(alike) if one is entry)
        return [numbered[place]]
    return numbered


def _give(entry: Entry, parsed: ParsedQuestion, *, explains: bool) -> None:
    if entry.problem:
        parsed.places["answer"] = entry.where
        parsed.require_review("answers_do_not_match", entry.problem)
        return
    parsed.explanation_text = joined(parsed.explanation_text, entry.analysis)
    said = _letters_of(entry.text)
    if said and _letters_of(parsed.stem_text).startswith(said):
        entry.text = ""
    answer = entry.answer
    options = [text for _, text in parsed.lettered]
    wording = answer or entry.text
    is_worded = parsed.kind in TEXT_KINDS
    parted = part_reason(wording, options) if options else part_truth(wording, parsed.stem_text)
    if parted and not is_worded:
        answer, entry.text = parted[0], joined(parted[1], entry.text if answer else "")
    if entry.text:
        text = parsed.kind in TEXT_KINDS or (parsed.kind is None and not parsed.lettered)
        if text and not answer and not parsed.answer and not explains:
            answer = entry.text
        else:
            parsed.explanation_text = joined(parsed.explanation_text, entry.text)
            answer = answer or ("" if parsed.answer or not parsed.lettered else chosen_in(entry.text))
    if not answer:
        return
    if parsed.answer and not same_answer(parsed.answer, answer, count=len(parsed.lettered) or None):
        reason = f"题里的答案是“{parsed.answer[:20]}”，答案区却是“{answer[:20]}”。请核对答案。"
        parsed.require_review("two_keys", reason)
        return
    if not parsed.answer and not parsed.blank_answers:
        parsed.answer, parsed.places["answer"] = answer, entry.where
        _see_text(parsed)


def _see_text(parsed: ParsedQuestion) -> None:
    """Find options without signs in the stem by the letters of the key; without any, the question is one in words, and says so."""
    if parsed.kind is not None or parsed.lettered or read_truth(parsed.answer) is not None:
        return
    letters = read_letters(parsed.answer, count=len(OPTION_LETTERS)) or ()
    parsed.stem_text, parsed.lettered = split_glued(parsed.stem_text, letters)
    if not parsed.lettered and looks_like_key(parsed.answer):
        parsed.kind = Kind.SHORT_ANSWER
        reason = f"答案区只写着“{parsed.answer[:20]}”，题里却没有认出选项，已按简答题处理，请核对。"
        parsed.add_dropped("perhaps_options", reason)


def _letters_of(text: str) -> str:
    return re.sub(r"\W+", "", text)
