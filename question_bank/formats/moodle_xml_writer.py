"""Write Moodle XML."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from decimal import Decimal

from lxml import etree

from examapp.documents.safe_xml import Element, clean
from question_bank.formats.export import ExportedFile, encode_tags, not_exported, unsupported_fields
from question_bank.formats.moodle_text import write_gap
from question_bank.kinds.registry import KINDS
from question_bank.model import OPTION_LETTERS, Image, Kind, Question
from question_bank.parse_result import Note
from question_bank.rich import Rich

_TYPES = {kind.code: kind.codes["moodle-xml"] for kind in KINDS.values() if "moodle-xml" in kind.codes}
_BLANK = re.compile("_{2,}")


def write(questions: Iterable[Question]) -> ExportedFile:
    """Return the questions as Moodle XML with their pictures; cases are a named loss, several blanks become embedded answers."""
    root = etree.Element("quiz")
    losses: list[Note] = []
    for number, question in enumerate(questions, start=1):
        where = f"第 {number} 题"
        if question.kind not in _TYPES or not (question.key or question.blanks or question.kind is Kind.SHORT_ANSWER):
            losses.append(not_exported(where, question, "Moodle XML"))
            continue
        _question(root, question)
        if len(question.blanks) > 1 and question.points is not None:
            losses += unsupported_fields(where, question, "Moodle XML", points=question.points)
    content = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return ExportedFile(content, losses)


def _question(root: Element, question: Question) -> None:
    is_cloze = len(question.blanks) > 1
    element = etree.SubElement(root, "question", type="cloze" if is_cloze else _TYPES[question.kind])
    _add(etree.SubElement(element, "name"), "text", Rich(question.stem, question.is_html).plain[:80] or "题目")
    stem = _embedded(question) if is_cloze else question.stem
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
    """Moodle's ordering question: its answers stand in the right order, `fraction` counts them from 1."""
    for name, value in (
        ("layouttype", "VERTICAL"),
        ("selecttype", "ALL"),
        ("selectcount", "0"),
        ("gradingtype", "ALL_OR_NOTHING"),
    ):
        _add(element, name, value)
    _add(element, "numberingstyle", "ABCD")
    for number, letter in enumerate(question.key, 1):
        option = question.options[OPTION_LETTERS.index(letter)]
        _answer(element, option, Decimal(number), is_html=question.is_html, images=question.images)


def _answer(element: Element, words: str, fraction: Decimal, *, is_html: bool, images: tuple[Image, ...] = ()) -> None:
    answer = _text(element, "answer", words, is_html=is_html, images=images)
    answer.set("fraction", f"{fraction:f}")


def _embedded(question: Question) -> str:
    """Return the stem with each run of underscores made a gap; gaps that find none follow the stem."""
    gaps = iter([write_gap(variants) for variants in question.blanks])
    stem = Rich(question.stem, question.is_html).fragment
    placed = _BLANK.sub(lambda match: next(gaps, match.group()), stem)
    return " ".join([placed, *gaps])


def _text(parent: Element, name: str, words: str, *, is_html: bool, images: tuple[Image, ...] = ()) -> Element:
    element = etree.SubElement(parent, name, format="html" if is_html else "plain_text")
    _add(element, "text", re.sub(r"([\"'])bank:", r"\1@@PLUGINFILE@@/", words) if is_html else words)
    for image in images:
        if f"bank:{image.name}" in words:
            file = etree.SubElement(element, "file", name=image.name, path="/", encoding="base64")
            file.text = base64.b64encode(image.content).decode("ascii")
    return element


def _add(parent: Element, name: str, words: str) -> None:
    etree.SubElement(parent, name).text = clean(words)
