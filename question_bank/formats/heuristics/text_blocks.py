"""Read the lines of one question: stem, options, answer, explanation."""

import re
from dataclasses import dataclass, field

from question_bank.formats.heuristics import kind_names, stems
from question_bank.formats.heuristics import text_patterns as patterns
from question_bank.formats.heuristics.answers import BLANK, looks_like_key, read_letters, read_truth, same_answer
from question_bank.formats.heuristics.keys import chosen_in
from question_bank.formats.heuristics.resolving import hint_kind
from question_bank.formats.heuristics.table_cells import read_difficulty, read_points
from question_bank.formats.heuristics.text_answers import joined, pieces_of
from question_bank.formats.heuristics.text_fields import quotes_law, read_field
from question_bank.formats.heuristics.text_lookahead import TextBlock
from question_bank.formats.heuristics.text_reasons import part_reason, part_truth
from question_bank.formats.heuristics.truth_lines import take_truth_lines
from question_bank.formats.heuristics.unlettered_options import (
    read_circled_options,
    read_plain_options,
)
from question_bank.formats.parsed import ParsedQuestion
from question_bank.model import NUMBERED, OPTION_LETTERS, PICTURE, Citation, Kind

TEXT_KINDS = frozenset({Kind.FILL_BLANK, Kind.SHORT_ANSWER, Kind.CASE})
_ASKS_FOR_TEXT = re.compile(
    r"^(?:请)?(?:简述|试述|论述|简要说明|分别说明|名词解释|请说明|请谈|谈谈|比较|请简|请分析|阐述|概述|列举|请回答)"
)
_PLAIN_LABEL = re.compile(
    r"[【\[(（]?\s*(?:正确|参考|标准)?答案\s*[】\])）]?\s*[:：]|[【\[]\s*(?:正确|参考|标准)?答案\s*[】\]]"
)
_LONE_KEY = re.compile(r"[A-HＡ-Ｈ](?:[、,，\s]?[A-HＡ-Ｈ]){0,7}")
_BEHIND = re.compile(r"(?<=\S)(?:[ \t]{2,}|\s*\u3000\s*)[(（【\[]\s*(?P<key>[A-HＡ-Ｈ]{1,8})\s*[)）】\]]\s*$")
_IN_CASES = re.compile(r"案例|材料|综合|分析|实务")
_EMPTY = re.compile(r"[(（【\[〔]\s*[)）】\]〕]")
"""An empty bracket for the key; then a letter in another bracket is no key."""
_ASKED = re.compile(r"^问\s*[:：]\s*(?=\S)")
_TAIL = re.compile(r"[^。！？!?；;，,：:\s]{2,25}")
_TAGS = frozenset({"分类", "类别", "试题分类", "题目分类", "所属分类", "标签", "科目", "专业", "模块", "单元"})
_LINE_ENDS = "。！？!?：:；;…)）”」_"


@dataclass(slots=True)
class _Parts:
    stem: list[str] = field(default_factory=list)
    had_options: bool = False
    """Whether the options stood above the answer."""
    answers: list[str] = field(default_factory=list)
    analysis: str = ""
    loose: str = ""
    """The last line without a label behind the answer."""
    is_loose: bool = False
    """Whether a line without a label stood behind the answer."""
    is_explained: bool = False
    """Whether that line goes on an explanation which has a label."""
    is_doubled: bool = False
    """Whether a further answer stood behind such a line: two questions may have been joined."""
    apart: str = ""
    """The line without a label that stands behind a key and a blank line."""
    meta: list[tuple[str, str]] = field(default_factory=list)
    names: frozenset[str] = frozenset()
    """Names that stand before colons below many questions of the text."""
    tail: str = ""
    """The last line without a label, where it looks like a heading: short, without a stop, below a sentence that has ended."""


def read_block(block: TextBlock, *, file_kind: Kind | None, names: frozenset[str] = frozenset()) -> ParsedQuestion:
    """Return the question of a block; `file_kind` is the kind that the file's name states, `names` what stands before colons below many questions."""
    code = None if block.number is None else str(block.number)
    parsed = ParsedQuestion(where=f"第 {block.lines[0].number} 行", code=code, is_letter_truth=False)
    parts = _parts(block, names)
    first = parts.stem[0] if parts.stem else ""
    kind, label, rest = patterns.read_kind_label(first)
    if parts.stem:
        points, parts.stem[0] = patterns.read_points_label(rest if kind or label else first)
        parsed.points = read_points(points)
        parts.stem[0] = _ASKED.sub("", parts.stem[0])
    if kind is None and not label and parts.stem:
        kind = _kind_beside(parsed, parts)
    parsed.kind = kind
    parsed.kind_label = label or ("" if kind or block.kind else block.label)
    if kind_names.is_choice_name(parsed.kind_label):
        parsed.kind_label = ""
    if kind is None and not label:
        _set_named_kind(parsed, block, parts, None if block.label else file_kind)
    _set_stem(parsed, _without_signs(parsed, parts))
    if parsed.points is None:
        points, parsed.stem_text = patterns.take_points_behind(parsed.stem_text)
        parsed.points = read_points(points)
    parsed.explanation_text = parts.analysis
    _set_answer(parsed, parts.answers)
    _finish(parsed)
    _set_meta(parsed, parts.meta)
    if block.law:
        parsed.citation = Citation(law=block.law, article="")
    _add_review_notes(parsed, block, parts)
    block.loose = parts.loose if looks_like_key(parsed.answer) else ""
    block.is_explained = parts.is_explained
    if block.material:
        parsed.stem_text = f"{block.material}\n{parsed.stem_text}"
    _note_pictures(parsed)
    return parsed


def _add_review_notes(parsed: ParsedQuestion, block: TextBlock, parts: _Parts) -> None:
    """Require a review, or note it, where lines of the block may belong to another question or to none."""
    if parts.is_doubled:
        reason = "这道题里有两处“答案”，中间隔着别的文字，可能把两道题读成了一道。请核对。"
        parsed.require_review("two_keys", reason)
    if parts.tail and not parts.apart:
        reason = f"解析后面的“{parts.tail}”像是标题，读作了这道题的解析。请核对。"
        parsed.add_dropped("stray_text", reason)
    if parts.apart:
        reason = f"答案后面隔着空行的文字“{parts.apart[:20]}”读作了这道题的解析或答案。请核对。"
        parsed.add_dropped("stray_text", reason)
    if block.review_reason:
        parsed.require_review("stray_text", block.review_reason, at="options")


def _kind_beside(parsed: ParsedQuestion, parts: _Parts) -> Kind | None:
    """Return the kind that stands in brackets behind the stem, or on a line `题型：` below; the brackets, and points behind them, are dropped."""
    points, stem = patterns.take_points_behind(parts.stem[0])
    kind, stem = patterns.take_kind_behind(stem)
    if kind:
        parts.stem[0], parsed.points = stem, read_points(points) if points else parsed.points
    named = (kind_names.kind_of(text) for name, text in parts.meta if "型" in name or name in {"分类", "类别"})
    return kind or next(named, None)


def _set_named_kind(parsed: ParsedQuestion, block: TextBlock, parts: _Parts, file_kind: Kind | None) -> None:
    """Set the kind that the heading or the file's name states, unless options on lines of their own and the key show another."""
    marked = [text for text in parts.stem[1:] if stems.strip_mark(text)[0]]
    options = [text for _, text in stems.split_options("\n".join(marked))[1]] if marked else []
    answer = next((text for text in parts.answers if text), "")
    in_cases = block.kind in TEXT_KINDS and _IN_CASES.search(block.section) is not None
    if in_cases and len(options) > 1 and (not parts.answers or looks_like_key(parts.answers[0])):
        return
    if block.kind is not None and block.kind not in TEXT_KINDS:
        parsed.kind = block.kind
        return
    hint = block.kind or file_kind
    stem = parts.stem[0] if parts.stem else ""
    key = answer or next(iter(stems.take_letter_keys(stem)[1]), "") or stems.take_truth(stem)[1]
    if hint not in TEXT_KINDS:
        options = options or [text for _, text in _options_of(parts)]
    hint_kind(parsed, hint, options, key)
    parsed.kind_hint = None if block.kind is parsed.kind else parsed.kind_hint


def _parts(block: TextBlock, names: frozenset[str]) -> _Parts:
    parts = _Parts(names=names)
    state = "stem"
    above, is_spaced = block.lines[0].number, True
    for line in block.lines:
        is_apart, above = line.number > above + 1, line.number
        for piece in pieces_of(line.text) or [""]:
            if not parts.stem and piece[:1] not in "【[":
                parts.stem.append(piece)
                continue
            was_loose, was_answer = parts.is_loose, state == "answer"
            state = _take(parts, state, piece)
            if parts.is_loose and not was_loose and was_answer and is_apart and not is_spaced:
                parts.apart = piece
        is_spaced = is_spaced and (is_apart or line is block.lines[0])
    return parts


def _take(parts: _Parts, state: str, piece: str) -> str:
    if patterns.FOREIGN.match(piece):
        return state
    answer = patterns.read_answer_label(piece)
    if answer is None and state == "stem" and _is_lone_key(parts, piece):
        answer = piece
    if answer is not None:
        parts.is_doubled = parts.is_doubled or (parts.is_loose and bool(_PLAIN_LABEL.match(piece)))
        parts.had_options = len(_options_of(parts)) >= 2
        parts.answers.append(answer)
        return "answer"
    analysis = patterns.read_analysis_label(piece)
    if (analysis := piece if analysis is None and state != "stem" and quotes_law(piece) else analysis) is not None:
        parts.analysis = joined(parts.analysis, analysis)
        return "analysis"
    if (meta := patterns.read_meta(piece) or _field_of(parts, state, piece)) and _is_below_stem(parts, state, piece):
        parts.meta.append(meta)
        return state
    if state == "stem" or (state == "answer" and _is_late_option(parts, piece)):
        parts.stem.append(piece)
        return "stem" if state == "stem" else state
    parts.is_loose, parts.loose, parts.is_explained = True, piece, state == "analysis"
    if parts.analysis.endswith(("。", "！", "”", "）")) and _TAIL.fullmatch(piece):
        parts.tail = piece
    if state == "answer" and not _has_whole_key(parts):
        parts.answers[-1] = joined(parts.answers[-1], piece)
    else:
        parts.analysis = joined(parts.analysis, piece)
    return state


def _is_below_stem(parts: _Parts, state: str, piece: str) -> bool:
    """Return whether a label such as `【题型】` stands below the stem: in brackets, or behind the options, where nothing else follows them."""
    return state != "stem" or (bool(parts.stem) and (piece[0] in "【[" or len(_options_of(parts)) >= 2))


def _field_of(parts: _Parts, state: str, piece: str) -> tuple[str, str] | None:
    """Return name and text of a field without a label of ours; None where it is the explanation's."""
    return read_field(piece, parts.names) if state != "stem" and not quotes_law(piece) else None


def _has_whole_key(parts: _Parts) -> bool:
    """Return whether the last answer is a key that needs no further line."""
    key = parts.answers[-1] if parts.answers else ""
    return looks_like_key(key) and (parts.had_options or read_truth(key) is not None)


def _is_late_option(parts: _Parts, piece: str) -> bool:
    """Return whether a line below the answer is an option, as in `正确答案：A` followed by `A.` to `D.`."""
    if not parts.had_options and not parts.answers[-1]:
        marked = sum(1 for text in parts.stem if stems.strip_mark(text)[0])
        return stems.strip_mark(piece)[0] == OPTION_LETTERS[max(marked, len(_options_of(parts))) % len(OPTION_LETTERS)]
    is_open = not parts.had_options and looks_like_key(parts.answers[-1])
    return is_open and (bool(stems.strip_mark(piece)[0]) or len(_options_of(parts)) >= 2)


def _options_of(parts: _Parts) -> list[tuple[str, str]]:
    return stems.split_options("\n".join(parts.stem))[1]


def _is_lone_key(parts: _Parts, piece: str) -> bool:
    """Return whether a line below the options is nothing but a key of theirs."""
    count = len(_options_of(parts)) if _LONE_KEY.fullmatch(piece) else 0
    letters = read_letters(piece, count=count) if count >= 2 else None
    return letters is not None and OPTION_LETTERS.index(letters[-1]) < count


def _without_signs(parsed: ParsedQuestion, parts: _Parts) -> list[str]:
    """Return the lines of a stem; `正确` and `错误` on the last two become the options of a true/false question, the ticked one its answer."""
    lines = [text for text in parts.stem if text]
    stem, wording, ticked = take_truth_lines(lines)
    if not wording or parsed.kind not in {None, Kind.TRUE_FALSE}:
        return lines
    parsed.kind, parsed.lettered = Kind.TRUE_FALSE, list(zip(OPTION_LETTERS, wording, strict=False))
    parts.answers += [ticked] if ticked else []
    return stem


def _set_stem(parsed: ParsedQuestion, lines: list[str]) -> None:
    wording = parsed.kind in TEXT_KINDS or (parsed.kind is None and _asks_for_text(lines))
    stem, options = ("", []) if wording else stems.split_options("\n".join(lines))
    if options:
        lines = stem.split("\n")
        for letter, option in options:  # `甲,A：乙` holds a second option of the same letter: kept apart for the review
            pieces = re.split(rf"[,，;；]\s*{letter}\s*[:：.．、]", re.sub(r"\s*\n\s*", "", option))
            parsed.lettered = [*parsed.lettered, *((letter, piece.strip()) for piece in pieces)]
    text = ""
    for line in lines:
        broken = len(text) - text.rfind("\n") > 16 and text[-1:] not in _LINE_ENDS
        text = text + line if text and broken and re.match(r"[\u4e00-\u9fff，、（(《“]", line) else joined(text, line)
    parsed.stem_text = text


def _asks_for_text(lines: list[str]) -> bool:
    """Return whether a stem such as `请说明 A.方案与 B.方案的差异` asks for words, with no lines that begin with A and B."""
    marked = [line for line in lines[1:] if stems.strip_mark(line)[0]]
    return bool(lines) and bool(_ASKS_FOR_TEXT.match(lines[0])) and len(marked) < 2


def _set_answer(parsed: ParsedQuestion, answers: list[str]) -> None:
    stated = [answer for answer in (text.strip() for text in answers) if answer and answer.strip("【】[]") != "待确认"]
    parsed.stem_text, inline = stems.take_inline_answer(parsed.stem_text)
    stated = [_without_reason(parsed, answer) for answer in [*stated, *([inline] if inline else [])]]
    is_in_text = not parsed.lettered and stated and parsed.kind is None and not looks_like_key(stated[0])
    keys = [answer for answer in stated if looks_like_key(answer)]
    if is_in_text and any(not same_answer(keys[0], key, count=None) for key in keys[1:]):
        _review_two_keys(parsed, keys[0], keys[-1])
    if parsed.kind in TEXT_KINDS or is_in_text:
        parsed.answer = "\n".join(stated)
        return
    stated.extend(_keys_in_stem(parsed, stated) or ([] if stated else _key_behind(parsed)))
    parsed.answer = stated[0] if stated else ""
    for answer in stated[1:]:
        if not same_answer(parsed.answer, answer, count=len(parsed.lettered)):
            _review_two_keys(parsed, parsed.answer, answer)


def _without_reason(parsed: ParsedQuestion, answer: str) -> str:
    """Return the key of an answer without the reason behind it, which goes to the explanation; an answer in words as it is."""
    options = [text for _, text in parsed.lettered]
    if parsed.kind in TEXT_KINDS:
        return answer
    parted = part_reason(answer, options) if options else part_truth(answer, parsed.stem_text)
    if parted is None:
        return answer
    parsed.explanation_text = joined(parted[1], parsed.explanation_text)
    return parted[0]


def _review_two_keys(parsed: ParsedQuestion, one: str, other: str) -> None:
    reason = f"同一道题给了两个不同的答案“{one[:20]}”和“{other[:20]}”。请核对答案。"
    parsed.require_review("two_keys", reason)


def _keys_in_stem(parsed: ParsedQuestion, stated: list[str]) -> list[str]:
    is_choice = bool(parsed.lettered) or parsed.kind in {Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE}
    if is_choice or (parsed.kind is None and parsed.stem_text.count("\n") > 1):
        stem, letters = stems.take_letter_keys(parsed.stem_text)
        if letters and not _EMPTY.search(parsed.stem_text):
            parsed.stem_text = stem
            return letters
    if not parsed.lettered or parsed.kind is Kind.TRUE_FALSE:
        stem, word = stems.take_truth(parsed.stem_text)
        if word and (not stated or read_truth(stated[0]) is not None or looks_like_key(stated[0])):
            parsed.stem_text = stem
            return [word]
    return []


def _key_behind(parsed: ParsedQuestion) -> list[str]:
    """Return the key in brackets, two spaces behind the last option (`D.拘留  [B]`), and drop it there; none where none stands there."""
    match = _BEHIND.search(parsed.lettered[-1][1]) if len(parsed.lettered) > 1 else None
    if match is None:
        return []
    letter, text = parsed.lettered[-1]
    parsed.lettered = [*parsed.lettered[:-1], (letter, text[: match.start()])]
    return [match["key"]]


def _finish(parsed: ParsedQuestion) -> None:
    """Read options without letters, a key that only the explanation names, and blanks that the stem fills in itself."""
    if (
        not parsed.lettered
        and parsed.kind not in {*TEXT_KINDS, Kind.TRUE_FALSE}
        and (read_circled_options(parsed) or read_plain_options(parsed))
    ):
        return
    if parsed.lettered and not parsed.answer:
        parsed.answer = chosen_in(parsed.explanation_text)
    if parsed.lettered or parsed.kind not in {None, Kind.FILL_BLANK}:
        parsed.stem_text = stems.empty_blanks(parsed.stem_text)
        return
    if read_truth(parsed.answer) is None:
        stem, filled = stems.take_filled_blanks(parsed.stem_text, surely=parsed.kind is Kind.FILL_BLANK)
        parts = [part.strip() for part in re.split(r"[;；\n、，,]", parsed.answer) if part.strip()]
        if filled and (not parsed.answer or parts == filled):
            parsed.stem_text, parsed.blank_answers, parsed.answer, parsed.kind = stem, filled, "", Kind.FILL_BLANK
        elif parsed.kind is None and stems.has_filled_blanks(parsed.stem_text) and not BLANK.search(parsed.stem_text):
            parsed.kind = Kind.SHORT_ANSWER
            parsed.add_dropped("perhaps_blanks", "题干里有几处括号，可能是已填好的填空题，已按简答题处理，请核对。")
    parsed.stem_text = stems.empty_blanks(parsed.stem_text)


def _set_meta(parsed: ParsedQuestion, meta: list[tuple[str, str]]) -> None:
    for label, text in meta:
        name = re.sub(r"^(?:试题|题目|本题)(?=[难分知考])", "", label)
        if name == "难度系数":
            parsed.add_dropped("difficulty", f"难度系数“{text[:10]}”没有导入。")
        elif name.startswith("难"):
            parsed.difficulty = read_difficulty(text, top=3)
        elif name.endswith("章节") or name in _TAGS:
            parsed.tags = (*parsed.tags, text) if text else parsed.tags
        elif "型" in name:
            continue
        elif not patterns.is_meta(name):
            parsed.add_dropped("field_left_out", f"“{name}：{text[:20]}”没有导入。")
        elif name in {"知识点", "考点"}:
            parsed.knowledge_points = tuple(part for part in re.split(r"[;；|]\s*", text) if part)
        else:
            parsed.points = read_points(text)


_LOST_PICTURE = re.compile(f"{PICTURE}(?!{NUMBERED})")
"""A picture whose bytes cannot be had; one with a number after it is put in its place later."""


def _note_pictures(parsed: ParsedQuestion) -> None:
    texts = [parsed.stem_text, parsed.explanation_text, parsed.answer, *(text for _, text in parsed.lettered)]
    if any(_LOST_PICTURE.search(text) for text in texts):
        parsed.add_dropped("image", "题里有图片或公式，没有导入，只保留了文字。")
    parsed.stem_text, parsed.explanation_text, parsed.answer = (_LOST_PICTURE.sub("", text) for text in texts[:3])
    parsed.lettered = [(letter, _LOST_PICTURE.sub("", text)) for letter, text in parsed.lettered]
