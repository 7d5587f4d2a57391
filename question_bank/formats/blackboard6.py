"""Read question pools and tests of Blackboard 6 and later: `questestinterop` with Blackboard's own metadata, in .dat files of a package or alone."""

import re
from collections.abc import Callable

from examapp.documents.archives import MAX_PACKAGE_ENTRIES, UnreadableFileError, open_archive
from examapp.documents.safe_xml import Element, local, parse_xml, root_name
from question_bank.formats.package import is_zip
from question_bank.formats.parsed import ParsedQuestion, parse_points, truth_index, unsupported_kind
from question_bank.formats.pictures import attach_images, no_files
from question_bank.model import Kind, Outcome, ParseResult
from question_bank.rich import Rich, guessed, html_to_text

_MARK = re.compile(rb"<bbmd_(?:questiontype|assessmenttype|asi_object_id)\b")
_LABELS = {
    "matching": "连线题（配对题）", "ordering": "排序题", "numeric": "数值范围题", "calculated": "计算公式题", "hot spot": "热区题（图上点选）",
    "file upload": "上传文件题", "jumbled sentence": "句子重组题", "quiz bowl": "抢答题", "opinion scale": "量表题",
    "fill in the blank plus": "多空填空题",
}  # fmt: skip
_TRUE_IDENT = re.compile(r"(?:^|\.)(true|yes|right|agree|false|no|wrong|disagree)$", re.IGNORECASE)


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the bytes are such a file, or a package with one."""
    if not is_zip(content, name):
        return _is_pool(content)
    try:
        archive = open_archive(content, max_entries=MAX_PACKAGE_ENTRIES)
        return any(_is_pool(archive.read(entry)) for entry in archive.names if entry.endswith(".dat"))
    except UnreadableFileError:
        return False


def _is_pool(content: bytes) -> bool:
    return root_name(content) == "questestinterop" and _MARK.search(content) is not None


def read(content: bytes, *, name: str) -> ParseResult:
    """Return all questions of a pool, a test, or a package of them."""
    result = ParseResult("blackboard-6")
    if not is_zip(content, name):
        _read_tree(parse_xml(content), result, "")
        return result
    archive = open_archive(content, max_entries=MAX_PACKAGE_ENTRIES)
    for entry in archive.names:
        if entry.endswith(".dat") and _is_pool(archive.read(entry)):
            _read_tree(parse_xml(archive.read(entry), what=f"压缩包里的“{entry}”"), result, f"{entry}：")
    return result


def _read_tree(root: Element, result: ParseResult, prefix: str) -> None:
    for number, item in enumerate(_all(root, "item"), 1):
        result.add(_outcome(item, f"{prefix}第 {number} 题"))


def _all(element: Element, *names: str) -> list[Element]:
    return [one for one in element.iter() if isinstance(one.tag, str) and local(one) in names]


def _word(element: Element, name: str) -> str:
    return next(((one.text or "").strip() for one in _all(element, name)), "")


def _outcome(item: Element, where: str) -> Outcome:
    kind = _word(item, "bbmd_questiontype").lower()
    filler = _FILLERS.get(kind)
    if filler is None:
        return unsupported_kind(where, _LABELS.get(kind, kind or "没有写明题型的题"))
    parsed = ParsedQuestion(
        where=where, kind=Kind.SHORT_ANSWER, points=parse_points(_word(item, "qmd_absolutescore_max"))
    )
    blocks = [one for one in _all(item, "flow") if one.get("class") == "QUESTION_BLOCK"]
    parsed.stem = attach_images(parsed, _rich(blocks[0] if blocks else item), no_files)
    for feedback in _all(item, "itemfeedback"):
        text = _rich(feedback)
        if (
            not feedback.get("ident", "").startswith("solution")
            and not text.is_blank
            and text not in parsed.explanation
        ):
            parsed.explanation.append(text)
    filler(parsed, item)
    return parsed.validate()


def _rich(element: Element) -> Rich:
    """Return the text of a block, formatted or plain."""
    texts = [(one.text or "").strip() for one in _all(element, "mat_formattedtext", "mattext")]
    return guessed("\n".join(filter(None, texts)))


def _right(item: Element) -> list[str]:
    """Return the values that the condition of a right answer names, those within `not` left out."""
    found: list[str] = []
    for condition in _all(item, "respcondition"):
        if condition.get("title", "").lower() != "correct":
            continue
        for value in _all(condition, "varequal"):
            is_negated = any(local(one) == "not" for one in value.iterancestors() if isinstance(one.tag, str))
            if not is_negated and value.text:
                found.append(value.text.strip())
    return found


def _fill_choice(parsed: ParsedQuestion, item: Element) -> None:
    is_multiple = _word(item, "bbmd_questiontype").lower() == "multiple answer"
    parsed.kind = Kind.MULTIPLE_CHOICE if is_multiple else Kind.SINGLE_CHOICE
    labels = _all(item, "response_label")
    names = [label.get("ident", "") for label in labels]
    parsed.options = [attach_images(parsed, _rich(label), no_files) for label in labels]
    right = _right(item)
    if any(name not in names for name in right) or len(set(names)) != len(names):
        parsed.require_review("key_outside_options", "答案指向不存在的选项。请核对答案。")
    else:
        parsed.right = sorted({names.index(name) for name in right})


def _fill_true_false(parsed: ParsedQuestion, item: Element) -> None:
    parsed.kind = Kind.TRUE_FALSE
    for name in _right(item):
        match = _TRUE_IDENT.search(name)
        said = {"true": 0, "yes": 0, "right": 0, "agree": 0}.get(match[1].lower(), 1) if match else truth_index(name)
        parsed.right += [said] if said is not None else []


def _fill_blank(parsed: ParsedQuestion, item: Element) -> None:
    parsed.kind = Kind.FILL_BLANK
    conditions = [one for one in _all(item, "respcondition") if one.get("title", "").lower() != "incorrect"]
    texts = [(value.text or "").strip() for one in conditions for value in _all(one, "varequal", "varsubset")]
    variants = tuple(dict.fromkeys(filter(None, texts)))
    parsed.blanks = [variants] if variants else []
    if any(_all(one, "varsubset") for one in conditions):
        parsed.add_dropped("contains_as_equal", "原来只要包含答案就算对，导入后要与答案相同才算对。")


def _fill_text(parsed: ParsedQuestion, item: Element) -> None:
    solutions = [one for one in _all(item, "itemfeedback") if one.get("ident", "").startswith("solution")]
    parsed.answer = "\n".join(html_to_text(_rich(one).fragment) for one in solutions).strip()


_FILLERS: dict[str, Callable[[ParsedQuestion, Element], None]] = {
    "multiple choice": _fill_choice,
    "multiple answer": _fill_choice,
    "true/false": _fill_true_false,
    "either/or": _fill_true_false,
    "fill in the blank": _fill_blank,
    "essay": _fill_text,
    "short response": _fill_text,
}
