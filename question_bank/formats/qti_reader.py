"""Read QTI 2.1, 2.2 and 3.0 (1EdTech): single items and packages."""

import re
from dataclasses import dataclass, field

from examapp.documents.archives import UnreadableFileError
from examapp.documents.safe_xml import Element, XIncludeError, local, parse_xml, place_of, root_name
from question_bank.formats.package import (
    MANIFEST,
    NO_FILES,
    Files,
    Package,
    holds_roots,
    is_zip,
    looks_like_package,
    open_package,
)
from question_bank.formats.qti12_items import idents_of, is_tree, read_tree
from question_bank.formats.qti_item import ROOTS, item_outcome, plain_name, unify_names, version_of
from question_bank.model import Note, ParseResult

_XML = (".xml", ".qti")
_NEEDED = (".xml", ".qti", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".bmp")
"""Files that a question may need; other files that a manifest lists may be missing."""
_ITEM = re.compile(rb"<(?:[\w.-]+:)?(?:assessmentItem|qti-assessment-item|questestinterop)\b")
_NO_QUESTIONS = "压缩包里没有能读的题目。支持 QTI 1.2、2.1、2.2、3.0 的题目包，请在原系统重新导出。"

_BODY = "class dir id label lang language role"
_ATTRIBUTES = {
    "assessmentItem": "identifier! title! adaptive label lang timeDependent toolName toolVersion",
    "responseDeclaration": "cardinality! identifier! baseType",
    "outcomeDeclaration": "cardinality! identifier! baseType externalScored interpretation longInterpretation masteryValue normalMaximum normalMinimum variableIdentifierRef view",
    "correctResponse": "interpretation",
    "defaultValue": "interpretation",
    "value": "baseType fieldIdentifier",
    "mapping": "defaultValue lowerBound upperBound",
    "mapEntry": "mapKey! mappedValue! caseSensitive",
    "itemBody": _BODY,
    "orderInteraction": f"{_BODY} responseIdentifier! maxChoices minChoices orientation shuffle",
    "choiceInteraction": f"{_BODY} responseIdentifier! maxChoices minChoices orientation shuffle",
    "simpleChoice": f"{_BODY} identifier! fixed showHide templateIdentifier",
    "inlineChoiceInteraction": f"{_BODY} responseIdentifier! minChoices required shuffle",
    "inlineChoice": f"{_BODY} identifier! fixed showHide templateIdentifier",
    "textEntryInteraction": f"{_BODY} responseIdentifier! base expectedLength format patternMask placeholderText stringIdentifier",
    "extendedTextInteraction": f"{_BODY} responseIdentifier! base expectedLength expectedLines format maxStrings minStrings patternMask placeholderText stringIdentifier",
    "modalFeedback": "identifier outcomeIdentifier showHide title",
    "feedbackBlock": f"{_BODY} identifier outcomeIdentifier showHide title",
    "feedbackInline": f"{_BODY} identifier outcomeIdentifier showHide title",
    "assessmentTest": "identifier! title toolName toolVersion",
    "testPart": "identifier! class navigationMode submissionMode title",
    "assessmentSection": "identifier! class fixed keepTogether required title visible",
    "assessmentItemRef": "href! identifier! category fixed required",
    "assessmentSectionRef": "category fixed href identifier required",
    "itemSessionControl": "allowComment allowReview allowSkipping maxAttempts showFeedback showSolution validateResponses",
}
"""Attributes that an element may have, those with `!` it must have (QTI 2.1, 2.2 and 3.0 by 1EdTech, as far as they are read)."""
_ALLOWED = {name: set(text.replace("!", "").split()) for name, text in _ATTRIBUTES.items()}
_REQUIRED = {name: {word[:-1] for word in text.split() if word.endswith("!")} for name, text in _ATTRIBUTES.items()}
_PARTS = {
    "assessmentItem": "apipAccessibility assessmentStimulusRef catalogInfo companionMaterialsInfo contextDeclaration "
    "itemBody itemFileInfo modalFeedback outcomeDeclaration responseDeclaration responseProcessing "
    "stylesheet templateDeclaration templateProcessing",
    "responseDeclaration": "areaMapping correctResponse defaultValue mapping",
    "correctResponse": "value",
    "mapping": "mapEntry",
    "assessmentTest": "contextDeclaration outcomeDeclaration outcomeProcessing rubricBlock stylesheet testFeedback testPart "
    "timeLimits",
    "testPart": "assessmentSection assessmentSectionRef branchRule itemSessionControl preCondition rubricBlock "
    "testFeedback timeLimits",
    "assessmentSection": "adaptiveSelection assessmentItemRef assessmentSection assessmentSectionRef branchRule include "
    "itemSessionControl ordering preCondition rubricBlock selection timeLimits",
}
"""Elements that an element may hold; others are not checked."""


def check_structure(root: Element, *, what: str) -> None:
    """Raise UnreadableFileError for the first breach, with its line."""
    for element in root.iter():
        name = local(element)
        if name not in _ALLOWED:
            continue
        if problem := _attribute_problem(element, name) or _part_problem(element, name):
            reason = f"{what}不符合 QTI 规范：{place_of(element)}{problem}。请改正，或在原系统重新导出。"
            raise UnreadableFileError(reason)


def _attribute_problem(element: Element, name: str) -> str:
    names = {str(key) for key in element.attrib if not str(key).startswith(("{", "data-", "aria-", "xmlns"))}
    unknown = sorted(names - _ALLOWED[name])
    if unknown:
        return f"有规范里没有的属性 {unknown[0]}"
    missing = sorted(_REQUIRED[name] - names)
    return f"缺少属性 {missing[0]}" if missing else ""


def _part_problem(element: Element, name: str) -> str:
    names = [local(child) for child in element] if name in _PARTS else []
    for child in names:
        if child not in _PARTS[name].split():
            return f"里不该有 {child}"
    return "有不止一个 itemBody" if name == "assessmentItem" and names.count("itemBody") > 1 else ""


@dataclass(slots=True)
class _State:
    """A package, while it is read."""

    package: Package
    result: ParseResult = field(default_factory=lambda: ParseResult("qti"))
    items: dict[str, Element] = field(default_factory=dict)
    trees: dict[str, Element] = field(default_factory=dict)
    tests: dict[str, Element] = field(default_factory=dict)
    included: set[str] = field(default_factory=set)
    """Files rejected because they include others (XInclude)."""


def read_package(content: bytes) -> ParseResult:
    """Return all questions of a package; a package that breaks its own manifest or schema is rejected as a whole."""
    state = _State(open_package(content))
    for path in _candidates(state.package):
        _sort(state, path)
    needed = _needed(state)
    _check_files(state, needed)
    for path in needed:
        if path not in state.items and path not in state.included:
            _sort(state, path)
    if not (state.items or state.trees or state.tests or state.result.rejected):
        raise UnreadableFileError(_NO_QUESTIONS)
    reason = "这个文件里有题目，清单（imsmanifest.xml）却没有列出，没有导入。请补进清单后重新导入。"
    archive, read = state.package.archive, {*state.items, *state.trees, *state.tests, *state.included}
    for path in archive.names:
        is_unread = path not in read and path.endswith(_XML) and not path.endswith(MANIFEST)
        if is_unread and _ITEM.search(archive.read(path)[:4000]):
            state.result.remarks.append(Note(path, reason, "not_listed"))
    keywords = {resource.href: list(resource.keywords) for resource in state.package.resources}
    for path, root in state.items.items():
        state.result.add(item_outcome(root, Files(state.package.archive, path), tags=keywords.get(path)))
    trees = _without_copies(state.trees)
    known = {ident for root in trees.values() for ident in idents_of(root)}
    for path, root in trees.items():
        read_tree(root, state.result, Files(state.package.archive, path), known=known)
    return state.result


def _candidates(package: Package) -> list[str]:
    """Return the XML files that may hold questions: those of the manifest, or all when there is none."""
    listed = [one for one in package.resources if one.type.startswith("imsqti")]
    if not listed:
        return [name for name in package.archive.names if name.endswith(_XML) and not name.endswith(MANIFEST)]
    paths = [one.href for one in listed] + [path for one in listed if not one.href for path in one.files]
    paths += [name for name in package.archive.names if name.endswith(".xml.qti")]
    return [path for path in dict.fromkeys(paths) if path.endswith(_XML) and path in package.archive]


def _sort(state: _State, path: str) -> None:
    """Put one file's root where it belongs; its version names the reading's format."""
    try:
        root = state.package.xml(path)
    except XIncludeError as error:
        state.included.add(path)
        state.result.rejected.append(Note(path, str(error), "xml_include"))
        return
    if is_tree(root):
        state.trees[path], state.result.format = root, "qti-1.2"
        return
    kind = plain_name(local(root))
    if kind not in {"assessmentItem", "assessmentTest", "assessmentSection"}:
        return
    version = version_of(root)
    unify_names(root)
    check_structure(root, what=f"压缩包里的“{path}”")
    state.result.format = f"qti-{version}"
    (state.items if kind == "assessmentItem" else state.tests)[path] = root


def _needed(state: _State) -> list[str]:
    """Return paths of the items and sections that the tests name."""
    archive = state.package.archive
    items = [one for one in state.package.resources if one.href in archive and "_item" in one.type]
    by_name = {one.identifier: one.href for one in reversed(items)}  # for a test whose path to an item is wrong
    found: list[str] = []
    queue = list(state.tests.items())
    seen = set(state.tests)
    while queue:
        path, root = queue.pop()
        for reference in root.iter("assessmentItemRef", "assessmentSectionRef"):
            href = reference.get("href", "")
            target = Files(archive, path).resolve(href) or by_name.get(reference.get("identifier", ""))
            if target is None:
                reason = f"压缩包缺少文件：试卷“{path}”用到的“{href}”不在压缩包里。请在原系统重新导出完整的压缩包。"
                raise UnreadableFileError(reason)
            if local(reference) == "assessmentItemRef":
                found.append(target)
            elif target not in seen:
                seen.add(target)
                _sort(state, target)
                queue.append((target, state.tests.get(target, root)))
    return list(dict.fromkeys(found))


def _check_files(state: _State, needed: list[str]) -> None:
    """Raise UnreadableFileError where a file that a test or question needs is missing; reject only the item that nothing needs."""
    archive = state.package.archive
    wanted = {name for one in state.package.resources if "_test" in one.type for name in one.depends_on}
    for resource in state.package.resources:
        if not resource.type.startswith("imsqti"):
            continue
        where = f"imsmanifest.xml：{resource.identifier}"
        missing = [path for path in dict.fromkeys([resource.href, *resource.files]) if path and path not in archive]
        for path in (path for path in missing if not path.lower().endswith(_NEEDED)):
            note = f"清单列了“{path}”，压缩包里却没有；题目用不到这类文件，没有影响。"
            state.result.remarks.append(Note(where, note, "file_missing"))
        missing = [one for one in missing if one.lower().endswith(_NEEDED) and not one.startswith(("http:", "https:"))]
        is_lone = "_test" not in resource.type and resource.identifier not in wanted and resource.href not in needed
        if missing and is_lone and resource.href in missing:
            note = f"清单（imsmanifest.xml）列了“{resource.href}”，压缩包里却没有这个文件。请补上后再导入。"
            state.result.rejected.append(Note(where, note, "item_missing"))
        elif missing:
            reason = f"压缩包缺少文件：清单（imsmanifest.xml）列了“{missing[0]}”，压缩包里却没有。请在原系统重新导出完整的压缩包。"
            raise UnreadableFileError(reason)


def _without_copies(trees: dict[str, Element]) -> dict[str, Element]:
    """Return the trees without copies: Canvas writes an assessment twice (`<id>.xml`, `non_cc_assessments/<id>.xml.qti`); the fuller one stays."""
    best: dict[str, tuple[str, int]] = {}
    for path, root in trees.items():
        assessment = next(root.iter("{*}assessment", "{*}objectbank"), None)
        name = assessment.get("ident", path) if assessment is not None else path
        count = sum(1 for _ in root.iter("{*}item"))
        if name not in best or count >= best[name][1]:
            best[name] = (path, count)
    kept = {path for path, _ in best.values()}
    return {path: root for path, root in trees.items() if path in kept}


_FILE_ROOT = re.compile(
    r"(?:qti-)?(?:assessment-?(?:item|test|section|stimulus|result)|response-?processing|outcome-?declaration)",
    re.IGNORECASE,
)

_TYPES = (
    "imsqti_item", "imsqti_test", "imsqti_section", "imsqti_assessment", "imsqti_pool", "imsqti_v", "imsqti_stimulus",
)  # fmt: skip
_ROOT = re.compile(r"(?:qti-)?assessment-?(?:item|test)", re.IGNORECASE)


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the bytes are a QTI 2 or 3 file, or a package of such."""
    if is_zip(content, name):
        return looks_like_package(content, *_TYPES) or holds_roots(content, _ROOT)
    return _FILE_ROOT.fullmatch(root_name(content)) is not None


def read(content: bytes, *, name: str) -> ParseResult:
    """Return all questions of an item file or a package; UnreadableFileError when it is broken or of no known version."""
    if is_zip(content, name):
        return read_package(content)
    return _read_root(parse_xml(content))


def _read_root(root: Element) -> ParseResult:
    """Return the question of a single file's root element."""
    if local(root) == "manifest":
        raise UnreadableFileError("这是内容包的清单（imsmanifest.xml），题目在它列出的文件里。请上传整个压缩包。")
    if "esult" in local(root) or local(root) == "usageData":
        reason = f"这是 QTI 的作答结果或统计文件（{local(root)}），里面没有题目。请上传题目文件或整个压缩包。"
        raise UnreadableFileError(reason)
    if plain_name(local(root)) not in ROOTS:
        raise UnreadableFileError(f"这不是 QTI 题目文件（最外层是 {local(root)}）。请确认选对了文件。")
    result = ParseResult(f"qti-{version_of(root)}")
    unify_names(root)
    kind = local(root)
    if kind in {"assessmentTest", "assessmentSection"}:
        check_structure(root, what="试卷文件")
        note = "这是 QTI 试卷的结构，题目在它引用的文件里。请上传包含题目的整个压缩包。"
        result.remarks.append(Note(f"/{kind}", note, "no_questions"))
    elif kind == "assessmentStimulus":
        note = "这是几道题共用的材料，题目在别的文件里。请上传整个压缩包。"
        result.remarks.append(Note(f"/{kind}", note, "no_questions"))
    elif kind == "assessmentItem":
        check_structure(root, what="文件")
        result.add(item_outcome(root, NO_FILES))
    else:
        raise UnreadableFileError(f"这是 QTI 的 {kind} 文件，里面没有题目。请上传题目文件或整个压缩包。")
    return result
