"""Read and write the platform's own text format, in which `question_bank/content/` is kept."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from examapp.documents.archives import UnreadableFileError
from question_bank.formats.export import ExportedFile, is_keyed, plain_question, unsupported_fields
from question_bank.formats.heuristics.answers import read_letters
from question_bank.formats.parsed import ParsedQuestion
from question_bank.kinds.base import MIN_OPTIONS
from question_bank.kinds.registry import KIND_NAMES, kind_of
from question_bank.model import (
    DIFFICULTY_NAMES,
    OPTION_LETTERS,
    TRUE_FALSE_OPTIONS,
    Citation,
    Kind,
    Note,
    ParseResult,
    Question,
)
from question_bank.rich import Rich

_KINDS = {name: kind for kind, name in KIND_NAMES.items()}
_DIFFICULTIES = {name: difficulty for difficulty, name in DIFFICULTY_NAMES.items()}
_HEAD = re.compile(r"^##\s+(?P<code>\S+)\s+(?P<kind>\S+)(?:\s+(?P<difficulty>易|中|难))?\s*$")
_PART = re.compile(r"^###\s+(?P<code>\d+)\s+(?P<kind>\S+)(?:\s+(?P<difficulty>易|中|难))?\s*$")
_FIELD = re.compile(r"^(?P<name>[A-Z]|条文|知识点|题干|材料|解析|参考答案|答案\d{0,3}|标签)：(?P<text>.*)$")
_GUARDED = re.compile(rf"^ (?=@|##|{_FIELD.pattern.removeprefix('^').removesuffix('$')})")
"""A line of a longer text that would read as a field or a head: our writer puts a space before it."""


class _RejectedError(Exception):
    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(slots=True)
class _Block:
    line: int
    code: str
    kind: str
    difficulty: str | None
    law: str
    version: str
    topic: str
    """What the last `@` lines above the question say."""
    fields: dict[str, str] = field(default_factory=dict)
    parts: list["_Block"] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    """Fields that stand there more than once."""


@dataclass(slots=True)
class _File:
    law: str = ""
    version: str = ""
    topic: str = ""
    blocks: list[_Block] = field(default_factory=list)
    strays: list[Note] = field(default_factory=list)

    def block(self, number: int, head: re.Match[str]) -> _Block:
        """Return the block that a head line begins, with the law, version and topic that hold there."""
        return _Block(number, head["code"], head["kind"], head["difficulty"], self.law, self.version, self.topic)

    def set(self, number: int, line: str) -> None:
        """Set what an `@` line says of the questions below it; note one that says nothing known."""
        name, _, value = line[1:].partition(" ")
        if name in {"law", "version", "topic"}:
            setattr(self, name, value.strip())
        elif name != "effective":
            self.strays.append(Note(f"第 {number} 行", f"不认识的标记“{line[:30]}”，未读入", "stray_text"))


def looks_like(content: bytes, name: str) -> bool:
    """Return whether this is a file of our own text format."""
    head = content[:4000].decode("utf-8", "ignore")
    return name.endswith(".txt") and re.search(r"^## \S+ \S+题", head, re.MULTILINE) is not None


def read(content: bytes, *, name: str) -> ParseResult:
    """Read a file of our own text format; every `##` line begins a question. Raises UnreadableFileError."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnreadableFileError("这种格式的文件必须是 UTF-8 编码。请在编辑器里另存为 UTF-8 后重试。") from None
    file = _parse(text.splitlines())
    result = ParseResult(format="examtext", remarks=file.strays)
    for block in file.blocks:
        where = f"第 {block.line} 行 {block.code}"
        try:
            outcome = _question(block, where).validate()
        except _RejectedError as error:
            outcome = Note(where, error.reason, error.code)
        result.add(outcome)
    return result


def _parse(lines: Iterable[str]) -> _File:
    file = _File()
    block: _Block | None = None
    current = ""
    for number, line in enumerate(lines, 1):
        if line.startswith("@"):
            file.set(number, line)
        elif head := _HEAD.match(line):
            block = file.block(number, head)
            file.blocks.append(block)
        elif (part := _PART.match(line)) and file.blocks:
            block = file.block(number, part)
            file.blocks[-1].parts.append(block)
        elif block is None or (line.strip() and not block.fields and not _FIELD.match(line)):
            if line.strip() and not line.startswith("#"):
                file.strays.append(Note(f"第 {number} 行", "不属于任何题目的文字，未读入", "stray_text"))
        elif found := _FIELD.match(line):
            current = found["name"]
            block.twice += [current] if current in block.fields else []
            block.fields[current] = found["text"].strip()
        elif line.strip():
            more = line[1:] if _GUARDED.match(line) else line
            block.fields[current] = f"{block.fields.get(current, '')}\n{more.rstrip()}".strip()
    return file


def _question(block: _Block, where: str) -> ParsedQuestion:
    kind = _KINDS.get(block.kind)
    if block.twice:
        names = "、".join(f"“{name}：”" for name in dict.fromkeys(block.twice))
        reason = f"{names}出现了两次，分不清用哪一个，请删去多余的；若是正文的一行，请在行首加一个空格"
        raise _RejectedError("field_twice", reason)
    if kind is None:
        kinds = "单选题、多选题、判断题、排序题、填空题、案例题或简答题"
        raise _RejectedError("unknown_kind", f"不认识的题型“{block.kind}”，请写{kinds}")
    fields = block.fields
    stem = fields.get("材料" if kind is Kind.CASE else "题干", "")
    if not stem:
        raise _RejectedError("no_stem", "没有题干，请补上“题干：”（案例题为“材料：”）")
    article = fields.get("条文", "")
    citation = Citation(law=block.law, version=block.version or None, article=article) if block.law or article else None
    parsed = ParsedQuestion(
        where=where,
        kind=kind,
        stem=Rich(stem),
        explanation=[Rich(fields.get("解析", ""))],
        citation=citation,
        knowledge_points=tuple(p for p in re.split(r"[、；;]", fields.get("知识点", "")) if p),
        difficulty=_DIFFICULTIES.get(block.difficulty or ""),
        code=block.code,
        tags=tuple(dict.fromkeys(tag for tag in (block.topic, *re.split(r"[；;]", fields.get("标签", ""))) if tag)),
        may_be_true_false=False,
    )
    _ANSWERS[kind](parsed, block)
    return parsed


def _set_options(parsed: ParsedQuestion, block: _Block) -> None:
    present = "".join(letter for letter in OPTION_LETTERS if letter in block.fields)
    parsed.options = [Rich(block.fields[letter]) for letter in present]
    if not OPTION_LETTERS.startswith(present):
        raise _RejectedError("option_missing", f"选项字母是 {present}，不连续，请补全或改正")
    if len(parsed.options) < MIN_OPTIONS:
        raise _RejectedError("too_few_options", "选项少于两个，请补全")
    answer = block.fields.get("答案", "")
    letters = re.sub(r"[^A-Z]", "", answer)
    if parsed.kind is not Kind.ORDERING and letters:
        letters = "".join(read_letters(answer, count=len(present)) or ())
    if answer and not letters:
        parsed.require_review("key_unreadable", f"答案“{answer[:20]}”认不出是哪个选项，请写选项字母，如 A 或 AC")
    elif not letters:
        hint = "在“答案：”后按正确顺序写出全部选项的字母" if parsed.kind is Kind.ORDERING else "补上“答案：”"
        raise _RejectedError("no_key", f"没有答案，请{hint}")
    parsed.right = [OPTION_LETTERS.index(letter) for letter in letters]
    if parsed.kind is Kind.SINGLE_CHOICE and len(set(letters)) > 1:
        parsed.require_review("many_keys", "单选题有多个答案，请核对题型或答案")
    if any(index >= len(parsed.options) for index in parsed.right):
        parsed.require_review("key_outside_options", "答案不在选项之中，请核对")


def _set_truth(parsed: ParsedQuestion, block: _Block) -> None:
    answer = block.fields.get("答案", "")
    if answer not in TRUE_FALSE_OPTIONS:
        raise _RejectedError("no_key", "判断题的答案请写“正确”或“错误”")
    parsed.right = [TRUE_FALSE_OPTIONS.index(answer)]


def _set_blanks(parsed: ParsedQuestion, block: _Block) -> None:
    named = sorted((int(name[2:] or 1), text) for name, text in block.fields.items() if name.startswith("答案"))
    parsed.blanks = [tuple(v.strip() for v in text.split("|") if v.strip()) for _, text in named]
    if not parsed.blanks or not all(parsed.blanks):
        raise _RejectedError("no_key", "填空题每个空都要有答案，请写“答案1：”“答案2：”")


def _set_parts(parsed: ParsedQuestion, block: _Block) -> None:
    if not block.parts:
        raise _RejectedError("no_parts", "案例题没有小题，请用“### 1 单选题”写出小题")
    parsed.parts = [_question(part, parsed.where) for part in block.parts]
    for part in parsed.parts:
        if part.citation and not part.citation.article:
            part.citation = parsed.citation


_ANSWERS = {
    Kind.SINGLE_CHOICE: _set_options,
    Kind.MULTIPLE_CHOICE: _set_options,
    Kind.TRUE_FALSE: _set_truth,
    Kind.ORDERING: _set_options,
    Kind.FILL_BLANK: _set_blanks,
    Kind.SHORT_ANSWER: lambda parsed, block: setattr(parsed, "answer", block.fields.get("参考答案", "")),
    Kind.CASE: _set_parts,
}


def _format_questions(questions: Iterable[Question]) -> str:
    """Write questions in our own text format; law, version and topic stand above each run of questions that share them."""
    lines: list[str] = []
    last: tuple[str, str, str] | None = None
    for number, question in enumerate(questions, 1):
        cited = (question.citation.law, question.citation.version or "") if question.citation else ("", "")
        head = (*cited, question.tags[0] if question.tags else "")
        if head != last:
            lines += [f"@law {head[0]}", f"@version {head[1]}", f"@topic {head[2]}", ""]
            last = head
        lines += [*_written(question, f"## {question.code or f'q-{number:04d}'}"), ""]
    return "\n".join(lines)


def _written(question: Question, head: str) -> Iterator[str]:
    difficulty = f" {DIFFICULTY_NAMES[question.difficulty]}" if question.difficulty else ""
    yield f"{head} {KIND_NAMES[question.kind]}{difficulty}"
    if question.citation and question.citation.article:
        yield f"条文：{question.citation.article}"
    if question.knowledge_points:
        yield f"知识点：{'、'.join(question.knowledge_points)}"
    yield f"{'材料' if question.kind is Kind.CASE else '题干'}：{_guarded(question.stem)}"
    yield from _written_key(question)
    if question.explanation:
        yield f"解析：{_guarded(question.explanation)}"
    for number, part in enumerate(question.parts, 1):
        yield from _written(part, f"### {number}")


def _written_key(question: Question) -> Iterator[str]:
    if kind_of(question.kind).has_options:
        pairs = zip(OPTION_LETTERS, question.options, strict=False)
        yield from (f"{letter}：{_guarded(text)}" for letter, text in pairs)
        yield f"答案：{''.join(question.key)}"
    elif question.kind is Kind.TRUE_FALSE:
        yield f"答案：{TRUE_FALSE_OPTIONS[0] if question.key == ('A',) else TRUE_FALSE_OPTIONS[1]}"
    elif question.kind is Kind.FILL_BLANK:
        yield from (f"答案{n}：{'|'.join(variants)}" for n, variants in enumerate(question.blanks, 1))
    elif question.kind is Kind.SHORT_ANSWER:
        yield f"参考答案：{_guarded(''.join(question.key))}"


def _guarded(text: str) -> str:
    """Return a text whose further lines do not read as a field or a head."""
    first, *more = text.splitlines() or [""]
    return "\n".join([first, *(f" {line}" if _GUARDED.match(f" {line}") else line for line in more)])


def write(questions: Sequence[Question]) -> ExportedFile:
    """Write our own text, which holds plain words; note as lost: markup, pictures, points and all tags but the topic."""
    dropped = [
        note
        for number, question in enumerate(questions, 1)
        for note in unsupported_fields(
            f"第 {number} 题",
            question,
            "本平台文本",
            "points",
            "images",
            markup=question.is_html,
            tags=question.tags[1:],
        )
    ]
    reason = "还没有答案，已写入，但补上答案后才能再导入（题干：{}）。"
    dropped += [
        Note(f"第 {number} 题", reason.format(plain_question(question).stem[:20]), "no_key")
        for number, question in enumerate(questions, 1)
        if not all(map(is_keyed, question.parts or (question,)))
    ]
    plain = [replace(_plain(one), parts=tuple(map(_plain, one.parts))) for one in questions]
    return ExportedFile(_format_questions(plain).encode("utf-8"), dropped)


def _plain(question: Question) -> Question:
    return replace(plain_question(question), images=()) if question.is_html else question
