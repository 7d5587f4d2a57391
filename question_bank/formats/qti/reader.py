"""Reading QTI 2.1, 2.2 and 3.0: a single item or a package."""

from __future__ import annotations

import re

from question_bank.formats.files import NO_FILES
from question_bank.formats.package import holds_roots, is_zip, looks_like_package
from question_bank.formats.parsed import add_outcome
from question_bank.formats.qti.item import item_outcome
from question_bank.formats.qti.names import is_qti_name, unify_names, version_of
from question_bank.formats.qti.packages import read_package
from question_bank.formats.qti.schema import check_structure
from question_bank.formats.xml_location import local
from question_bank.formats.xml_safety import Element, head_of, looks_like_xml, parse_xml
from question_bank.parse_result import Note, ParseResult, UnreadableFileError

_HEAD = re.compile(
    r"<(?:\w+:)?(?:qti-)?(?:assessment-?(?:item|test|section|stimulus|result)|response-?processing|outcome-?declaration)\b",
    re.IGNORECASE,
)

_TYPES = (
    "imsqti_item", "imsqti_test", "imsqti_section", "imsqti_assessment", "imsqti_pool", "imsqti_v", "imsqti_stimulus",
)  # fmt: skip
_ROOT = re.compile(rb"<(?:\w+:)?(?:qti-)?assessment-?(?:item|test)\b", re.IGNORECASE)


def looks_like(content: bytes, name: str) -> bool:
    """Whether the bytes are a QTI 2 or 3 file, or a package of such."""
    if is_zip(content, name):
        return looks_like_package(content, *_TYPES) or holds_roots(content, _ROOT)
    return looks_like_xml(content) and _HEAD.search(head_of(content)) is not None


def read(content: bytes, *, name: str) -> ParseResult:
    """All questions of an item file or a package; UnreadableFileError when it is broken or of no known version."""
    if is_zip(content, name):
        return read_package(content)
    return read_root(parse_xml(content))


def read_root(root: Element) -> ParseResult:
    """The question of a single file's root element."""
    if local(root) == "manifest":
        raise UnreadableFileError("这是内容包的清单（imsmanifest.xml），题目在它列出的文件里。请上传整个压缩包。")
    if "esult" in local(root) or local(root) == "usageData":
        raise UnreadableFileError(
            f"这是 QTI 的作答结果或统计文件（{local(root)}），里面没有题目。请上传题目文件或整个压缩包。"
        )
    if not is_qti_name(root):
        raise UnreadableFileError(f"这不是 QTI 题目文件（最外层是 {local(root)}）。请确认选对了文件。")
    reading = ParseResult(f"qti-{version_of(root)}")
    unify_names(root)
    kind = local(root)
    if kind in {"assessmentTest", "assessmentSection"}:
        check_structure(root, what="试卷文件")
        note = "这是 QTI 试卷的结构，题目在它引用的文件里。请上传包含题目的整个压缩包。"
        reading.remarks.append(Note(f"/{kind}", note, "no_questions"))
    elif kind == "assessmentStimulus":
        reading.remarks.append(
            Note(f"/{kind}", "这是几道题共用的材料，题目在别的文件里。请上传整个压缩包。", "no_questions")
        )
    elif kind == "assessmentItem":
        check_structure(root, what="文件")
        add_outcome(reading, item_outcome(root, NO_FILES))
    else:
        raise UnreadableFileError(f"这是 QTI 的 {kind} 文件，里面没有题目。请上传题目文件或整个压缩包。")
    return reading
