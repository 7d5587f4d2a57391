"""One vocabulary for all versions: QTI 3.0's `qti-simple-choice` is read as QTI 2's `simpleChoice`."""

from __future__ import annotations

import re

from lxml import etree

from question_bank.formats.xml_location import local
from question_bank.formats.xml_safety import Element
from question_bank.parse_result import UnreadableFileError

_HYPHEN = re.compile(r"-([a-z0-9])")
_VERSION = re.compile(r"imsqti(?:asi)?_(?:item_|test_)?v(?P<major>[23])p(?P<minor>\d)")
_MATH = "http://www.w3.org/1998/Math/MathML"
_ROOTS = frozenset(
    {
        "assessmentItem", "assessmentTest", "assessmentSection", "assessmentStimulus", "assessmentItemRef", "responseProcessing",
        "outcomeDeclaration", "assessmentResult", "usageData",
    }
)  # fmt: skip


def version_of(root: Element) -> str:
    """`2.1`, `2.2`, `3.0` by the root's namespace; UnreadableFileError when it names no known version."""
    namespace = etree.QName(root).namespace or ""
    found = _VERSION.search(namespace)
    if found is None:
        said = f"命名空间是“{namespace[:80]}”" if namespace else "根元素没有命名空间"
        raise UnreadableFileError(f"看不出 QTI 的版本（{said}）。支持 QTI 1.2、2.1、2.2 和 3.0，请在原系统重新导出。")
    return f"{found.group('major')}.{found.group('minor')}"


def is_qti_name(root: Element) -> bool:
    """Whether the root's name is one of QTI 2 or 3, whatever its namespace."""
    return plain_name(etree.QName(root).localname) in _ROOTS


def plain_name(name: str) -> str:
    """A name of QTI 3.0 as QTI 2 writes it."""
    return _camel(name.removeprefix("qti-")) if re.match("qti-[a-z]", name) else name


def unify_names(root: Element) -> None:
    """Rename, in place, all elements and attributes to QTI 2's names without namespaces; MathML stays `math`, others go."""
    for element in root.iter():
        if not local(element):
            continue
        name = etree.QName(element)
        element.tag = plain_name(name.localname)
        if name.namespace == _MATH and name.localname != "math":
            element.tag = f"math-{name.localname}"
        if name.localname.startswith("qti-") and element.tag != name.localname:
            _unify_attributes(element)


def _unify_attributes(element: Element) -> None:
    for key, value in list(element.attrib.items()):
        plain = str(key)
        if "-" in plain and not plain.startswith(("{", "data-", "aria-")):
            del element.attrib[key]
            element.set(_camel(plain), value)


def _camel(name: str) -> str:
    return _HYPHEN.sub(lambda match: match.group(1).upper(), name)
