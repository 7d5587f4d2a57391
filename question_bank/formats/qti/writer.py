"""Write QTI 2.1, 2.2 and 3.0 packages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree

from examapp.documents.archives import UnreadableFileError
from examapp.documents.safe_xml import Element, local, place_of
from question_bank.formats.export import ExportedFile, encode_part_tags, encode_tags, not_exported
from question_bank.formats.package import PackageFile, write_zip
from question_bank.formats.qti.item_writer import item_of, to_bytes, to_version_3
from question_bank.model import Kind, Question
from question_bank.parse_result import Note

_BODY = {"id", "class", "lang", "label", "dir", "role", "language"}
_VARIABLE = {"identifier", "cardinality", "baseType"}
_REF = {"identifier", "href", "required", "fixed", "category"}
_BLOCK = {"outcomeIdentifier", "showHide", "identifier", "title"}

_ALLOWED: dict[str, set[str]] = {
    "assessmentItem": {"identifier", "title", "label", "lang", "adaptive", "timeDependent", "toolName", "toolVersion"},
    "responseDeclaration": _VARIABLE,
    "outcomeDeclaration": _VARIABLE
    | {
        "view", "interpretation", "longInterpretation", "normalMaximum", "normalMinimum", "masteryValue", "externalScored",
        "variableIdentifierRef",
    },
    "correctResponse": {"interpretation"},
    "defaultValue": {"interpretation"},
    "value": {"fieldIdentifier", "baseType"},
    "mapping": {"lowerBound", "upperBound", "defaultValue"},
    "mapEntry": {"mapKey", "mappedValue", "caseSensitive"},
    "itemBody": _BODY,
    "orderInteraction": _BODY | {"responseIdentifier", "shuffle", "maxChoices", "minChoices", "orientation"},
    "choiceInteraction": _BODY | {"responseIdentifier", "shuffle", "maxChoices", "minChoices", "orientation"},
    "simpleChoice": _BODY | {"identifier", "fixed", "templateIdentifier", "showHide"},
    "inlineChoiceInteraction": _BODY | {"responseIdentifier", "shuffle", "required", "minChoices"},
    "inlineChoice": _BODY | {"identifier", "fixed", "templateIdentifier", "showHide"},
    "textEntryInteraction": _BODY
    | {"responseIdentifier", "base", "stringIdentifier", "expectedLength", "patternMask", "placeholderText", "format"},
    "extendedTextInteraction": _BODY
    | {
        "responseIdentifier", "base", "stringIdentifier", "expectedLength", "patternMask", "placeholderText", "maxStrings",
        "minStrings", "expectedLines", "format",
    },
    "modalFeedback": _BLOCK,
    "feedbackBlock": _BODY | _BLOCK,
    "feedbackInline": _BODY | _BLOCK,
    "assessmentTest": {"identifier", "title", "toolName", "toolVersion"},
    "testPart": {"identifier", "navigationMode", "submissionMode", "title", "class"},
    "assessmentSection": {"identifier", "title", "visible", "required", "fixed", "keepTogether", "class"},
    "assessmentItemRef": _REF,
    "assessmentSectionRef": _REF,
    "itemSessionControl": {
        "maxAttempts", "showFeedback", "allowReview", "showSolution", "allowComment", "allowSkipping", "validateResponses",
    },
}  # fmt: skip
_REQUIRED: dict[str, set[str]] = {
    "assessmentItem": {"identifier", "title"},
    "responseDeclaration": {"identifier", "cardinality"},
    "outcomeDeclaration": {"identifier", "cardinality"},
    "mapEntry": {"mapKey", "mappedValue"},
    "choiceInteraction": {"responseIdentifier"},
    "orderInteraction": {"responseIdentifier"},
    "simpleChoice": {"identifier"},
    "inlineChoiceInteraction": {"responseIdentifier"},
    "inlineChoice": {"identifier"},
    "textEntryInteraction": {"responseIdentifier"},
    "extendedTextInteraction": {"responseIdentifier"},
    "assessmentTest": {"identifier"},
    "testPart": {"identifier"},
    "assessmentSection": {"identifier"},
    "assessmentItemRef": {"identifier", "href"},
}
_PARTS: dict[str, set[str]] = {
    "assessmentItem": {
        "contextDeclaration", "responseDeclaration", "outcomeDeclaration", "templateDeclaration", "templateProcessing",
        "assessmentStimulusRef", "stylesheet", "itemBody", "companionMaterialsInfo", "catalogInfo", "responseProcessing",
        "modalFeedback", "apipAccessibility", "itemFileInfo",
    },
    "responseDeclaration": {"defaultValue", "correctResponse", "mapping", "areaMapping"},
    "correctResponse": {"value"},
    "mapping": {"mapEntry"},
    "assessmentTest": {
        "contextDeclaration", "outcomeDeclaration", "timeLimits", "stylesheet", "rubricBlock", "testPart", "outcomeProcessing",
        "testFeedback",
    },
    "testPart": {
        "preCondition", "branchRule", "itemSessionControl", "timeLimits", "rubricBlock", "assessmentSection",
        "assessmentSectionRef", "testFeedback",
    },
    "assessmentSection": {
        "preCondition", "branchRule", "itemSessionControl", "timeLimits", "selection", "ordering", "rubricBlock",
        "assessmentItemRef", "assessmentSection", "assessmentSectionRef", "adaptiveSelection", "include",
    },
}  # fmt: skip


def check_structure(root: Element, *, what: str) -> None:
    """Raise UnreadableFileError for the first breach, with its line."""
    for element in root.iter():
        name = local(element)
        if name not in _ALLOWED:
            continue
        problem = _attribute_problem(element, name) or _part_problem(element, name)
        if problem:
            raise UnreadableFileError(
                f"{what}不符合 QTI 规范：{place_of(element)}{problem}。请改正，或在原系统重新导出。"
            )


def _attribute_problem(element: Element, name: str) -> str:
    names = {str(key) for key in element.attrib if not str(key).startswith(("{", "data-", "aria-", "xmlns"))}
    unknown = sorted(names - _ALLOWED[name])
    if unknown:
        return f"有规范里没有的属性 {unknown[0]}"
    missing = sorted(_REQUIRED.get(name, set()) - names)
    return f"缺少属性 {missing[0]}" if missing else ""


def _part_problem(element: Element, name: str) -> str:
    allowed = _PARTS.get(name)
    if allowed is None:
        return ""
    for child in element:
        if local(child) not in allowed:
            return f"里不该有 {local(child)}"
    if name == "assessmentItem" and sum(1 for child in element if local(child) == "itemBody") > 1:
        return "有不止一个 itemBody"
    return ""


@dataclass(frozen=True, slots=True)
class _Version:
    """What differs between the versions."""

    namespace: str
    templates: str
    template_end: str
    manifest: str
    type: str
    schema: str


VERSIONS = {
    "2.1": _Version(
        "http://www.imsglobal.org/xsd/imsqti_v2p1", "http://www.imsglobal.org/question/qti_v2p1/rptemplates/", "",
        "http://www.imsglobal.org/xsd/imscp_v1p1", "imsqti_item_xmlv2p1", "QTIv2.1 Package",
    ),
    "2.2": _Version(
        "http://www.imsglobal.org/xsd/imsqti_v2p2", "http://www.imsglobal.org/question/qti_v2p2/rptemplates/", "",
        "http://www.imsglobal.org/xsd/imscp_v1p1", "imsqti_item_xmlv2p2", "QTIv2.2 Package",
    ),
    "3.0": _Version(
        "http://www.imsglobal.org/xsd/imsqtiasi_v3p0", "https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/", ".xml",
        "http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1", "imsqti_item_xmlv3p0", "QTI Package",
    ),
}  # fmt: skip


def write(questions: Iterable[Question], version: str = "3.0") -> ExportedFile:
    """Return a package of items with their pictures; what the items cannot say is named."""
    facts = VERSIONS[version]
    losses: list[Note] = []
    files: list[PackageFile] = []
    for number, question in enumerate(questions, start=1):
        where = f"第 {number} 题"
        if not _can_say(question):
            losses.append(not_exported(where, question, f"QTI {version}"))
            continue
        losses += _losses(where, question)
        path = f"items/{number:04d}.xml"
        images = [
            (f"images/{number:04d}/{image.name}", image.content)
            for one in [question, *question.parts]
            for image in one.images
        ]
        content = _item(question, number, version)
        files.append(
            PackageFile(path, facts.type, content, dict(images), [*encode_tags(question), *encode_part_tags(question)])
        )
    return ExportedFile(write_zip(files, namespace=facts.manifest, schema=facts.schema), losses)


def write_item(question: Question, version: str = "3.0") -> bytes:
    """Return one question as a single item file, without its pictures."""
    return _item(question, 1, version)


def write_qti21(questions: Iterable[Question]) -> ExportedFile:
    """Return a QTI 2.1 package."""
    return write(questions, "2.1")


def write_qti22(questions: Iterable[Question]) -> ExportedFile:
    """Return a QTI 2.2 package."""
    return write(questions, "2.2")


def write_qti30(questions: Iterable[Question]) -> ExportedFile:
    """Return a QTI 3.0 package."""
    return write(questions, "3.0")


def _item(question: Question, number: int, version: str) -> bytes:
    facts = VERSIONS[version]
    root = item_of(question, number, match_template=f"{facts.templates}match_correct{facts.template_end}")
    if version == "3.0":
        for feedback in root.iter("modalFeedback"):
            body = etree.Element("contentBody")
            body.text, feedback.text = feedback.text, None
            for child in list(feedback):
                body.append(child)
            feedback.append(body)
        to_version_3(root)
    return to_bytes(root, facts.namespace)


def _can_say(question: Question) -> bool:
    if question.kind is Kind.CASE:
        return bool(question.parts) and all(_can_say(part) for part in question.parts)
    if question.kind is Kind.FILL_BLANK:
        return bool(question.blanks) and all(question.blanks)
    return bool(question.key) or question.kind is Kind.SHORT_ANSWER


def _losses(where: str, question: Question) -> list[Note]:
    notes: list[Note] = []
    for place, part in enumerate(question.parts, start=1):
        spot = f"{where}第 {place} 小题"
        if part.kind is Kind.FILL_BLANK:
            note = "案例题里的填空小题写进了材料正文，再导入时每一空成为一道小题。"
            notes.append(Note(spot, note, "fill_in_case"))
    return notes
