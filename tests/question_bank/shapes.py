"""Banks drawn at random, written in the shapes in which offices send them, and damaged as they are on the way."""

from __future__ import annotations

import csv
import io
import random
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from xml.sax.saxutils import escape

from tests.question_bank.books import book, word

LETTERS = "ABCDEFGH"
PLACES = [f"{one}{other}镇" for one in "青白红云石龙凤桃柳杨" for other in "山河岭坪湾塘坝沟田林"]
"""A name of its own for each question, by which it is known again."""
CHOICES = (
    "根据《行政处罚法》，{}人民政府应当在（ ）内作出决定。", "24小时内，{}派出所应当（ ）。", "18周岁以下的人在{}违法的，应当（ ）",
    "下列关于{}A级景区管理的说法，正确的是（ ）。", "{}第3次会议讨论的2.5万元罚款，由谁决定？", "（2021年修订）《行政许可法》规定，{}的许可由（ ）实施。",
    "《宪法》第一百零一条规定的{}机关是：", "在{}，有（ ）情形之一的，从轻处罚", "{}的“双随机、一公开”是指（ ）。",
)  # fmt: skip
TRUTHS = (
    "{}的处罚决定书应当在7日内送达。", "2小时以上的询问，{}应当录像", "{}可以（经批准）延长10日。", "公民在{}有权申请A类许可。",
)  # fmt: skip
BLANKS = ("{}的期限为____日，可以延长____日。", "在{}，国家一切权力属于____。", "{}实行____负责制。")
ANSWERS = (("三十", "15"), ("人民",), ("首长",))
SHORTS = ("简述{}的职责。", "为什么{}要公开处罚决定？")
OPTIONS = (
    "警告", "通报批评", "罚款3000元", "没收违法所得", "A级许可", "维生素C", "10个工作日", "县级以上人民政府", "15日", "第（一）项", "公安机关",
    "3倍以上5倍以下", "以上都对", "B超检查", "立法法第八条", "依法、及时", "责令改正；补种", "市人大常委会",
)  # fmt: skip
EXPLANATION = "见有关法律第八条的规定。"
SECTIONS = {"single": "单项选择题", "multiple": "多项选择题", "truth": "判断题", "blank": "填空题", "short": "简答题"}
KINDS = {"single_choice": "single", "multiple_choice": "multiple", "true_false": "truth", "fill_blank": "blank", "short_answer": "short"}  # fmt: skip


@dataclass(frozen=True)
class TrueQuestion:
    """A question as it truly is; no key: a person has to set it."""

    kind: str
    stem: str
    place: str
    options: tuple[str, ...] = ()
    key: str | None = ""
    blanks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shape:
    """How a bank is written down."""

    name: str
    form: str = "txt"
    number: str = "{}. "
    layout: str = "lines"
    mark: str = "{}. "
    answer: str = "答案：{}"
    """A line below the question; `（）`: in the stem's bracket; `list`, `ranges`, `rows`, `lines`, `file`: at the end or in a second file."""
    keys: str = ""
    """What stands between the letters of several."""
    truth: tuple[str, str] = ("√", "×")
    heading: str = "{numeral}、{kind}（每题2分）"
    restarts: bool = False
    label: str = ""
    blank_lines: bool = True
    heads: tuple[str, ...] = ("题型", "题干", "选项{}", "答案")
    explains: bool = False


def draw(random_: random.Random, *, of: Sequence[str]) -> list[TrueQuestion]:
    """Draw a bank of these kinds, the kinds one after the other."""
    places = random_.sample(PLACES, 20)
    return [_question(random_, kind, places.pop()) for kind in of for _ in range(random_.randint(1, 4))]


def _question(random_: random.Random, kind: str, place: str) -> TrueQuestion:
    if kind in {"single", "multiple"}:
        count = random_.choice((3, 4, 4, 4, 5))
        number = 1 if kind == "single" else random_.randint(2, count)
        key = "".join(sorted(random_.sample(LETTERS[:count], number)))
        return TrueQuestion(
            kind, random_.choice(CHOICES).format(place), place, tuple(random_.sample(OPTIONS, count)), key
        )
    if kind == "truth":
        return TrueQuestion(kind, random_.choice(TRUTHS).format(place), place, key=random_.choice("AB"))
    if kind == "blank":
        at = random_.randrange(len(BLANKS))
        return TrueQuestion(kind, BLANKS[at].format(place), place, blanks=ANSWERS[at])
    return TrueQuestion(kind, random_.choice(SHORTS).format(place), place, key="一是宣传法律，二是受理投诉")


ALL = ("single", "multiple", "truth", "blank", "short")
KEYED = ("single", "multiple", "truth")
SHAPES = (
    Shape("plain"), Shape("ideographic comma", number="{}、", mark="{}、"), Shape("wide dot", number="{}．", mark="{}．"),
    Shape("glued", number="{}.", mark="{}."), Shape("word number", number="第{}题 ", mark="({})"), Shape("bracket", number="{}) ", mark="{})"),
    Shape("square", number="【{}】", mark="{}："), Shape("comma", number="{}，", mark="{}. "), Shape("one line", layout="one line"),
    Shape("tabs", layout="tabs", mark="{}．"), Shape("two a line", layout="two"), Shape("columns down", layout="down"),
    Shape("labelled", answer="【答案】{}", keys="、"), Shape("right answer", answer="正确答案：{}", keys=","), Shape("explained", explains=True),
    Shape("no blank lines", blank_lines=False), Shape("spaced keys", keys=" "), Shape("words of truth", truth=("正确", "错误")),
    Shape("right and wrong", truth=("对", "错")), Shape("restarting", restarts=True), Shape("kind before stem", heading="", label="【{}】"),
    Shape("round kind", heading="", label="（{}）", answer="参考答案：{}"), Shape("no headings", heading=""), Shape("in the stem", answer="（）"),
    Shape("in the stem, tight", answer="（）", number="{}.", mark="{}.", blank_lines=False, layout="one line"), Shape("listed", answer="list"),
    Shape("ranges", answer="ranges", restarts=True), Shape("rows of a table", answer="rows"), Shape("a line each", answer="lines"),
    Shape("second file", answer="file"), Shape("second file, glued", answer="file", number="{}.", restarts=True),
    Shape("sections of laws", heading="《{law}》{kind}"), Shape("part heads", heading="第{numeral}部分 {kind}", restarts=True),
    Shape("csv", "csv"), Shape("csv, other heads", "csv", heads=("试题类型", "题目", "备选答案{}", "正确答案"), keys=","),
    Shape("csv, options together", "csv", heads=("题型", "题目内容", "选项", "标准答案"), keys="、", truth=("正确", "错误")),
    Shape("semicolons", "csv;", truth=("对", "错")), Shape("xlsx", "xlsx"), Shape("xlsx with a title", "xlsx title", keys=","),
    Shape("sheet a kind", "xlsx sheets", heads=("题干", "选项{}", "答案"), truth=("正确", "错误")),
    Shape("xlsx, options together", "xlsx", heads=("题目类型", "试题", "选项", "答案"), truth=("对", "错")),
    Shape("small letters", "xlsx", heads=("类型", "题目名称", "{}", "答案"), keys="|"), Shape("docx", "docx"),
    Shape("docx, soft breaks", "docx soft", explains=True), Shape("docx, lists of Word", "docx lists"), Shape("docx, listed", "docx", answer="list"),
    Shape("docx, table", "docx table"), Shape("docx, table a question", "docx upright", truth=("正确", "错误")),
    Shape("docx, answers in a table", "docx answers", answer="none", heading="{numeral}、{kind}"), Shape("page", "html"),
    Shape("page with a table", "html table"), Shape("pasted", "md", number="{}. ", mark="- {}. ", answer="**答案：{}**", heading="## {kind}"),
)  # fmt: skip


def kinds_of(shape: Shape) -> tuple[str, ...]:
    """Return the kinds that a shape can say."""
    has_texts = shape.answer not in {"（）", "list", "ranges", "rows", "lines", "none"} and not (
        shape.answer == "file" and shape.restarts
    )
    return ALL if has_texts and shape.layout != "down" else KEYED


@dataclass(frozen=True)
class Written:
    """A file, with its answers in a second one where the shape has one."""

    name: str
    content: bytes
    answers: tuple[bytes, str] | None = None


def key_of(question: TrueQuestion, shape: Shape) -> str:
    """Return the key as the shape writes it."""
    if question.key is None:
        return ""
    if question.kind == "truth":
        return shape.truth[question.key == "B"]
    return (
        "；".join(question.blanks)
        if question.blanks
        else shape.keys.join(question.key)
        if question.options
        else question.key
    )


def write(bank: Sequence[TrueQuestion], shape: Shape, random_: random.Random) -> Written:
    """Write a bank in a shape."""
    form, _, rest = shape.form.partition(" ")
    if form in {"csv", "csv;", "xlsx"} or rest == "table":
        return _tables(bank, shape, form, rest)
    if rest == "upright":
        return Written("题库.docx", word([_upright(question, shape) for question in bank]))
    lines, answers = lines_of(bank, shape)
    if form == "docx":
        keys = [["题号", "答案"], *([str(at), key_of(one, shape)] for at, one in enumerate(bank, 1))]
        body: list[str | list[list[str]]] = list(_soft(lines) if rest == "soft" else lines)
        body += ["参考答案", keys] if rest == "answers" else []
        return Written("题库.docx", word(body, listed=rest == "lists"))
    text = "\n".join(lines) + "\n"
    if form == "html":
        return Written(
            "题库.html", f"<html><body>{''.join(f'<p>{escape(line)}</p>' for line in lines)}</body></html>".encode()
        )
    encoding = random_.choice(("utf-8", "utf-8-sig", "gb18030", "utf-16"))
    second = ("\n".join(answers).encode(), "答案.txt") if shape.answer == "file" else None
    return Written(f"题库.{form}", text.encode(encoding), second)


def lines_of(bank: Sequence[TrueQuestion], shape: Shape) -> tuple[list[str], list[str]]:
    """Return the lines of a text, and those of the answers at its end or in a second file."""
    lines = ["某县2026年法律知识题库", ""]
    entries: list[tuple[str, list[tuple[int, str]]]] = []
    number, kind = 0, ""
    for question in bank:
        if question.kind != kind:
            kind = question.kind
            number = 0 if shape.restarts else number
            numeral = "一二三四五"[list(dict.fromkeys(one.kind for one in bank)).index(kind)]
            heading = shape.heading.format(numeral=numeral, kind=SECTIONS[kind], law="行政处罚法")
            lines += [heading] if heading else []
            entries.append((heading, []))
        number += 1
        lines += _question_lines(question, shape, number) + ([""] if shape.blank_lines else [])
        entries[-1][1].append((number, key_of(question, shape)))
    answers = _answer_lines(entries, shape)
    if answers and shape.answer not in {"file", "none"}:
        lines += ["", "参考答案", *answers]
    return lines, answers


def _question_lines(question: TrueQuestion, shape: Shape, number: int) -> list[str]:
    stem, key = question.stem, key_of(question, shape)
    if shape.answer == "（）":
        filled = f"（{key}）"
        stem = stem.replace("（ ）", filled) if "（ ）" in stem else f"{stem}{filled}"
    label = shape.label.format(SECTIONS[question.kind]) if shape.label else ""
    lines = [shape.number.format(number) + label + stem, *_options(question, shape)]
    if "{}" in shape.answer:
        lines.append(shape.answer.format(key))
    return [*lines, f"解析：{EXPLANATION}"] if shape.explains else lines


def _options(question: TrueQuestion, shape: Shape) -> list[str]:
    marked = [shape.mark.format(letter) + text for letter, text in zip(LETTERS, question.options, strict=False)]
    if shape.layout in {"one line", "tabs"}:
        return [("\t" if shape.layout == "tabs" else "    ").join(marked)] if marked else []
    if shape.layout == "two":
        return ["  ".join(marked[at : at + 2]) for at in range(0, len(marked), 2)]
    if shape.layout == "down" and len(marked) > 3:
        height = -(-len(marked) // 2)
        return ["    ".join(marked[at::height]) for at in range(height)]
    return marked


def _answer_lines(entries: list[tuple[str, list[tuple[int, str]]]], shape: Shape) -> list[str]:
    lines = []
    for heading, keys in entries:
        listed = [f"{number}.{key}" for number, key in keys]
        if shape.answer not in {"list", "ranges", "rows", "lines", "file"}:
            continue
        lines += [heading] if heading and shape.restarts else []
        if shape.answer == "ranges" and len(keys) > 1:
            lines.append(f"{keys[0][0]}-{keys[-1][0]} {' '.join(key for _, key in keys)}")
        elif shape.answer == "rows" and len(keys) > 1:
            lines += [
                "\t".join(["题号", *(str(number) for number, _ in keys)]),
                "\t".join(["答案", *(key for _, key in keys)]),
            ]
        else:
            lines += listed if shape.answer in {"lines", "file"} else ["  ".join(listed)]
    return lines


def _tables(bank: Sequence[TrueQuestion], shape: Shape, form: str, rest: str) -> Written:
    together = any(head == "选项" for head in shape.heads)
    heads = [
        one
        for head in shape.heads
        for one in ([head] if "{}" not in head else [head.format(letter) for letter in LETTERS[:5]])
    ]
    named = {kind: [row for one in bank if one.kind == kind for row in [_row(one, shape, together=together)]] for kind in dict.fromkeys(one.kind for one in bank)}  # fmt: skip
    if rest == "sheets":
        return Written("题库.xlsx", book(*((SECTIONS[kind], [heads, *rows]) for kind, rows in named.items())))
    rows = [heads, *(row for rows in named.values() for row in rows)]
    if form == "xlsx":
        title = [["某县法律知识题库"], [""]] if rest == "title" else []
        return Written("题库.xlsx", book(("题库", [*title, *rows])))
    if form == "docx":
        return Written("题库.docx", word([rows]))
    if form == "html":
        cells = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
        return Written("题库.xls", f"<html><body><table>{cells}</table></body></html>".encode())
    target = io.StringIO()
    csv.writer(target, delimiter=";" if form == "csv;" else ",").writerows(rows)
    return Written("题库.csv", target.getvalue().encode("gb18030"))


def _row(question: TrueQuestion, shape: Shape, *, together: bool) -> list[str]:
    options = [*question.options, *[""] * (5 - len(question.options))]
    if together:
        options = ["\n".join(f"{letter}. {text}" for letter, text in zip(LETTERS, question.options, strict=False))]
    kind = [] if shape.heads[0] == "题干" else [SECTIONS[question.kind]]
    return [*kind, question.stem, *options, key_of(question, shape)]


def _upright(question: TrueQuestion, shape: Shape) -> list[list[str]]:
    options = [[f"选项{letter}", text] for letter, text in zip(LETTERS, question.options, strict=False)]
    return [["题型", SECTIONS[question.kind]], ["题干", question.stem], *options, ["答案", key_of(question, shape)]]


def _soft(lines: Sequence[str]) -> list[str]:
    """Return paragraphs that hold the lines up to the next blank one, with line breaks within."""
    return "\n".join(lines).split("\n\n")


DAMAGES = ("blank lines", "number twice", "number left out", "full width", "half width", "line broken", "key left out", "page footer", "spaces", "letters twice")  # fmt: skip


def damage(
    bank: list[TrueQuestion], written: Written, random_: random.Random
) -> tuple[list[TrueQuestion], Written, str]:
    """Return the bank as a person would read it from the damaged text, the text, and what was done to it; other files stay as they are."""
    if not written.name.endswith((".txt", ".md")):
        return bank, written, ""
    how = random_.choice(DAMAGES)
    encoding = "utf-16" if written.content[:2] == b"\xff\xfe" else "utf-8-sig"
    try:
        text = written.content.decode(encoding)
    except UnicodeDecodeError:
        text = written.content.decode("gb18030")
    lines = text.split("\n")
    numbered = [at for at, line in enumerate(lines) if any(place in line for place in (one.place for one in bank))]
    at = random_.choice(numbered)
    if how == "blank lines":
        lines = [line for line in lines if line]
    elif how == "number twice" and at != numbered[0]:
        before = re.search(r"\d+", lines[numbered[numbered.index(at) - 1]])
        lines[at] = re.sub(r"\d+", before[0] if before else "1", lines[at], count=1)
    elif how == "number left out":
        lines[at] = re.sub(r"^\D{0,2}\d+[.．、)）】，题 ]*", "", lines[at], count=1)
    elif how == "full width":
        lines = [
            "".join(chr(ord(one) + 0xFEE0) if one in ".:,()ABCDE" and random_.random() < 0.5 else one for one in line)
            for line in lines
        ]
    elif how == "half width":
        lines = [
            line.translate(str.maketrans("．：，（）、", ".:,(),", "")) if random_.random() < 0.5 else line
            for line in lines
        ]
    elif how == "line broken":
        middle = len(lines[at]) // 2 + 3
        lines[at : at + 1] = [lines[at][:middle], lines[at][middle:]]
    elif how == "key left out":
        keyed = [place for place, line in enumerate(lines) if re.match(r"\W*(?:正确|参考)?答案\W?[:：】]", line)]
        if keyed:
            gone = random_.choice(keyed)
            lines.pop(gone)
            owner = max((place for place in numbered if place < gone), default=None)
            bank = [
                replace(one, key=None, blanks=()) if owner is not None and one.place in lines[owner] else one
                for one in bank
            ]
    elif how == "page footer":
        lines[at:at] = ["第 2 页 共 9 页", ""]
    elif how == "spaces":
        lines = [
            line.replace("：", "： ").replace("．", "． ") + "  " if random_.random() < 0.6 else f"\u3000{line}"
            for line in lines
        ]
    elif how == "letters twice":
        end = next((place for place in numbered if place > at), at + 6)
        lines = [
            re.sub(r"^(\W{0,3})C([.、．):：])", r"\1B\2", line) if at < place < end else line
            for place, line in enumerate(lines)
        ]
        hit = next(one for one in bank if one.place in lines[at])
        if hit.options and any(line != old for line, old in zip(lines, text.split("\n"), strict=True)):
            bank = [replace(one, key=None) if one is hit else one for one in bank]
    return bank, replace(written, content="\n".join(lines).encode()), how


def bare(text: str) -> str:
    """Return a text without spaces and empty brackets, in half width: so texts are compared."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).replace("()", "")
    return plain.strip(";。.").replace("、", ",").replace(",", "")
