"""Read Moodle's embedded answers ("cloze": `{1:SHORTANSWER:=Paris~%50%Lyon}`) and its missing-word texts."""

from __future__ import annotations

import html
import re
from decimal import Decimal, InvalidOperation

from examapp.documents.decoding import decode_plain_text, text_head
from question_bank.formats.gaps import Gap, as_texts, place_gaps, token
from question_bank.formats.gift import FULL_CREDIT, fill_choice, fill_short, rich
from question_bank.formats.gift_syntax import BLANK, GiftAnswer, blocks, split_answers
from question_bank.formats.html_images import attach_all_images, attach_images, no_files
from question_bank.formats.parsed import Outcome, ParsedQuestion, add_outcome, unsupported_kind, validate_parsed
from question_bank.model import Kind
from question_bank.parse_result import Note, ParseResult
from question_bank.rich import Rich, guessed, html_to_text

_GAP = re.compile(
    r"\{(?P<points>\d*):(?P<type>SHORTANSWER|SA|MW|SHORTANSWER_C|SAC|MWC|NUMERICAL|NM|MULTICHOICE|MC"
    r"|MULTICHOICE_[VHS]|MC[VHS]|MULTICHOICE_[VH]S|MC[VH]S|MULTIRESPONSE|MR|MULTIRESPONSE_[HS]|MR[HS]"
    r"|MULTIRESPONSE_HS|MRHS):(?P<body>(?:\\.|[^\\}])*)\}",
    re.DOTALL,
)
_ANSWER = re.compile(r"\s*(?:(?P<full>=)|%(?P<share>-?\d+(?:\.\d+)?)%)?(?P<text>.*)", re.DOTALL)
_HIDDEN = {char: chr(0xF0C0 + place) for place, char in enumerate("}#~/\"'\\=%*")}
_SHOWN = str.maketrans({hidden: char for char, hidden in _HIDDEN.items()})


def looks_like_cloze(content: bytes, name: str) -> bool:
    """Return whether the text has embedded answers, or its name says so."""
    text = text_head(content)
    if text.lstrip().startswith("<"):
        return False
    return bool(_GAP.search(text)) or (name.lower().endswith(".txt") and "multianswer" in name.lower())


def read_cloze(content: bytes, *, name: str) -> ParseResult:
    """Return the one question that a cloze text file holds."""
    del name
    result = ParseResult("moodle-cloze")
    text = decode_plain_text(content).strip()
    parsed = ParsedQuestion(where="第 1 行", kind=Kind.FILL_BLANK)
    add_outcome(result, cloze_outcome(parsed, attach_images(parsed, guessed(text), no_files)))
    return result


def cloze_outcome(parsed: ParsedQuestion, text: Rich) -> Outcome:
    """Return the parsed settled from a text with embedded answers; what Moodle itself would not take is refused."""
    gaps: list[Gap] = []
    problems: list[Note] = []

    def replace(match: re.Match[str]) -> str:
        made = _gap(match, parsed, text, len(gaps) + 1)
        if isinstance(made, Note):
            problems.append(made)
            return ""
        gaps.append(made)
        return token(len(gaps) - 1)

    stem = Rich(_GAP.sub(replace, text.text), text.is_html)
    if problems:
        return problems[0]
    if not gaps:
        return Note(parsed.where, "这段文字里没有嵌入的小题（如 {1:SHORTANSWER:=答案}）。请补上后再导入。", "no_gaps")
    place_gaps(parsed, stem, gaps)
    return validate_parsed(parsed)


def _gap(match: re.Match[str], parsed: ParsedQuestion, text: Rich, number: int) -> Gap | Note:
    kind = match.group("type")
    if kind.startswith(("MULTIRESPONSE", "MR")):
        return unsupported_kind(parsed.where, "填空中的多选题")
    body = re.sub(r"\\(.)", lambda found: _HIDDEN.get(found.group(1), found.group(1)), match.group("body"))
    parts = body.split("~")
    answers = [_answer(part) for part in parts]
    if not any(share >= FULL_CREDIT for share, _, _ in answers):
        return Note(parsed.where, f"第 {number} 空没有得满分的答案。请改正后再导入。", "no_full_answer")
    if any(0 < share < FULL_CREDIT for share, _, _ in answers):
        parsed.add_loss("partial_credit", "得部分分的答案没有保留，只收得满分的答案。")
    if kind.startswith(("MULTICHOICE", "MC")):
        return _choice_gap(answers, text)
    full = [html_to_text(words) if text.is_html else words for share, words, _ in answers if share >= FULL_CREDIT]
    if kind in {"NUMERICAL", "NM"}:
        return _number_gap(full, parsed)
    gap = Gap(variants=tuple(dict.fromkeys(full)))
    if any("*" in part and answer[0] >= FULL_CREDIT for part, answer in zip(parts, answers, strict=True)):
        gap.review = ("wildcard_answer", "答案里有通配符 *，本平台不支持。请写出具体的答案。")
    for _, words, note in answers:
        if note and words != "*":
            parsed.explanation.append(Rich(f"{words}：{note}", text.is_html))
    return gap


def _choice_gap(answers: list[tuple[Decimal, str, str]], text: Rich) -> Gap:
    gap = Gap(is_choice=True)
    for place, (share, words, note) in enumerate(answers):
        gap.options.append(Rich(words, text.is_html))
        if share >= FULL_CREDIT:
            gap.right.append(place)
        if note:
            gap.option_notes[place] = Rich(note, text.is_html)
    return gap


def _number_gap(full: list[str], parsed: ParsedQuestion) -> Gap | Note:
    if len(full) != 1:
        return unsupported_kind(parsed.where, "数值范围题")
    value, _, tolerance = full[0].partition(":")
    try:
        exact = Decimal(value.strip()).is_finite() and (not tolerance.strip() or Decimal(tolerance.strip()) == 0)
    except InvalidOperation:
        exact = False
    if not exact:
        return unsupported_kind(parsed.where, "数值范围题")
    parsed.add_loss("numeric_as_text", "数值题改成了填空题，答案按文字比对，不再按数值比对。")
    return Gap(variants=as_texts([value.strip()]))


def _answer(part: str) -> tuple[Decimal, str, str]:
    """Share in percent, words, feedback."""
    found = _ANSWER.fullmatch(part)
    if found is None:
        return Decimal(0), "", ""
    share = FULL_CREDIT if found.group("full") else Decimal(found.group("share") or 0)
    words, _, note = found.group("text").partition("#")
    return share, _shown(words), _shown(note)


def _shown(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text.translate(_SHOWN)).strip()


def write_gap(variants: tuple[str, ...]) -> str:
    """Return a written gap as embedded text within HTML."""
    escaped = (re.sub(r"([}#~\\\"'/*])", r"\\\1", html.escape(variant, quote=False)) for variant in variants)
    return "{1:SHORTANSWER:=" + "~=".join(escaped) + "}"


_WEIGHT = re.compile(r"%?(?P<weight>-?\d+(?:\.\d+)?)%")
_BRACES = re.compile(r"(?P<before>[^{}]*)\{(?P<body>[^{}]*)\}(?P<after>[^{}]*)")
_FOLD = re.compile(r"[ \t]*\n[ \t]*")


def looks_like_missing_word(content: bytes, name: str) -> bool:
    """Return whether the name says missing word; the text alone looks like GIFT."""
    return "missingword" in name.lower() and "{" in text_head(content)


def read_missing_word(content: bytes, *, name: str) -> ParseResult:
    """Return all questions of a missing-word file."""
    del name
    result = ParseResult("missingword")
    for block in blocks(decode_plain_text(content)):
        where = f"第 {block.line} 行"
        found = _BRACES.fullmatch(block.text)
        body = found.group("body").strip() if found else ""
        if found is None or body[:1] not in {"=", "~"}:
            add_outcome(
                result, Note(where, "找不到花括号里的答案（如 {=甲 ~乙}）。请改正这一处后再导入。", "malformed")
            )
            continue
        parts = (found.group("before").strip(), BLANK, found.group("after").strip())
        parsed = ParsedQuestion(
            where=where, kind=Kind.FILL_BLANK, stem=guessed(_FOLD.sub(" ", " ".join(p for p in parts if p)))
        )
        _fill(parsed, split_answers(body, weight=_WEIGHT))
        attach_all_images(parsed)
        add_outcome(result, validate_parsed(parsed))
    return result


def _fill(parsed: ParsedQuestion, answers: list[GiftAnswer]) -> None:
    if len(answers) > 1:
        fill_choice(parsed, answers)
        return
    answer = answers[0]
    fill_short(parsed, [(rich(answer.text).plain, FULL_CREDIT if answer.weight is None else answer.weight)])
    if answer.feedback is not None:
        parsed.explanation.append(rich(answer.feedback))
