"""Read and write QTI 1.2 as Canvas does."""

import re
from collections.abc import Iterable

from lxml import etree

from examapp.documents.archives import UnreadableFileError
from examapp.documents.safe_xml import Element, clean, local, parse_xml, root_name
from question_bank.formats.export import ExportedFile, encode_tags, fill_lines, is_keyed, writable
from question_bank.formats.package import NO_FILES, PackageFile, holds_roots, is_zip, looks_like_package, write_zip
from question_bank.formats.qti12_items import TAGS_LABEL, is_tree, read_tree
from question_bank.formats.qti_reader import read_package
from question_bank.formats.qti_writer import add, to_bytes
from question_bank.kinds.registry import KINDS
from question_bank.model import OPTION_LETTERS, Kind, Note, ParseResult, Question
from question_bank.rich import Rich

_ROOT = "questestinterop"


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the bytes are a `questestinterop` file, or a package of such."""
    if is_zip(content, name):
        return looks_like_package(content, "imsqti_xml") or holds_roots(content, re.compile(_ROOT))
    return root_name(content) == _ROOT


def read(content: bytes, *, name: str) -> ParseResult:
    """Return all questions of a file or package."""
    if is_zip(content, name):
        return read_package(content)
    root = parse_xml(content)
    if not is_tree(root):
        reason = f"这不是 QTI 1.2 题目文件（最外层是 {local(root)}，应为 questestinterop）。请确认选对了文件。"
        raise UnreadableFileError(reason)
    result = ParseResult("qti-1.2")
    read_tree(root, result, NO_FILES)
    return result


_NAMESPACE = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
_MANIFEST = "http://www.imsglobal.org/xsd/imscp_v1p1"
_TYPES = {kind.code: kind.codes["qti-1.2"] for kind in KINDS.values() if "qti-1.2" in kind.codes}
_LINE = re.compile("_{2,}")


def write(questions: Iterable[Question]) -> ExportedFile:
    """Return a package with one `questestinterop` file and the pictures; cases are noted as lost."""
    root = etree.Element("questestinterop")
    section = add(add(root, "assessment", ident="bank", title="题库"), "section", ident="root_section")
    dropped: list[Note] = []
    images: dict[str, bytes] = {}
    for number, where, question in writable(
        questions, "QTI 1.2", lambda one: one.kind in _TYPES and is_keyed(one), dropped
    ):
        images |= {f"images/{number:04d}/{image.name}": image.content for image in question.images}
        section.append(_item(question, number))
        if len(question.blanks) > 1 and len(_LINE.findall(question.stem)) != len(question.blanks):
            dropped.append(Note(where, "题干里的空和答案的个数不一致，多出的空放在题干后面。", "gaps_moved"))
    files = [PackageFile("questions.xml", "imsqti_xmlv1p2", to_bytes(root, _NAMESPACE), images)]
    return ExportedFile(write_zip(files, namespace=_MANIFEST, schema="IMS Content"), dropped)


def _item(question: Question, number: int) -> Element:
    item = etree.Element("item", ident=clean(question.code or f"bank-item-{number}"), title=f"题目 {number}")
    kind = "fill_in_multiple_blanks_question" if len(question.blanks) > 1 else _TYPES[question.kind]
    _metadata(item, question, kind)
    presentation = add(item, "presentation")
    stem = question.stem
    if len(question.blanks) > 1:
        stem = fill_lines(stem, (f"[blank{place}]" for place in range(1, len(question.blanks) + 1)))
    _material(presentation, stem, number, is_html=question.is_html)
    processing = etree.Element("resprocessing")
    add(add(processing, "outcomes"), "decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal")
    if question.explanation:
        condition = add(processing, "respcondition", continue_="Yes")
        add(add(condition, "conditionvar"), "other")
        add(condition, "displayfeedback", feedbacktype="Response", linkrefid="general_fb")
    _responses(presentation, processing, question, number)
    item.append(processing)
    if question.explanation:
        feedback = add(add(item, "itemfeedback", ident="general_fb"), "flow_mat")
        _material(feedback, question.explanation, number, is_html=question.is_html)
    if question.kind is Kind.SHORT_ANSWER and question.key:
        solution = add(add(item, "itemfeedback", ident="solution"), "solution")
        _material(add(add(solution, "solutionmaterial"), "flow_mat"), question.key[0], number, is_html=False)
    return item


def _metadata(item: Element, question: Question, kind: str) -> None:
    facts = {"question_type": kind, TAGS_LABEL: "\n".join(encode_tags(question))}
    if question.points is not None:
        facts["points_possible"] = f"{question.points:f}"
    metadata = add(add(item, "itemmetadata"), "qtimetadata")
    for label, entry in facts.items():
        if entry:
            field = add(metadata, "qtimetadatafield")
            add(field, "fieldlabel", label)
            add(field, "fieldentry", entry)


def _responses(presentation: Element, processing: Element, question: Question, number: int) -> None:
    if question.kind in {Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE, Kind.TRUE_FALSE}:
        _choice(presentation, processing, question, number)
    elif len(question.blanks) > 1:
        for place, variants in enumerate(question.blanks, start=1):
            _gap(presentation, processing, place, variants, share=100 // len(question.blanks))
    else:
        response = add(presentation, "response_str", ident="response1", rcardinality="Single")
        add(add(response, "render_fib"), "response_label", ident="answer1", rshuffle="No")
        condition = add(processing, "respcondition", continue_="No")
        test = add(condition, "conditionvar")
        for variant in question.blanks[0] if question.blanks else ():
            add(test, "varequal", variant, respident="response1")
        if question.blanks:
            add(condition, "setvar", "100", action="Set", varname="SCORE")
        else:
            add(test, "other")


def _choice(presentation: Element, processing: Element, question: Question, number: int) -> None:
    is_multiple = question.kind is Kind.MULTIPLE_CHOICE
    cardinality = "Multiple" if is_multiple else "Single"
    render = add(add(presentation, "response_lid", ident="response1", rcardinality=cardinality), "render_choice")
    is_html = question.is_html and question.kind is not Kind.TRUE_FALSE
    condition = etree.Element("respcondition", {"continue": "No"})
    test = add(condition, "conditionvar")
    holder = add(test, "and") if is_multiple else test
    for letter, option in zip(OPTION_LETTERS, question.options, strict=False):
        _material(add(render, "response_label", ident=letter), option, number, is_html=is_html)
        if letter in question.key:
            add(holder, "varequal", letter, respident="response1")
        elif is_multiple:
            add(add(holder, "not"), "varequal", letter, respident="response1")
    add(condition, "setvar", "100", action="Set", varname="SCORE")
    processing.append(condition)


def _gap(presentation: Element, processing: Element, place: int, variants: tuple[str, ...], *, share: int) -> None:
    name = f"blank{place}"
    response = add(presentation, "response_lid", ident=f"response_{name}")
    add(add(response, "material"), "mattext", name)
    render = add(response, "render_choice")
    for number, variant in enumerate(variants, start=1):
        label = add(render, "response_label", ident=f"{name}_{number}")
        add(add(label, "material"), "mattext", variant, texttype="text/plain")
        condition = add(processing, "respcondition")
        add(add(condition, "conditionvar"), "varequal", f"{name}_{number}", respident=f"response_{name}")
        add(condition, "setvar", str(share), varname="SCORE", action="Add")


def _material(parent: Element, wording: str, number: int, *, is_html: bool) -> None:
    text = (
        re.sub(r"([\"'])bank:", rf"\1$IMS-CC-FILEBASE$/images/{number:04d}/", wording)
        if is_html
        else Rich(wording).text
    )
    add(add(parent, "material"), "mattext", text, texttype="text/html" if is_html else "text/plain")
