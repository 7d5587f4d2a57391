"""Blackboard's older question pools: a `POOL` file (.dat), alone or in a package; and the text with a question on each line that it takes in."""

import re
from collections.abc import Callable
from pathlib import PurePath

from examapp.documents.archives import MAX_PACKAGE_ENTRIES, UnreadableFileError, open_archive
from examapp.documents.decoding import decode_plain_text, read_count, text_head
from examapp.documents.safe_xml import Element, child_text, children, local, parse_xml, root_name
from question_bank.formats.package import is_zip
from question_bank.formats.parsed import ParsedQuestion, parse_points, truth_index, unsupported_kind
from question_bank.formats.pictures import attach_images, no_files
from question_bank.model import Kind, Note, Outcome, ParseResult
from question_bank.rich import Rich, guessed

_UNSUPPORTED = {
    "QUESTION_MATCH": "连线题（配对题）",
    "QUESTION_ORDER": "排序题",
    "QUESTION_NUMERIC": "数值范围题",
    "QUESTION_CALCULATED": "计算公式题",
    "QUESTION_HOTSPOT": "热区题（图上点选）",
    "QUESTION_FILEUPLOAD": "上传文件题",
    "QUESTION_JUMBLEDSENTENCE": "句子重组题",
    "QUESTION_QUIZBOWL": "抢答题",
    "QUESTION_OPINIONSCALE": "量表题",
}


def looks_like(content: bytes, name: str) -> bool:
    """Return whether the bytes are a pool, or a package with one."""
    if is_zip(content, name):
        try:
            archive = open_archive(content, max_entries=MAX_PACKAGE_ENTRIES)
        except UnreadableFileError:
            return False
        return any(entry.endswith(".dat") and _is_pool(archive.read(entry)) for entry in archive.names)
    return _is_pool(content)


def _is_pool(content: bytes) -> bool:
    return root_name(content) == "POOL"


def read(content: bytes, *, name: str) -> ParseResult:
    """Return all questions of a pool or a package of pools."""
    result = ParseResult("blackboard")
    if not is_zip(content, name):
        _read_pool(parse_xml(content), result, "")
        return result
    archive = open_archive(content, max_entries=MAX_PACKAGE_ENTRIES)
    pools = [entry for entry in archive.names if entry.endswith(".dat") and _is_pool(archive.read(entry))]
    if not pools:
        raise UnreadableFileError("压缩包里没有 Blackboard 题库（POOL）。请在 Blackboard 里导出题库后再上传。")
    for entry in pools:
        _read_pool(parse_xml(archive.read(entry), what=f"压缩包里的“{entry}”"), result, f"{entry}：")
    return result


def _read_pool(root: Element, result: ParseResult, prefix: str) -> None:
    if local(root) != "POOL":
        reason = f"这不是 Blackboard 题库文件（最外层是 {local(root)}，应为 POOL）。请确认选对了文件。"
        raise UnreadableFileError(reason)
    listed = {one.get("id", ""): one.get("points") for part in children(root, "QUESTIONLIST") for one in part}
    seen: set[str] = set()
    for element in root:
        kind = local(element)
        if not kind.startswith("QUESTION_"):
            continue
        name = element.get("id", "")
        seen.add(name)
        where = f"{prefix}/POOL/{kind}[@id='{name}']（第 {element.sourceline} 行）"
        result.add(_outcome(element, kind, where, listed.get(name)))
    for name in listed:
        if name not in seen:
            note = f"题目清单列了“{name}”，文件里却没有这道题。请重新导出。"
            result.rejected.append(Note(f"{prefix}/POOL/QUESTIONLIST", note, "item_missing"))


def _outcome(element: Element, kind: str, where: str, points: str | None) -> Outcome:
    filler = _FILLERS.get(kind)
    if filler is None:
        return unsupported_kind(where, _UNSUPPORTED.get(kind, kind))
    parsed = ParsedQuestion(where=where, kind=Kind.SHORT_ANSWER, code=element.get("id"), points=parse_points(points))
    body = next(iter(children(element, "BODY")), element)
    is_html = any(flag.get("value") == "true" for flag in body.iter("ISHTML"))
    parsed.stem = attach_images(parsed, Rich(child_text(body, "TEXT").strip(), is_html), no_files)
    for name in ("FEEDBACK_WHEN_CORRECT", "FEEDBACK_WHEN_INCORRECT"):
        parsed.explanation.append(Rich(child_text(element, "GRADABLE", name).strip(), is_html))
    filler(parsed, element, is_html)
    return parsed.validate()


def _answers(element: Element) -> list[Element]:
    """Return the answers in the order of their `position`, as the pool shows them."""
    answers = children(element, "ANSWER")
    places = [read_count(answer.get("position"), -1) for answer in answers]
    if -1 in places:
        return answers
    return [answer for _, answer in sorted(zip(places, answers, strict=True), key=lambda pair: pair[0])]


def _text(element: Element, is_html: bool) -> list[str]:
    text = (Rich(child_text(answer, "TEXT").strip(), is_html).plain for answer in _answers(element))
    return [word for word in text if word]


def _right(element: Element) -> list[str]:
    gradable = children(element, "GRADABLE")
    return [one.get("answer_id", "") for part in gradable for one in children(part, "CORRECTANSWER")]


def _fill_choice(parsed: ParsedQuestion, element: Element, is_html: bool) -> None:
    answers = _answers(element)
    names = [answer.get("id", "") for answer in answers]
    parsed.kind = Kind.MULTIPLE_CHOICE if local(element) == "QUESTION_MULTIPLEANSWER" else Kind.SINGLE_CHOICE
    parsed.options = [attach_images(parsed, Rich(child_text(a, "TEXT").strip(), is_html), no_files) for a in answers]
    right = _right(element)
    if any(name not in names for name in right) or len(set(names)) != len(names):
        parsed.require_review("key_outside_options", "答案指向不存在的选项。请核对答案。")
    else:
        parsed.right = [names.index(name) for name in right]


def _fill_true_false(parsed: ParsedQuestion, element: Element, is_html: bool) -> None:
    parsed.kind = Kind.TRUE_FALSE
    text = {answer.get("id", ""): child_text(answer, "TEXT") for answer in children(element, "ANSWER")}
    said = (truth_index(text.get(name, "")) for name in _right(element))
    parsed.right += [index for index in said if index is not None]


def _fill_blank(parsed: ParsedQuestion, element: Element, is_html: bool) -> None:
    parsed.kind = Kind.FILL_BLANK
    variants = tuple(dict.fromkeys(_text(element, is_html)))
    parsed.blanks = [variants] if variants else []


def _fill_essay(parsed: ParsedQuestion, element: Element, is_html: bool) -> None:
    parsed.answer = "\n".join(_text(element, is_html))


_FILLERS: dict[str, Callable[[ParsedQuestion, Element, bool], None]] = {
    "QUESTION_MULTIPLECHOICE": _fill_choice,
    "QUESTION_MULTIPLEANSWER": _fill_choice,
    "QUESTION_TRUEFALSE": _fill_true_false,
    "QUESTION_EITHEROR": _fill_true_false,
    "QUESTION_FILLINBLANK": _fill_blank,
    "QUESTION_ESSAY": _fill_essay,
    "QUESTION_SHORTRESPONSE": _fill_essay,
}


_LINE = re.compile(r"(MC|MA|TF|ESS|SR|FIB|ORD|MAT|NUM|FIB_PLUS|JUMBLED_SENTENCE|QUIZ_BOWL|OP|FIL)\t[^\t]")
_LINE_KINDS = {
    "MC": Kind.SINGLE_CHOICE, "MA": Kind.MULTIPLE_CHOICE, "TF": Kind.TRUE_FALSE, "ESS": Kind.SHORT_ANSWER,
    "SR": Kind.SHORT_ANSWER, "FIB": Kind.FILL_BLANK, "ORD": Kind.ORDERING,
}  # fmt: skip
_UNSUPPORTED = {
    "MAT": "连线题（配对题）",
    "NUM": "数值范围题",
    "OP": "意见题",
    "FIL": "上传文件题",
    "FIB_PLUS": "多空填空题",
}


def looks_like_lines(content: bytes, name: str) -> bool:
    """Return whether a text has a question on each line, its code and its fields parted by tabs, as Blackboard takes them in."""
    if PurePath(name).suffix.lower() not in {".txt", ".tsv", ""} or b"\t" not in content[:10_000]:
        return False
    lines = [line for line in text_head(content, size=10_000).split("\n")[:40] if line.strip()]
    return bool(lines) and all(_LINE.match(line.lstrip("\ufeff")) for line in lines)


def read_lines(content: bytes, *, name: str) -> ParseResult:
    """Return all questions of a text with one on each line: code, stem, then options with `correct` or `incorrect`, or the answer."""
    result = ParseResult("blackboard-text")
    for number, line in enumerate(decode_plain_text(content).split("\n"), 1):
        if line.strip():
            result.add(_of_line(f"第 {number} 行", line.strip("\r\n").split("\t")))
    return result


def _of_line(where: str, cells: list[str]) -> Outcome:
    code, stem, *rest = [cell.strip() for cell in cells] + [""] * (2 - len(cells))
    if code not in _LINE_KINDS:
        return unsupported_kind(where, _UNSUPPORTED.get(code, code))
    parsed = ParsedQuestion(where=where, kind=_LINE_KINDS[code], stem=guessed(stem))
    rest = [cell for cell in rest if cell]
    if code in {"MC", "MA"}:
        marks = [mark.lower() for mark in rest[1::2]]
        parsed.options = [guessed(text) for text in rest[::2]]
        parsed.right = [place for place, mark in enumerate(marks) if mark == "correct"]
        if len(marks) * 2 != len(rest) or not set(marks) <= {"correct", "incorrect"}:
            parsed.require_review("malformed", "选项和 correct、incorrect 没有一一对应。请核对选项和答案。")
    elif code == "TF":
        mark = rest[0].lower() if rest else ""
        parsed.right = [0 if mark == "true" else 1]
        if mark not in {"true", "false"}:
            parsed.require_review("malformed", "判断题的答案不是 true 或 false。请核对答案。")
    elif code == "ORD":
        parsed.options, parsed.right = [guessed(text) for text in rest], list(range(len(rest)))
    elif code == "FIB":
        parsed.blanks = [tuple(rest)] if rest else []
    else:
        parsed.answer = "\n".join(rest)
    return parsed.validate()
