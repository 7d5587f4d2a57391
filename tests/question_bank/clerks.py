"""Banks as clerks of other provinces write them: each office mixes its own numbering, answers, judgement marks and explanations."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from tests.question_bank.books import book, word
from tests.question_bank.shapes import LETTERS, SECTIONS, TrueQuestion, Written, bare

Bank = Sequence[TrueQuestion]
NUMERALS = "一二三四五六七八九"
TRUTHS = ("√×", "✓✗", "✔✘", "对错", "TF", "YN", "是否", ("正确", "错误"), "vx", "VX", ("√", "X"))
LABELS = (
    "答案：{}", "【答案】{}", "【正确答案】：{}", "[答案] {}", "〖答案〗{}", "标准答案：{}", "答案为：{}", "（答案：{}）", "【参考答案】{}", "答案：　{}",
    "正确答案是：{}", "正确选项：{}", "【答　案】{}", "答 案：{}", "参考答案 {}", "答案：{}。", "【答案】：{}；", "本题答案：{}", "答案∶{}", "答案:[{}]", "答案：（{}）",
)  # fmt: skip
REASONS = (
    "解析：{}", "【解析】{}", "答案解析：{}", "试题解析：{}", "【答案解析】{}", "[解析]{}", "解析∶{}", "分析：{}", "【详解】{}", "解 析：{}", "解题思路：{}", "说明：{}",
    "【试题解析】：{}", "解答：{}", "理由：{}", "点评：{}", "〖解析〗{}",
)  # fmt: skip
NUMBERS = (
    "{}.",
    "{}、",
    "{}．",
    "（{}）",
    "({})",
    "{} ",
    "第{}题：",
    "{})",
    "{}．　",
    "题目{}：",
    "{}。",
    "【第{}题】",
    "Q{}：",
)
MARKS = ("{}.", "{}、", "{}．", "（{}）", "({})", "{}：", "{})", "{} ", "[{}]", "{}，", "【{}】")
HEADINGS = (
    "{numeral}、{kind}", "（{numeral}）{kind}", "{numeral}、{kind}（共{count}题，每题2分，共{total}分）", "第{numeral}部分：{kind}", "【{kind}】", "{kind}：", "{kind}",
    "{numeral}．{kind}（每小题的备选答案中，只有符合题意的才得分）", "## {kind}", "{kind}（{count}道）", "※ {kind} ※", "{numeral} {kind}",
)  # fmt: skip


_MATERIAL = "2025年3月，某市市民王某因违章停车被罚款200元，王某不服。"
_ASKS = ("请回答下列问题：", "根据以上材料，回答第1-2题。", "问：", "请根据案例回答：", "")
_KEYED = ("single", "multiple", "truth")
KINDS = {"in_brackets": _KEYED, "at_the_end": _KEYED, "word_tables": _KEYED, "case_material": (*_KEYED, "blank")}
"""The kinds that an office can say, where it cannot say all."""


def write(bank: Bank, office: str, random_: random.Random) -> Written:
    """Write a bank as one of the offices does."""
    return OFFICES[office](bank, random_)


def without_material(stem: str) -> str:
    """Return a stem without the material of the case and what it asks before its questions, both as `bare` gives them."""
    rest = stem.removeprefix(bare(_MATERIAL)).lstrip("。")
    ask = next(bare(ask) for ask in _ASKS if rest.startswith(bare(ask)))
    return stem if rest == stem else rest.removeprefix(ask).lstrip("。")


def key_of(question: TrueQuestion, truth: Sequence[str], sign: str = "") -> str:
    """Return a key as the office writes it."""
    if question.kind == "truth":
        return truth[question.key == "B"]
    return sign.join(question.key or "") if question.options else "；".join(question.blanks) or (question.key or "")


def wide(text: str) -> str:
    """Return letters, digits and signs in full width."""
    return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)


def sections(bank: Bank, heading: str) -> list[tuple[str, list[TrueQuestion]]]:
    """Return the questions by kind, each with its heading."""
    found = []
    for at, kind in enumerate(dict.fromkeys(one.kind for one in bank)):
        mine = [one for one in bank if one.kind == kind]
        count = len(mine)
        found.append((heading.format(numeral=NUMERALS[at], kind=SECTIONS[kind], count=count, total=2 * count), mine))
    return found


def options_of(question: TrueQuestion, mark: str, layout: str) -> list[str]:
    """Return the lines of the options."""
    marked = [mark.format(letter) + text for letter, text in zip(LETTERS, question.options, strict=False)]
    if not marked:
        return []
    if layout == "semicolons":
        return ["；".join(marked) + "。"]
    if layout == "pairs":
        return ["　　".join(marked[at : at + 2]) for at in range(0, len(marked), 2)]
    return {"line": ["  ".join(marked)], "tabs": ["\t\t".join(marked)]}.get(layout, marked)


def each_way(bank: Bank, random_: random.Random) -> Written:
    """Answers below each question, in one of many spellings."""
    number, mark, label = random_.choice(NUMBERS), random_.choice(MARKS), random_.choice(LABELS)
    reason, truth, sign = (
        random_.choice((*REASONS, "")),
        random_.choice(TRUTHS),
        random_.choice(("", "", "、", ",", " ", "，")),
    )
    layout, heading = random_.choice(("lines", "lines", "line", "pairs", "tabs")), random_.choice(HEADINGS)
    goes_on, gap = random_.random() < 0.5, random_.random() < 0.6
    lines, at = ["2026年度某市国家工作人员学法用法考试题库", ""], 0
    for title, mine in sections(bank, heading):
        lines += [title, *([""] if gap else [])]
        at = at if goes_on else 0
        for one in mine:
            at += 1
            lines += [
                number.format(at) + one.stem,
                *options_of(one, mark, layout),
                label.format(key_of(one, truth, sign)),
            ]
            lines += [reason.format("见有关法律第八条的规定。")] if reason else []
            lines += [""] if gap else []
    return _text(lines, random_)


def in_brackets(bank: Bank, random_: random.Random) -> Written:
    """Answers in the stem's own brackets."""
    bracket = random_.choice(("（{}）", "（ {} ）", "({})", "【{}】", "（　{}　）", "[{}]", "( {} )"))
    number, mark, truth = random_.choice(NUMBERS[:4]), random_.choice(MARKS[:4]), random_.choice(TRUTHS)
    before = random_.choice(("behind", "behind", "before", "first"))
    lines, at = [], 0
    for title, mine in sections(bank, random_.choice(HEADINGS)):
        lines += [title]
        for one in mine:
            at += 1
            key = bracket.format(key_of(one, truth, random_.choice(("", "、"))))
            if "（ ）" in one.stem:
                stem = number.format(at) + one.stem.replace("（ ）", key)
            elif one.kind == "truth" and before != "behind":
                stem = number.format(at) + key + one.stem if before == "before" else key + number.format(at) + one.stem
            else:
                stem = number.format(at) + one.stem + key
            lines += [stem, *options_of(one, mark, random_.choice(("lines", "line", "pairs"))), ""]
    return _text(lines, random_)


def at_the_end(bank: Bank, random_: random.Random) -> Written:
    """Answers collected at the end, by ranges or one by one."""
    heading, truth, way = (
        random_.choice(HEADINGS[:8]),
        random_.choice(TRUTHS[:8]),
        random_.choice(("ranges", "each", "fives", "lines", "dashes")),
    )
    restarts, number, mark = random_.random() < 0.6, random_.choice(NUMBERS[:4]), random_.choice(MARKS[:5])
    lines, ends, at = (
        [],
        [
            random_.choice(
                ("参考答案", "答案", "【参考答案】", "参考答案及评分标准", "附：参考答案", "答案部分", "标准答案：")
            )
        ],
        0,
    )
    layout = random_.choice(("lines", "pairs", "line", "semicolons"))
    for title, mine in sections(bank, heading):
        at = 0 if restarts else at
        lines.append(title)
        ends.append(title)
        keys = []
        for one in mine:
            at += 1
            lines += [number.format(at) + one.stem, *options_of(one, mark, layout), ""]
            keys.append((at, key_of(one, truth)))
        ends += _collected(keys, way)
    return _text([*lines, "", *ends], random_)


def _collected(keys: list[tuple[int, str]], way: str) -> list[str]:
    if way in {"ranges", "fives", "dashes"}:
        step = 5 if way == "fives" else len(keys)
        sign = "—" if way == "dashes" else "-"
        parts = [keys[at : at + step] for at in range(0, len(keys), step)]
        return [
            f"{part[0][0]}{sign}{part[-1][0]}{'：' if way == 'dashes' else ' '}{' '.join(key for _, key in part)}"
            if len(part) > 1
            else f"{part[0][0]}.{part[0][1]}"
            for part in parts
        ]
    each = [f"{number}{'、' if way == 'lines' else '.'}{key}" for number, key in keys]
    return each if way == "lines" else ["　".join(each)]


def levels(bank: Bank, random_: random.Random) -> Written:
    """Numbered 一、 for kinds, （一） for laws, 1. for questions, （1） for options or parts."""
    truth, lines, at = random_.choice(TRUTHS[:8]), ["法律知识竞赛题", ""], 0
    restarts = random_.random() < 0.5
    mark = random_.choice(("{}.", "（{}）", "{}、"))
    for title, mine in sections(bank, "{numeral}、{kind}"):
        lines.append(title)
        half = len(mine) // 2
        at = 0
        for law, part in (("行政处罚法", mine[:half]), ("行政许可法", mine[half:])):
            if not part:
                continue
            lines.append(
                f"（{'一二'[law == '行政许可法' and half > 0]}）{random_.choice(('《{}》', '{}', '{}部分')).format(law)}"
            )
            at = 0 if restarts else at
            for one in part:
                at += 1
                lines += [f"{at}. {one.stem}", *options_of(one, mark, "lines"), f"答案：{key_of(one, truth)}", ""]
    return _text(lines, random_)


def named_fields(bank: Bank, random_: random.Random) -> Written:
    """Every line named, as exam systems print their questions."""
    names = random_.choice(
        (
            ("题型", "题目", "选项{}", "答案"),
            ("试题类型", "试题内容", "{}选项", "正确答案"),
            ("【题型】", "【题干】", "{}", "【答案】"),
            ("类型", "题干", "{}", "标准答案"),
        )
    )
    sign, truth = random_.choice(("：", ":", "： ")), random_.choice(TRUTHS[:8])
    lines = []
    for one in bank:
        sign_ = "" if names[0].startswith("【") else sign
        lines += [f"{names[0]}{sign_}{SECTIONS[one.kind]}", f"{names[1]}{sign_}{one.stem}"]
        lines += [f"{names[2].format(letter)}{sign}{text}" for letter, text in zip(LETTERS, one.options, strict=False)]
        lines += [f"{names[3]}{sign_}{key_of(one, truth)}", ""]
    return _text(lines, random_)


def kind_by_number(bank: Bank, random_: random.Random) -> Written:
    """No headings: each question says its kind beside its number."""
    form = random_.choice(
        (
            "{n}.（{k}）{s}",
            "{n}、[{k}]{s}",
            "【{k}】{n}.{s}",
            "{k}{n}：{s}",
            "{n}. {s}（{k}）",
            "{n}.{s}【{k}】",
            "（{k}）{n}、{s}",
            "{n}、{k}：{s}",
            "{n}．<{k}>{s}",
        )
    )
    short = random_.random() < 0.5
    truth, label, mark = random_.choice(TRUTHS[:8]), random_.choice(LABELS[:10]), random_.choice(MARKS[:5])
    lines = []
    for at, one in enumerate(bank, 1):
        kind = SECTIONS[one.kind]
        kind = kind.replace("项选择题", "选题").replace("题", "" if random_.random() < 0.3 else "题") if short else kind
        lines += [
            form.format(n=at, k=kind, s=one.stem),
            *options_of(one, mark, "lines"),
            label.format(key_of(one, truth)),
            "",
        ]
    return _text(lines, random_)


def same_line(bank: Bank, random_: random.Random) -> Written:
    """Options and answer all in one line with the stem, or the answer behind the options."""
    whole, truth = random_.random() < 0.4, random_.choice(TRUTHS[:8])
    keyed = ("[{}]", "答案{}") if all(one.kind in {"single", "multiple", "truth"} for one in bank) else ()
    label = random_.choice(("答案：{}", "（答案：{}）", "【答案】{}", "正确答案：{}", *keyed))
    lines = []
    for title, mine in sections(bank, random_.choice(HEADINGS)):
        lines.append(title)
        for at, one in enumerate(mine, 1):
            options = "  ".join(options_of(one, random_.choice(("{}.", "{}、")), "lines"))
            key = label.format(key_of(one, truth))
            stem = f"{at}、{one.stem}"
            lines += (
                [f"{stem}  {options}  {key}"]
                if whole
                else [stem, f"{options}  {key}".strip()]
                if options
                else [f"{stem}  {key}"]
            )
            lines += [""] if random_.random() < 0.5 else []
    return _text(lines, random_)


def full_width(bank: Bank, random_: random.Random) -> Written:
    """All letters, digits and signs in full width, or any mixture."""
    written = each_way(bank, random_)
    while written.name != "题库.txt":
        written = each_way(bank, random_)
    lines = written.content.decode("utf-8").split("\n")
    share = random_.choice((1.0, 0.5, 0.2))
    lines = [wide(line) if random_.random() < share and not line.startswith("#") else line for line in lines]
    return Written("题库.txt", "\n".join(lines).encode())


def merged_heads(bank: Bank, random_: random.Random) -> Written:
    """A workbook with a title, a head of two rows, numbers and remarks, and headings of kinds between the rows."""
    truth, sign = random_.choice(TRUTHS), random_.choice(("", ",", "、", "，"))
    upper = ["序号", "题型", "题目", "选项", "", "", "", "", "答案", "备注"]
    lower = ["", "", "", "A", "B", "C", "D", "E", "", ""]
    rows = [["某省普法办题库（2026年版）"], ["填报单位：某局", "", "", "填报日期：2026年9月1日"], upper, lower]
    between = random_.random() < 0.4
    for title, mine in sections(bank, "{numeral}、{kind}"):
        rows += [[title]] if between else []
        for one in mine:
            options = [*one.options, *[""] * (5 - len(one.options))]
            number = str(len(rows) - 3)
            rows.append(
                [
                    number,
                    "" if between and random_.random() < 0.5 else SECTIONS[one.kind],
                    one.stem,
                    *options,
                    key_of(one, truth, sign),
                    "",
                ]
            )
    return Written("题库.xlsx", book(("Sheet1", rows)))


def word_tables(bank: Bank, random_: random.Random) -> Written:
    """A Word file: options in a table of two columns, or answers in blocks of a table at the end."""
    truth = random_.choice(TRUTHS[:8])
    in_table, per_row = random_.random() < 0.5, random_.choice((3, 5, 10))
    body: list[str | list[list[str]]] = ["法律知识题库"]
    keys: list[tuple[str, str]] = []
    for title, mine in sections(bank, "{numeral}、{kind}"):
        body.append(title)
        for one in mine:
            keys.append((str(len(keys) + 1), key_of(one, truth)))
            body.append(f"{len(keys)}. {one.stem}")
            marked = options_of(one, "{}. ", "lines")
            body += (
                [[marked[at : at + 2] + [""] * (2 - len(marked[at : at + 2])) for at in range(0, len(marked), 2)]]
                if in_table and marked
                else marked
            )
            body += [f"答案：{keys[-1][1]}"] if in_table else []
    if not in_table:
        rows = []
        for at in range(0, len(keys), per_row):
            part = keys[at : at + per_row]
            fill = [""] * (per_row - len(part))
            rows += [["题号", *(number for number, _ in part), *fill], ["答案", *(key for _, key in part), *fill]]
        body += ["参考答案", rows]
    return Written("题库.docx", word(body))


def case_material(bank: Bank, random_: random.Random) -> Written:
    """Choices of a case below its material, before and behind plain questions."""
    way = random_.choice(("案例{}：", "（{}）", "材料{}：", "【案例{}】", "案例{} "))
    ask = random_.choice(_ASKS)
    truth, at = random_.choice(TRUTHS[:8]), 0
    lines = []
    plain = [one for one in bank if one.kind in {"truth", "blank"}]
    cases = [one for one in bank if one.kind in {"single", "multiple"}]
    for title, mine in sections(plain, "{numeral}、{kind}"):
        lines.append(title)
        for at, one in enumerate(mine, 1):
            lines += [f"{at}. {one.stem}", f"答案：{key_of(one, truth)}", ""]
    if cases:
        lines.append(f"{NUMERALS[len({one.kind for one in plain})]}、案例分析题")
    for number, start in enumerate(range(0, len(cases), 2)):
        lines += [
            f"{way.format(NUMERALS[number])}2025年3月，某市市民王某因违章停车被罚款200元，王某不服。",
            *([ask] if ask else []),
        ]
        for at, one in enumerate(cases[start : start + 2], 1):
            lines += [f"{at}. {one.stem}", *options_of(one, "{}. ", "lines"), f"答案：{one.key}"]
        lines.append("")
    return _text(lines, random_)


def _text(lines: list[str], random_: random.Random) -> Written:
    form = random_.choice(("txt", "txt", "docx"))
    if form == "docx":
        return Written("题库.docx", word([line for line in lines if line or random_.random() < 0.5]))
    return Written("题库.txt", "\n".join(lines).encode())


OFFICES: dict[str, Callable[[Bank, random.Random], Written]] = {
    one.__name__: one
    for one in (
        each_way, in_brackets, at_the_end, levels, named_fields, kind_by_number, same_line, full_width, merged_heads, word_tables, case_material,
    )
}  # fmt: skip
