"""Reading QTI 1.2 files and packages."""

from __future__ import annotations

import re

from question_bank.formats.files import NO_FILES
from question_bank.formats.package import holds_roots, is_zip, looks_like_package
from question_bank.formats.qti.packages import read_package
from question_bank.formats.qti12_items.tree import is_tree, read_tree
from question_bank.formats.xml_location import local
from question_bank.formats.xml_safety import head_of, looks_like_xml, parse_xml
from question_bank.parse_result import ParseResult, UnreadableFileError

_ROOT = re.compile(rb"<(?:\w+:)?questestinterop\b")


def looks_like(content: bytes, name: str) -> bool:
    """Whether the bytes are a `questestinterop` file, or a package of such."""
    if is_zip(content, name):
        return looks_like_package(content, "imsqti_xml") or holds_roots(content, _ROOT)
    return looks_like_xml(content) and re.search(r"<(?:\w+:)?questestinterop\b", head_of(content)) is not None


def read(content: bytes, *, name: str) -> ParseResult:
    """All questions of a file or package."""
    if is_zip(content, name):
        return read_package(content)
    root = parse_xml(content)
    if not is_tree(root):
        raise UnreadableFileError(
            f"这不是 QTI 1.2 题目文件（最外层是 {local(root)}，应为 questestinterop）。请确认选对了文件。"
        )
    reading = ParseResult("qti-1.2")
    read_tree(root, reading, NO_FILES)
    return reading
