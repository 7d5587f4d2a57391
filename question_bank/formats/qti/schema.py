"""What the QTI schemas forbid: unknown attributes and parts, and missing ones, in the structure (not in the HTML)."""

from __future__ import annotations

from question_bank.formats.xml_location import local, place_of
from question_bank.formats.xml_safety import Element
from question_bank.parse_result import UnreadableFileError

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
