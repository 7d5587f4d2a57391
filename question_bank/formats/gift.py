"""Read and write GIFT."""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import PurePath

from examapp.documents.decoding import decode_plain_text, text_head
from question_bank.formats.export import ExportedFile, encode_tags, unsupported_fields, writable
from question_bank.formats.gift_syntax import GiftAnswer, GiftQuestion, GiftText, GiftType, blocks, escape, hide, parse
from question_bank.formats.parsed import ParsedQuestion, as_texts, number, truth_index, unsupported_kind
from question_bank.formats.pictures import attach_all_images
from question_bank.model import OPTION_LETTERS, Kind, Note, Outcome, ParseResult, Question
from question_bank.rich import Rich, guessed

FULL_CREDIT = Decimal(100)
_SIGNS = re.compile(r"\{\s*(?:[=~#][^{}]*|T|F|TRUE|FALSE|(?:T|F|TRUE|FALSE)#[^{}]*)?\}", re.IGNORECASE)
_TITLED = re.compile(r"^::[^:\n]+::[^\n{}]*\{[^{}\n]+\}", re.MULTILINE)
_NAMED_FORMAT = re.compile(r"\s*\[(?:html|markdown|plain|moodle)\]")
"""How a GIFT text says in what format it is written: no JSON."""
_LETTERS = re.compile(r"[A-Ha-h]{1,8}")
_CODE = re.compile(r"(?=.*\d)[\w.\-]{1,40}")


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the text has answers in braces or a category as GIFT has them."""
    if name.lower().endswith(".gift"):
        return True
    if PurePath(name).suffix.lower() not in {"", ".txt"}:
        return False
    text = text_head(content)
    if "\x00" in text or (text.lstrip().startswith(("<", "{", "[")) and not _NAMED_FORMAT.match(text)):
        return text.lstrip().startswith("{") and bool(re.match(r"\s*\{\s*[=~#]", text))
    return text.lstrip().startswith("$CATEGORY:") or bool(_SIGNS.search(hide(text)) or _TITLED.search(hide(text)))


def read(content: bytes, *, name: str) -> ParseResult:
    """Return all questions of a GIFT file; descriptions and categories are remarks."""
    result = ParseResult("gift")
    for block in blocks(decode_plain_text(content)):
        question = parse(block)
        where = f"第 {question.line} 行"
        if question.type is GiftType.CATEGORY:
            result.remarks.append(Note(where, f"分类“{question.title}”没有保留，题目都导入到所选的题库。", "category"))
        elif question.type is GiftType.DESCRIPTION:
            result.remarks.append(Note(where, "这一段没有答案，是说明文字，没有导入。", "description"))
        else:
            result.add(_outcome(question, where))
    return result


def _outcome(question: GiftQuestion, where: str) -> Outcome:
    if question.type is GiftType.MATCHING:
        return unsupported_kind(where, "连线题（配对题）")
    if question.type is GiftType.BROKEN:
        reason = "花括号里的答案写法不合 GIFT 格式（括号不成对，或没有 = ~ # 开头的答案）。请改正这一处后再导入。"
        return Note(where, reason, "malformed")
    if question.type is GiftType.NUMERICAL and exact_number(question.answers) is None:
        return unsupported_kind(where, "数值范围题")
    parsed = ParsedQuestion(where=where, kind=Kind.SHORT_ANSWER, stem=rich(question.stem))
    parsed.code = question.code or (question.title if question.title and _CODE.fullmatch(question.title) else None)
    parsed.set_tags(question.tags)
    if question.global_feedback is not None:
        parsed.explanation.append(rich(question.global_feedback))
    if "markdown" in {question.stem.format, *(answer.text.format for answer in question.answers)}:
        parsed.add_dropped("markdown_as_text", "Markdown 排版没有转换，按原样文字保留。请核对显示效果。")
    if question.type in _FILLERS:
        _FILLERS[question.type](parsed, question)
    if question.is_bare:
        _note_bare_answer(parsed, question)
    attach_all_images(parsed)
    return parsed.validate()


def rich(text: GiftText) -> Rich:
    """Return a GIFT text as Rich."""
    if text.format == "html":
        return Rich(text.text, is_html=True)
    return guessed(text.text) if text.format == "moodle" else Rich(text.text)


def _fill_true_false(parsed: ParsedQuestion, question: GiftQuestion) -> None:
    parsed.kind = Kind.TRUE_FALSE
    parsed.right = [0 if question.is_true else 1]
    parsed.explanation += [rich(note) for note in question.notes if note is not None]


def fill_choice(parsed: ParsedQuestion, answers: list[GiftAnswer]) -> None:
    """Fill a choice question: one right answer behind `=`, or several by their weights."""
    parsed.options = [rich(answer.text) for answer in answers]
    notes = {place: answer.feedback for place, answer in enumerate(answers)}
    parsed.option_notes = {place: rich(note) for place, note in notes.items() if note is not None}
    is_single = any(answer.is_correct for answer in answers)
    weigh_choice(parsed, [_fraction(answer) for answer in answers], is_single=is_single)


def weigh_choice(parsed: ParsedQuestion, fractions: list[Decimal], *, is_single: bool) -> None:
    """Set the key from fractions (per cent): of a single choice those of 100, of a multiple choice all above 0; note uneven ones as lost."""
    parsed.kind = Kind.SINGLE_CHOICE if is_single else Kind.MULTIPLE_CHOICE
    positive = [fraction for fraction in fractions if fraction > 0]
    if is_single:
        parsed.right = [place for place, fraction in enumerate(fractions) if fraction >= FULL_CREDIT]
        if any(0 < fraction < FULL_CREDIT for fraction in fractions):
            parsed.add_dropped("partial_credit", "有的选项原来得部分分，导入后只有正确选项得分。")
    else:
        parsed.right = [place for place, fraction in enumerate(fractions) if fraction > 0]
        if len(set(positive)) > 1:
            parsed.add_dropped("partial_credit", "各正确选项原来的分值不等，导入后按本平台的多选题规则计分。")
        if positive and not Decimal(95) <= sum(positive) <= Decimal(105):
            reason = "各正确选项的分值加起来不是 100%，分不清哪些才是正确答案。请核对答案。"
            parsed.require_review("weights_odd", reason)
    if any(fraction < 0 for fraction in fractions):
        parsed.add_dropped("negative_marks", "错选倒扣分没有保留。")


def fill_short(parsed: ParsedQuestion, variants: list[tuple[str, Decimal]]) -> None:
    """Fill one blank with the variants of full weight; note lesser ones as lost, require a review of wildcards."""
    parsed.kind = Kind.FILL_BLANK
    full = [text.strip() for text, fraction in variants if fraction >= FULL_CREDIT and text.strip()]
    if any(0 < fraction < FULL_CREDIT for _, fraction in variants):
        parsed.add_dropped("partial_credit", "得部分分的答案没有保留，只收得满分的答案。")
    if any("*" in text.replace("\\*", "") for text in full):
        parsed.require_review("wildcard_answer", "答案里有通配符 *，本平台不支持。请写出具体的答案。")
    parsed.blanks = [tuple(dict.fromkeys(text.replace("\\*", "*") for text in full))] if full else []


def _fill_short(parsed: ParsedQuestion, question: GiftQuestion) -> None:
    blanks = []
    for answers in question.gaps or [question.answers]:
        fill_short(parsed, [(rich(answer.text).plain, _fraction(answer)) for answer in answers])
        blanks += parsed.blanks or [()]
    parsed.blanks = blanks if any(blanks) else []
    _explain_variants(parsed, question)


def _note_bare_answer(parsed: ParsedQuestion, question: GiftQuestion) -> None:
    """Say that an answer stood without its sign; require a review where it may be a letter or a judgement."""
    answers = [answer.text.text for answers in question.gaps or [question.answers] for answer in answers]
    if any(truth_index(text) is not None or _LETTERS.fullmatch(text) for text in answers):
        parsed.require_review("bare_answer", "花括号里只写了字母或对错，分不清是哪种题的答案。请核对题型和答案。")
    parsed.add_dropped("bare_answer", "花括号里的答案前没有 = 号，按 Moodle 的读法当作答案收下。请核对。")


def _explain_variants(parsed: ParsedQuestion, question: GiftQuestion) -> None:
    for answer in (*question.answers, *(one for answers in question.gaps for one in answers)):
        if answer.feedback is not None:
            note = rich(answer.feedback).simplest
            parsed.explanation.append(Rich(f"{rich(answer.text).plain}：{note.text}", note.is_html))


def _fill_number(parsed: ParsedQuestion, question: GiftQuestion) -> None:
    fill_short(parsed, [(text, FULL_CREDIT) for text in as_texts([exact_number(question.answers) or ""])])
    parsed.add_dropped("numeric_as_text", "数值题改成了填空题，答案按文字比对，不再按数值比对。")
    if sum(1 for answer in question.answers if _fraction(answer) > 0) > 1:
        parsed.add_dropped("partial_credit", "得部分分的答案没有保留，只收得满分的答案。")
    _explain_variants(parsed, question)


_FILLERS: dict[GiftType, Callable[[ParsedQuestion, GiftQuestion], None]] = {
    GiftType.TRUE_FALSE: _fill_true_false,
    GiftType.MULTIPLE_CHOICE: lambda parsed, question: fill_choice(parsed, question.answers),
    GiftType.SHORT: _fill_short,
    GiftType.NUMERICAL: _fill_number,
}


def exact_number(answers: list[GiftAnswer]) -> str | None:
    """Return the one value that alone gets full credit, written as in the file; None when it is a range or there are several."""
    full = [answer.text.text for answer in answers if answer.is_correct and _fraction(answer) >= FULL_CREDIT]
    if len(full) != 1:
        return None
    value, _, tolerance = full[0].partition(":")
    value, dots, other = value.partition("..")
    is_range = number(value) is None or (dots and number(other) != number(value))
    return None if is_range or (tolerance.strip() and number(tolerance) != 0) else value.strip()


def _fraction(answer: GiftAnswer) -> Decimal:
    if answer.weight is not None:
        return answer.weight
    return FULL_CREDIT if answer.is_correct else Decimal(0)


def write(questions: Iterable[Question]) -> ExportedFile:
    """Return the questions as GIFT; cases, several blanks, model answers, points and pictures are noted as lost."""
    dropped: list[Note] = []
    texts: list[str] = []
    for _, where, question in writable(questions, "GIFT", lambda one: _answers(one) is not None, dropped):
        answers = _answers(question)
        comments = [f"[id:{question.code}]"] if question.code else []
        comments += [f"[tag:{tag}]" for tag in encode_tags(question)]
        head = f"// {' '.join(comments)}\n" if comments else ""
        mark = "[html]" if question.is_html else "[plain]"
        general = f"####{escape(question.explanation)}" if question.explanation else ""
        texts.append(f"{head}{mark}{escape(question.stem)}{{{answers}{general}}}")
        dropped += unsupported_fields(
            where,
            question,
            "GIFT",
            "points",
            "images",
            model_answer=question.kind is Kind.SHORT_ANSWER and any(question.key),
        )
    return ExportedFile(("\n\n".join(texts) + "\n").encode(), dropped)


def _answers(question: Question) -> str | None:
    if question.kind is Kind.TRUE_FALSE:
        return "TRUE" if question.key == ("A",) else "FALSE"
    if question.kind is Kind.SHORT_ANSWER:
        return ""
    if question.kind is Kind.FILL_BLANK and len(question.blanks) == 1:
        mark = "[plain]" if question.is_html else ""
        return " ".join(f"={mark}{escape(variant.replace('*', chr(92) + '*'))}" for variant in question.blanks[0])
    if question.kind in {Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE} and question.key:
        is_single = question.kind is Kind.SINGLE_CHOICE
        share = Decimal(100) / len(question.key)
        weight = f"%{share.quantize(Decimal('0.00001')).normalize():f}%"
        lines = []
        for letter, option in zip(OPTION_LETTERS, question.options, strict=False):
            sign = "~" if letter not in question.key else "=" if is_single else f"~{weight}"
            lines.append(f"\n\t{sign}{escape(option)}")
        return "".join(lines) + "\n"
    return None
