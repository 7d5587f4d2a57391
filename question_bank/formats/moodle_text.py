"""Read Moodle's plain-text formats: embedded answers ("cloze": `{1:SHORTANSWER:=Paris~%50%Lyon}`), missing word, Aiken; write Aiken."""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from examapp.documents.decoding import decode_plain_text, text_head
from question_bank.formats.export import ExportedFile, unsupported_fields, writable
from question_bank.formats.gift import FULL_CREDIT, fill_choice, fill_short, rich
from question_bank.formats.gift_syntax import BLANK, blocks, split_answers
from question_bank.formats.parsed import Gap, ParsedQuestion, as_texts, number, place_gaps, token, unsupported_kind
from question_bank.formats.pictures import attach_all_images, attach_images, no_files
from question_bank.model import OPTION_LETTERS, Kind, Note, Outcome, ParseResult, Question
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
    result = ParseResult("moodle-cloze")
    text = decode_plain_text(content).strip()
    parsed = ParsedQuestion(where="第 1 行", kind=Kind.FILL_BLANK)
    result.add(cloze_outcome(parsed, attach_images(parsed, guessed(text), no_files)))
    return result


def cloze_outcome(parsed: ParsedQuestion, text: Rich) -> Outcome:
    """Return the question that a text with embedded answers holds; reject what Moodle itself would not take."""
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
    return parsed.validate()


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
        parsed.add_dropped("partial_credit", "得部分分的答案没有保留，只收得满分的答案。")
    if kind.startswith(("MULTICHOICE", "MC")):
        return _choice_gap(answers, text)
    full = [html_to_text(wording) if text.is_html else wording for share, wording, _ in answers if share >= FULL_CREDIT]
    if kind in {"NUMERICAL", "NM"}:
        return _number_gap(full, parsed)
    gap = Gap(variants=tuple(dict.fromkeys(full)))
    if any("*" in part and answer[0] >= FULL_CREDIT for part, answer in zip(parts, answers, strict=True)):
        gap.review = ("wildcard_answer", "答案里有通配符 *，本平台不支持。请写出具体的答案。")
    for _, wording, note in answers:
        if note and wording != "*":
            parsed.explanation.append(Rich(f"{wording}：{note}", text.is_html))
    return gap


def _choice_gap(answers: list[tuple[Decimal, str, str]], text: Rich) -> Gap:
    gap = Gap(is_choice=True)
    for place, (share, wording, note) in enumerate(answers):
        gap.options.append(Rich(wording, text.is_html))
        if share >= FULL_CREDIT:
            gap.right.append(place)
        if note:
            gap.option_notes[place] = Rich(note, text.is_html)
    return gap


def _number_gap(full: list[str], parsed: ParsedQuestion) -> Gap | Note:
    value, _, tolerance = full[0].partition(":") if full else ("", "", "")
    if len(full) != 1 or number(value) is None or (tolerance.strip() and number(tolerance) != 0):
        return unsupported_kind(parsed.where, "数值范围题")
    parsed.add_dropped("numeric_as_text", "数值题改成了填空题，答案按文字比对，不再按数值比对。")
    return Gap(variants=as_texts([value.strip()]))


def _answer(part: str) -> tuple[Decimal, str, str]:
    """Return an answer as its share in per cent, its words and its feedback."""
    found = _ANSWER.fullmatch(part)
    if found is None:
        return Decimal(0), "", ""
    share = FULL_CREDIT if found["full"] else Decimal(found["share"] or 0)
    wording, _, note = (
        re.sub(r"\s*\n\s*", " ", text.translate(_SHOWN)).strip() for text in found["text"].partition("#")
    )
    return share, wording, note


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
    result = ParseResult("missingword")
    for block in blocks(decode_plain_text(content)):
        where = f"第 {block.line} 行"
        found = _BRACES.fullmatch(block.text)
        body = found.group("body").strip() if found else ""
        if body and body[0] not in "=~":
            body = f"~{body}" if "~" in body else f"={body}"
        if found is None or not body:
            reason = "找不到花括号里的答案（如 {=甲 ~乙}）。请改正这一处后再导入。"
            result.rejected.append(Note(where, reason, "malformed"))
            continue
        stem = " ".join(part for part in (found["before"].strip(), BLANK, found["after"].strip()) if part)
        parsed = ParsedQuestion(where=where, kind=Kind.FILL_BLANK, stem=guessed(_FOLD.sub(" ", stem)))
        first, *others = split_answers(body, weight=_WEIGHT)
        if others:
            fill_choice(parsed, [first, *others])
        else:
            fill_short(parsed, [(rich(first.text).plain, FULL_CREDIT if first.weight is None else first.weight)])
            parsed.explanation += [rich(first.feedback)] if first.feedback is not None else []
        attach_all_images(parsed)
        result.add(parsed.validate())
    return result


_OPTION = re.compile(r"\s*(?P<letter>[A-Za-z])[.)](?P<gap>\s*)(?P<text>.*)$")
_AIKEN_ANSWER = re.compile(r"\s*ANSWER\s*[:：]\s*(?P<letters>.*?)\s*$", re.IGNORECASE)


@dataclass(slots=True)
class _Entry:
    """The lines of one question."""

    line: int
    stem: list[str] = field(default_factory=list)
    options: list[list[str]] = field(default_factory=list)
    """Letter and text lines of each option."""
    answer: str | None = None


def looks_like_aiken(content: bytes, name: str) -> bool:
    """Return whether the text has Aiken's options and answer lines."""
    text = text_head(content)
    has_answer = re.search(r"^\s*ANSWER\s*[:：]\s*[A-Z]", text, re.MULTILINE | re.IGNORECASE) is not None
    return has_answer and _first_letter(text) is not None and not _is_numbered(text)


def _is_numbered(text: str) -> bool:
    """Return whether the questions have numbers before Chinese stems: a text with labels in English, where Aiken has no numbers."""
    count = len(re.findall(r"^\s*ANSWER\s*[:：]", text, re.MULTILINE | re.IGNORECASE))
    return 2 * len(re.findall(r"^\s*\d{1,4}\s*[.、．)）][^\n]*[\u4e00-\u9fff]", text, re.MULTILINE)) >= count > 0


def read_aiken(content: bytes, *, name: str) -> ParseResult:
    """Return all questions of an Aiken file."""
    result = ParseResult("aiken")
    text = decode_plain_text(content)
    for entry in _entries(text.split("\n"), first=_first_letter(text) or "A"):
        result.add(_aiken_outcome(entry))
    return result


def _first_letter(text: str) -> str | None:
    """Return how the file writes the first option's letter: A, or a where no option has a capital."""
    return next((letter for letter in "Aa" if re.search(rf"^\s*{letter}[.)]", text, re.MULTILINE)), None)


def _option_of(line: str, entry: _Entry | None, first: str) -> re.Match[str] | None:
    """Return the option that a line is: the next letter, or any letter with a space behind its sign."""
    found = _OPTION.match(line)
    if found is None or found["letter"].isupper() != first.isupper():
        return None
    at = len(entry.options) if entry else 0
    is_next = found["letter"].upper() == OPTION_LETTERS[at : at + 1]  # none behind the last
    return found if is_next or found["gap"] or not found["text"] else None


def _entries(lines: list[str], *, first: str) -> list[_Entry]:
    entries: list[_Entry] = []
    entry: _Entry | None = None
    after_blank = False
    for at, line in enumerate(lines, start=1):
        if not line.strip():
            after_blank = True
            continue
        answer = _AIKEN_ANSWER.match(line)
        option = _option_of(line, entry, first)
        if entry is None or (after_blank and entry.options and not (answer or option)):
            entry = _Entry(at)
            entries.append(entry)
        after_blank = False
        if answer:
            entry.answer = answer.group("letters")
            entry = None
        elif option:
            entry.options.append([option.group("letter").upper(), option.group("text").strip()])
        elif entry.options:
            entry.options[-1].append(line.strip())
        else:
            entry.stem.append(line.strip())
    return entries


def _aiken_outcome(entry: _Entry) -> Outcome:
    where = f"第 {entry.line} 行"
    if not entry.options:
        reason = "这一段没有 A. B. 开头的选项，不是 Aiken 格式的题目。请补上选项，或改用别的格式。"
        return Note(where, reason, "malformed")
    parsed = ParsedQuestion(where=where, kind=Kind.SINGLE_CHOICE, stem=Rich("\n".join(entry.stem)))
    letters = [option[0] for option in entry.options]
    parsed.options = [Rich("\n".join(option[1:])) for option in entry.options]
    answer = re.sub(r"[\s,，、;；]+", "", entry.answer or "").upper()
    if not answer:
        parsed.require_review("no_key", "这道题没有 ANSWER 一行。请补上答案。")
    elif len(set(letters)) != len(letters):
        parsed.require_review("duplicate_letters", "有两个选项用了同一个字母，分不清答案指哪一个。请改正选项字母。")
    elif letters != list(OPTION_LETTERS[: len(letters)]):
        reason = f"选项字母是 {''.join(letters)}，不连续。请核对是否漏了选项。"
        parsed.require_review("option_missing", reason)
    elif not all(letter in letters for letter in answer):
        parsed.require_review("key_outside_options", f"答案“{entry.answer}”不在选项里。请核对答案。")
    else:
        parsed.right = [letters.index(letter) for letter in answer]
        parsed.kind = Kind.SINGLE_CHOICE if len(set(answer)) == 1 else Kind.MULTIPLE_CHOICE
    return parsed.validate()


def _can_say(question: Question) -> bool:
    return question.kind in {Kind.SINGLE_CHOICE, Kind.TRUE_FALSE} and len(question.key) == 1


_UNWRITTEN = ("explanation", "citation", "knowledge_points", "difficulty", "points", "tags", "code", "images")


def write_aiken(questions: Iterable[Question]) -> ExportedFile:
    """Write single choices and true/false as Aiken; note all else as lost."""
    dropped: list[Note] = []
    texts: list[str] = []
    for _, where, question in writable(questions, "Aiken", _can_say, dropped):
        if any(
            _OPTION.match(line) or _AIKEN_ANSWER.match(line) for line in _text_line(question.stem, question).split("\n")
        ):
            reason = "题干有一行像选项或答案，Aiken 格式写不下，没有导出。请改用 QTI 3.0 或 Excel 格式导出。"
            dropped.append(Note(where, f"{reason}题干：{question.stem[:30]}", "not_written"))
            continue
        pairs = zip(OPTION_LETTERS, question.options, strict=False)
        options = [f"{letter}. {_text_line(option, question)}" for letter, option in pairs]
        texts.append("\n".join([_text_line(question.stem, question), *options, f"ANSWER: {question.key[0]}"]))
        dropped += unsupported_fields(where, question, "Aiken", *_UNWRITTEN, markup=question.is_html)
    return ExportedFile(("\n\n".join(texts) + "\n").encode(), dropped)


def _text_line(text: str, question: Question) -> str:
    """Return a text without blank lines, which would end the question."""
    plain = html_to_text(text) if question.is_html else text.strip()
    return re.sub(r"\s*\n\s*", "\n", plain)
