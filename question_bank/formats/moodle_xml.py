"""Read and write Moodle XML."""

import base64
import html
import posixpath
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from urllib.parse import unquote

from lxml import etree

from examapp.documents.archives import UnreadableFileError
from examapp.documents.safe_xml import (
    Element,
    child_text,
    children,
    clean,
    local,
    parse_xml,
    root_name,
    text_of,
)
from question_bank.formats.export import ExportedFile, encode_tags, fill_lines, is_keyed, unsupported_fields, writable
from question_bank.formats.gift import FULL_CREDIT, fill_short, weigh_choice
from question_bank.formats.moodle_text import cloze_outcome, write_gap
from question_bank.formats.parsed import ParsedQuestion, as_texts, number, parse_points, truth_index, unsupported_kind
from question_bank.formats.pictures import attach_images, decode_base64
from question_bank.kinds.registry import KINDS
from question_bank.model import OPTION_LETTERS, Image, Kind, Note, Outcome, ParseResult, Question
from question_bank.rich import Rich, guessed, joined

KIND_NAMES = {
    "matching": "连线题（配对题）",
    "match": "连线题（配对题）",
    "randomsamatch": "随机配对题",
    "ordering": "排序题",
    "gapselect": "选词填空题",
    "ddwtos": "拖放填空题",
    "ddimageortext": "图上拖放题",
    "ddmarker": "图上标记题",
    "calculated": "计算公式题",
    "calculatedsimple": "计算公式题",
    "calculatedmulti": "计算公式选择题",
    "random": "随机抽题",
    "coderunner": "编程题",
    "stack": "数学公式题",
    "multichoiceset": "全对才得分的多选题",
}
_DEFAULT_NOTES = frozenset(
    {
        "Your answer is correct.", "Your answer is partially correct.", "Your answer is incorrect.", "回答正确。", "部分正确。",
        "回答错误。", "您的答案是正确的。", "您的答案部分正确。", "您的答案是错误的。", "正确答案", "你的回答正确", "你的回答部分正确",
        "你的回答不正确", "答案正确。", "答案部分正确。", "答案错误。",
    }
)  # fmt: skip


class TextReader:
    """Reads the texts of one question; pictures are attached to it."""

    def __init__(self, parsed: ParsedQuestion, question: Element) -> None:
        self._parsed = parsed
        self._question = question

    def read(self, parent: Element, name: str) -> Rich:
        """Return the text of a child of that name, or of the parent itself when the name is empty."""
        element = next(iter(children(parent, name)), None) if name else parent
        if element is None:
            return Rich()
        wording = child_text(element, "text").strip()
        format_name = element.get("format", "")
        if format_name in {"plain_text", "plain"}:
            return Rich(wording)
        if format_name == "markdown":
            self._parsed.add_dropped("markdown_as_text", "Markdown 排版没有转换，按原样文字保留。请核对显示效果。")
            return Rich(wording)
        text = Rich(wording, is_html=True) if format_name == "html" else guessed(wording)
        return attach_images(self._parsed, text, lambda source: _file(element, source) or _file(self._question, source))


def _file(element: Element, source: str) -> tuple[str, bytes] | None:
    wanted = unquote(source.removeprefix("@@PLUGINFILE@@/")).partition("?")[0]
    for file in children(element, "file"):
        name = file.get("name", "")
        if wanted in {posixpath.join(file.get("path", "/"), name).lstrip("/"), name}:
            content = decode_base64(text_of(file))
            return None if content is None else (name, content)
    return None


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the XML's outermost element is that of a Moodle question file."""
    return root_name(content) in {"quiz", "question"}


def read(content: bytes, *, name: str) -> ParseResult:
    """Return all questions of a Moodle XML file; categories and descriptions are remarks."""
    root = parse_xml(content)
    if local(root) not in {"quiz", "question"}:
        reason = f"这不是 Moodle XML 题库文件（最外层是 {local(root)}，应为 quiz）。请确认选对了文件。"
        raise UnreadableFileError(reason)
    result = ParseResult("moodle-xml")
    for place, element in enumerate([root] if local(root) == "question" else children(root, "question"), start=1):
        where = f"/quiz/question[{place}]（第 {element.sourceline} 行）"
        kind = element.get("type", "")
        if kind == "category":
            path = child_text(element, "category", "text").strip()
            result.remarks.append(Note(where, f"分类“{path}”没有保留，题目都导入到所选的题库。", "category"))
        elif kind == "description":
            result.remarks.append(Note(where, "这一段是说明文字，不是题目，没有导入。", "description"))
        else:
            result.add(_outcome(element, kind, where))
    return result


def _outcome(element: Element, kind: str, where: str) -> Outcome:
    filler = _FILLERS.get(kind)
    if filler is None and kind not in {"cloze", "multianswer"}:
        return unsupported_kind(where, KIND_NAMES.get(kind, kind or "没有写明题型的题"))
    parsed = ParsedQuestion(where=where, kind=Kind.SHORT_ANSWER)
    texts = TextReader(parsed, element)
    parsed.stem = texts.read(element, "questiontext")
    parsed.explanation = [texts.read(element, "generalfeedback")]
    parsed.code = child_text(element, "idnumber").strip() or None
    parsed.points = parse_points(child_text(element, "defaultgrade"))
    named = [tag for tags in children(element, "tags") for tag in children(tags, "tag")]
    parsed.set_tags([child_text(tag, "text").strip() for tag in named])
    if any(not texts.read(hint, "").is_blank for hint in children(element, "hint")):
        parsed.add_dropped("hints_dropped", "作答提示没有保留。")
    names = ("correctfeedback", "partiallycorrectfeedback", "incorrectfeedback")
    if any(texts.read(element, name).plain not in {"", *_DEFAULT_NOTES} for name in names):
        parsed.add_dropped("feedback_dropped", "答对、答错时的提示语没有保留。")
    if child_text(element, "usecase").strip() == "1":
        parsed.add_dropped("case_sensitive", "“区分大小写”的要求没有保留。")
    if any(local(child) == "file" for child in element):
        parsed.add_dropped("attachment_dropped", "题目所附的文件没有保留。")
    _take_old_files(parsed, element)
    if filler is None:
        return cloze_outcome(parsed, parsed.stem)
    return filler(parsed, element, texts) or parsed.validate()


def _take_old_files(parsed: ParsedQuestion, element: Element) -> None:
    """Attach the picture that Moodle before 2.0 keeps beside a question's text, in base64; a sound or a picture without bytes is a loss."""
    name = posixpath.basename(child_text(element, "image").strip())
    if name:
        content = decode_base64(child_text(element, "image_base64"))
        picture = Rich(f'<p><img src="{html.escape(name)}" alt="图"></p>', is_html=True)
        attached = attach_images(parsed, picture, lambda _: (name, content) if content else None)
        parsed.stem = joined([parsed.stem, attached]) if parsed.images else parsed.stem
    if any(local(child) in {"sound", "audio", "video"} and text_of(child).strip() for child in element):
        parsed.add_dropped("media_dropped", "音频、视频没有保留。请核对题目是否还能作答。")


def _fraction(answer: Element) -> Decimal:
    return number(answer.get("fraction")) or Decimal(0)


def _fill_choice(parsed: ParsedQuestion, element: Element, texts: TextReader) -> Note | None:
    answers = children(element, "answer")
    parsed.options = [texts.read(answer, "") for answer in answers]
    parsed.option_notes = {place: texts.read(answer, "feedback") for place, answer in enumerate(answers)}
    is_single = child_text(element, "single").strip().lower() not in {"false", "0"}
    weigh_choice(parsed, [_fraction(answer) for answer in answers], is_single=is_single)
    return None


def _fill_true_false(parsed: ParsedQuestion, element: Element, texts: TextReader) -> Note | None:
    parsed.kind = Kind.TRUE_FALSE
    for answer in children(element, "answer"):
        word = texts.read(answer, "").plain.strip().lower()
        if (place := truth_index(word)) is None:
            parsed.require_review("no_key", f"判断题的答案“{word[:20]}”不是对或错。请核对答案。")
            continue
        if _fraction(answer) >= FULL_CREDIT:
            parsed.right.append(place)
        parsed.option_notes[place] = texts.read(answer, "feedback")
    return None


def _fill_short(parsed: ParsedQuestion, element: Element, texts: TextReader) -> Note | None:
    answers = children(element, "answer")
    fill_short(parsed, [(guessed(child_text(answer, "text")).plain, _fraction(answer)) for answer in answers])
    for answer in answers:
        note = texts.read(answer, "feedback")
        if not note.is_blank:
            text = f"{guessed(child_text(answer, 'text')).plain}：{note.simplest.text}"
            parsed.explanation.append(Rich(text, note.simplest.is_html))
    return None


def _fill_number(parsed: ParsedQuestion, element: Element, texts: TextReader) -> Note | None:
    full = [answer for answer in children(element, "answer") if _fraction(answer) >= FULL_CREDIT]
    tolerance = child_text(full[0], "tolerance").strip() if full else ""
    if len(full) != 1 or number(tolerance or "0") != 0 or number(child_text(full[0], "text")) is None:
        return unsupported_kind(parsed.where, "数值范围题")
    _fill_short(parsed, element, texts)
    parsed.blanks = [as_texts(variants) for variants in parsed.blanks]
    parsed.add_dropped("numeric_as_text", "数值题改成了填空题，答案按文字比对，不再按数值比对。")
    if element.find("units") is not None:
        parsed.add_dropped("units_dropped", "数值的单位没有保留。")
    return None


def _fill_essay(parsed: ParsedQuestion, element: Element, texts: TextReader) -> Note | None:
    parsed.answer = texts.read(element, "graderinfo").plain
    if not texts.read(element, "responsetemplate").is_blank:
        parsed.add_dropped("template_dropped", "作答模板没有保留。")
    if child_text(element, "attachments").strip() not in {"", "0"}:
        parsed.add_dropped("attachment_dropped", "原题可以交附件，本平台的简答题只收文字。")
    return None


def _fill_order(parsed: ParsedQuestion, element: Element, texts: TextReader) -> Note | None:
    """Fill an ordering question, whose answers stand in the right order; reject one that shows only some of them."""
    shown = child_text(element, "selecttype").strip().upper()
    if shown not in {"", "ALL", "0"}:
        return unsupported_kind(parsed.where, "只抽部分选项的排序题")
    parsed.kind = Kind.ORDERING
    answers = children(element, "answer")
    parsed.options = [texts.read(answer, "") for answer in answers]
    parsed.right = list(range(len(answers)))
    return None


_FILLERS: dict[str, Callable[[ParsedQuestion, Element, TextReader], Note | None]] = {
    "multichoice": _fill_choice,
    "truefalse": _fill_true_false,
    "shortanswer": _fill_short,
    "numerical": _fill_number,
    "essay": _fill_essay,
    "ordering": _fill_order,
}


_TYPES = {kind.code: kind.codes["moodle-xml"] for kind in KINDS.values() if "moodle-xml" in kind.codes}


def write(questions: Iterable[Question]) -> ExportedFile:
    """Return the questions as Moodle XML with their pictures; several blanks become embedded answers, cases are noted as lost."""
    root = etree.Element("quiz")
    dropped: list[Note] = []
    for _, where, question in writable(
        questions, "Moodle XML", lambda one: one.kind in _TYPES and is_keyed(one), dropped
    ):
        _question(root, question)
        if len(question.blanks) > 1:
            dropped += unsupported_fields(where, question, "Moodle XML", "points")
    content = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return ExportedFile(content, dropped)


def _question(root: Element, question: Question) -> None:
    is_cloze = len(question.blanks) > 1
    element = etree.SubElement(root, "question", type="cloze" if is_cloze else _TYPES[question.kind])
    _add(etree.SubElement(element, "name"), "text", Rich(question.stem, question.is_html).plain[:80] or "题目")
    stem = question.stem
    if is_cloze:
        stem = fill_lines(Rich(stem, question.is_html).fragment, map(write_gap, question.blanks))
    _text(element, "questiontext", stem, is_html=question.is_html or is_cloze, images=question.images)
    _text(element, "generalfeedback", question.explanation, is_html=question.is_html, images=question.images)
    if question.points is not None and not is_cloze:
        _add(element, "defaultgrade", f"{question.points:f}")
    _add(element, "penalty", "0")
    _add(element, "hidden", "0")
    if question.code:
        _add(element, "idnumber", question.code)
    if not is_cloze:
        _answers(element, question)
    tags = encode_tags(question)
    if tags:
        parent = etree.SubElement(element, "tags")
        for tag in tags:
            _add(etree.SubElement(parent, "tag"), "text", tag)


def _answers(element: Element, question: Question) -> None:
    if question.kind is Kind.SHORT_ANSWER:
        _add(element, "responseformat", "editor")
        _text(element, "graderinfo", "".join(question.key), is_html=False)
    elif question.kind is Kind.FILL_BLANK:
        _add(element, "usecase", "0")
        for variant in question.blanks[0]:
            _answer(element, variant.replace("*", "\\*"), Decimal(100), is_html=False)
    elif question.kind is Kind.TRUE_FALSE:
        for letter, word in (("A", "true"), ("B", "false")):
            _answer(element, word, Decimal(100 if letter in question.key else 0), is_html=False)
    elif question.kind is Kind.ORDERING:
        _order(element, question)
    else:
        _add(element, "single", "true" if question.kind is Kind.SINGLE_CHOICE else "false")
        _add(element, "shuffleanswers", "true")
        _add(element, "answernumbering", "ABCD")
        share = (Decimal(100) / len(question.key)).quantize(Decimal("0.00001")).normalize()
        for letter, option in zip(OPTION_LETTERS, question.options, strict=False):
            fraction = share if letter in question.key else Decimal(0)
            _answer(element, option, fraction, is_html=question.is_html, images=question.images)


def _order(element: Element, question: Question) -> None:
    """Write Moodle's ordering question: the answers in the right order, `fraction` counts them from 1."""
    _add(element, "layouttype", "VERTICAL")
    _add(element, "selecttype", "ALL")
    _add(element, "selectcount", "0")
    _add(element, "gradingtype", "ALL_OR_NOTHING")
    _add(element, "numberingstyle", "ABCD")
    for place, letter in enumerate(question.key, 1):
        option = question.options[OPTION_LETTERS.index(letter)]
        _answer(element, option, Decimal(place), is_html=question.is_html, images=question.images)


def _answer(element: Element, text: str, fraction: Decimal, *, is_html: bool, images: tuple[Image, ...] = ()) -> None:
    answer = _text(element, "answer", text, is_html=is_html, images=images)
    answer.set("fraction", f"{fraction:f}")


def _text(parent: Element, name: str, text: str, *, is_html: bool, images: tuple[Image, ...] = ()) -> Element:
    element = etree.SubElement(parent, name, format="html" if is_html else "plain_text")
    _add(element, "text", re.sub(r"([\"'])bank:", r"\1@@PLUGINFILE@@/", text) if is_html else text)
    for image in images:
        if f"bank:{image.name}" in text:
            file = etree.SubElement(element, "file", name=image.name, path="/", encoding="base64")
            file.text = base64.b64encode(image.content).decode("ascii")
    return element


def _add(parent: Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = clean(text)
