"""Run the bank's command line over the real files and write docs/conformance.md: what became of every question, and how many keys are right.

`make conformance` reads the folder that EXAMAPP_FIXTURES names. The known keys are read here by means of their own, not by the readers.
A second table is of files that are made as offices make them, and of these as LibreOffice saves them in old and foreign formats.
"""

from __future__ import annotations

import csv
import html
import io
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from question_bank.model import ParseResult
from question_bank.sandbox import ChildReader
from tests.question_bank import shapes
from tests.question_bank.hazards import page_of_hazards
from tests.question_bank.judging import FileJudgement, judge_office, judge_shape

_OUT = Path(__file__).parents[1] / "docs" / "conformance.md"
_COUNTS = (
    "files",
    "found",
    "imported",
    "loss",
    "doubtful",
    "refused",
    "unreadable",
    "counted",
    "differs",
    "known",
    "agree",
)
_HEADS = (
    "文件",
    "题目",
    "可导入",
    "其中有损失",
    "待核对",
    "不导入",
    "整个文件不读",
    "清点过的文件",
    "清点不符",
    "已知答案",
    "相符",
)
_NO_BANK = re.compile(r"/(?:expected|qti-results)/|/(?:README\.md|manifest\.json)$|gift-grammar-peg/.*\.json$")
"""What lies beside the questions: known results, words about them."""
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CHOICES = {"single_choice", "multiple_choice"}
Pairs = Iterator[tuple[Any, Any]]
"""Known key and key as read."""


def main() -> int:
    """Write the table; 1 where a known key was read differently."""
    root = Path(os.environ.get("EXAMAPP_FIXTURES", ""))
    if not os.environ.get("EXAMAPP_FIXTURES") or not (root / "questions").is_dir():
        print("请先设置 EXAMAPP_FIXTURES，指向真实题库文件所在的文件夹。")
        return 2
    families: dict[str, Counter[str]] = {}
    wrong: list[str] = []
    for entry in _run([root / "questions", root / "banks"]):
        path = Path(entry["path"])
        if _NO_BANK.search(path.as_posix()):
            continue
        family = _family(path.relative_to(root))
        counts = families.setdefault(family, Counter())
        counts += Counter(_counts(entry))
        for known, read in _known(path, entry):
            counts["known"] += 1
            counts["agree"] += known == read
            if known != read:
                wrong.append(f"{path.relative_to(root)}：应为 {_say(known)}，读成 {_say(read)}")
        families[family] = counts
    made = _made_families()
    silent = [each for verdicts in made.values() for verdict in verdicts for each in verdict.wrong]
    _OUT.write_text(_page(families, wrong) + _made_page(made, silent) + "\n" + page_of_hazards(), "utf-8")
    print(
        f"{len(families)} 类文件，{len(wrong)} 个答案与已知结果不符；自造文件 {len(made)} 类，{len(silent)} 处错而没有说明，见 docs/conformance.md"
    )
    return 1 if wrong or silent else 0


def _run(folders: list[Path]) -> list[dict[str, Any]]:
    bare = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    command = [
        sys.executable,
        "-m",
        "flask",
        "--app",
        "wsgi",
        "bank",
        "import",
        *map(str, folders),
        "--dry-run",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=bare, cwd=_OUT.parents[1])
    if not done.stdout:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout)["files"]


def _family(path: Path) -> str:
    return "/".join(path.parts[:-1][:3])


def _counts(entry: dict[str, Any]) -> dict[str, int]:
    census = entry.get("census") or {"count": None, "differs": False}
    lossy = sum(1 for question in entry["questions"] if question["losses"])
    return {
        "files": 1, "found": entry["found"], "imported": entry["imported"], "loss": lossy, "doubtful": len(entry["doubtful"]),
        "refused": len(entry["refused"]), "unreadable": int("error" in entry),
        "counted": int(census["count"] is not None), "differs": int(census["differs"]),
    }  # fmt: skip


def _known(path: Path, entry: dict[str, Any]) -> Pairs:
    for sign, reader in _READERS.items():
        if sign in path.as_posix():
            return reader(path, entry)
    return iter(())


def _shiroha(path: Path, entry: dict[str, Any]) -> Pairs:
    """Expected JSON beside each sample; true/false as its word."""
    beside = path.parent.parent / "expected" / f"{path.stem}.json"
    if not beside.is_file():
        return
    read = {question["code"]: question for question in entry["questions"]}
    for wanted in json.loads(beside.read_text("utf-8"))["expected"].get("questions", []):
        question = read.get(wanted.get("number", ""))
        if question is None or question["kind"] not in {*_CHOICES, "true_false"} or not wanted.get("answer"):
            continue
        known = ["".join(wanted["answer"])]
        if question["kind"] == "true_false":
            known = ["A" if re.match(r"A|正确|对|√|TRUE|T", known[0], re.IGNORECASE) else "B"]
        yield sorted("".join(known)), sorted("".join(question["key"]))


def _gift(path: Path, entry: dict[str, Any]) -> Pairs:
    """Expected parse beside each file: the right options' words."""
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return
    known: Counter[str] = Counter()
    for wanted in json.loads(beside.read_text("utf-8")):
        if wanted["type"] == "TF":
            known["T" if wanted["isTrue"] else "F"] += 1
        elif wanted["type"] == "MC":
            right = [each for each in wanted["choices"] if each["isCorrect"]]
            right = right or [each for each in wanted["choices"] if float(each["weight"] or 0) > 0]
            known[_bag(each["text"]["text"] for each in right)] += 1
    for question in entry["questions"]:
        if question["kind"] in {*_CHOICES, "true_false"}:
            said = _said(question)
            yield said if known[said] > 0 else "另一答案", said
            known[said] -= 1


def _said(question: dict[str, Any]) -> str:
    if question["kind"] == "true_false":
        return "T" if question["key"] == ["A"] else "F"
    return _bag(question["options"][_LETTERS.index(letter)] for letter in question["key"])


def _bag(texts: Any) -> str:
    return "|".join(sorted(re.sub(r"<[^>]+>|\W+", "", html.unescape(text))[:20] for text in texts))


def _aiken(path: Path, entry: dict[str, Any]) -> Pairs:
    known = re.findall(r"^ANSWER:\s*([A-Z])", path.read_text("utf-8", "replace"), re.MULTILINE)
    if len(known) == len(entry["questions"]):
        yield from zip(known, ("".join(question["key"]) for question in entry["questions"]), strict=True)


def _law_evaluation(path: Path, entry: dict[str, Any]) -> Pairs:
    rows = csv.DictReader(io.StringIO(path.read_text("utf-8-sig")))
    known = {row["input"].strip(): row["output"].strip() for row in rows if row.get("output") and row.get("input")}
    for question in entry["questions"]:
        if question["kind"] in _CHOICES and question["stem"] in known:
            yield known[question["stem"]], "".join(question["key"])


def _fanpink(path: Path, entry: dict[str, Any]) -> Pairs:
    if path.suffix != ".txt":
        return
    lines = path.read_bytes().decode("gb18030").splitlines()
    for question in entry["questions"]:
        line = int(re.search(r"第 (\d+) 行", question["where"])[1])
        found = next(
            (m for text in lines[line - 1 : line + 12] if (m := re.search(r"正确答案[：:]\s*([A-Z])", text))), None
        )
        if found and question["kind"] == "single_choice":
            yield found[1], "".join(question["key"])


def _qti(path: Path, entry: dict[str, Any]) -> Pairs:
    """An item with one choice interaction and a correct response of its own: the places of the right choices."""
    if path.suffix != ".xml" or path.name == "imsmanifest.xml" or len(entry["questions"]) != 1:
        return
    try:
        root = ET.parse(path).getroot()
    except ET.ParseError:
        return
    nodes = [(re.sub(r"\{.*\}|^qti-|-", "", node.tag).lower(), node) for node in root.iter()]
    interactions = [node for name, node in nodes if name.endswith("interaction")]
    declared = [node for name, node in nodes if name == "responsedeclaration"]
    question = entry["questions"][0]
    if len(interactions) != 1 or len(declared) != 1 or question["kind"] not in _CHOICES:
        return
    choices = [node.get("identifier") for node in interactions[0].iter() if node.get("identifier")]
    right = [
        each.text.strip() for node in declared[0].iter() if "correct" in node.tag.lower() for each in node if each.text
    ]
    if right and all(each in choices for each in right):
        yield sorted(_LETTERS[choices.index(each)] for each in right), question["key"]


def _moodle(path: Path, entry: dict[str, Any]) -> Pairs:
    if path.suffix != ".xml":
        return
    try:
        root = ET.parse(path).getroot()
    except ET.ParseError:
        return
    known: Counter[str] = Counter()
    for node in root.iter("question"):
        if node.get("type") == "multichoice":
            right = [
                each.findtext("text") or "" for each in node.iter("answer") if float(each.get("fraction", "0")) > 0
            ]
            known[_bag(right)] += 1
    for question in entry["questions"]:
        if question["kind"] in _CHOICES:
            said = _said(question)
            yield said if known[said] > 0 else "另一答案", said
            known[said] -= 1


_READERS: dict[str, Callable[[Path, dict[str, Any]], Pairs]] = {
    "shiroha-parser-regression/samples": _shiroha, "gift-grammar-peg": _gift, "/aiken/": _aiken, "disc-law-eval": _law_evaluation,
    "fanpink": _fanpink, "/qti21/": _qti, "/qti22/": _qti, "/qti30/": _qti, "/qti-convert-pairs/": _qti, "/moodle-xml/": _moodle,
}  # fmt: skip


def _say(key: Any) -> str:
    return "".join(key)[:80] if key else "无"


def _page(families: dict[str, Counter[str]], wrong: list[str]) -> str:
    total = sum(families.values(), Counter())
    lines = [
        "# 题库文件读取情况", "",
        "由 `make conformance` 生成：用命令行 `bank import --dry-run --json` 读一遍真实题库文件（环境变量 `EXAMAPP_FIXTURES` 所指的文件夹，不随本项目分发）。",
        "每道题都有去处：题目数 = 可导入 + 待核对 + 不导入。“整个文件不读”是指文件本身不合格式、有意损坏，或不是题库。",
        "“清点”是不读内容、只按题号、选项、题目元素等另数一遍题数；和读到的题数不符的文件，预览里要人核对后才能导入。",
        "“已知答案”由另一套办法从文件或旁边的说明里取出，与读到的答案逐题比较；没有已知答案的文件不比。", "",
        f"| 文件种类 | {' | '.join(_HEADS)} |", f"|---|{'---:|' * len(_HEADS)}",
    ]  # fmt: skip
    lines += [_row(family, counts) for family, counts in sorted(families.items())]
    lines += [_row("合计", total), ""]
    if wrong:
        lines += ["## 与已知答案不符", "", *(f"- {each}" for each in wrong), ""]
    return "\n".join(lines)


_FORMS = {
    "txt": "文本",
    "md": "粘贴的文字",
    "csv": "csv",
    "csv;": "csv，分号隔开",
    "xlsx": "Excel",
    "docx": "Word",
    "html": "网页（存成 .html、.xls）",
}
_OFFICES = {
    "each_way": "答案在题下，各种标记", "in_brackets": "答案在题干括号里", "at_the_end": "答案集中在最后", "levels": "一、（一）1. 三级编号",
    "named_fields": "每行有栏名", "kind_by_number": "题型写在题号旁", "same_line": "选项、答案同一行", "full_width": "全角", "merged_heads": "合并表头的 Excel",
    "word_tables": "Word 里的表格", "case_material": "案例材料和小题",
}  # fmt: skip
_SAVED_AS = {"doc": "docx", "wps": "docx", "rtf": "docx", "odt": "docx", "xls": "xlsx", "ods": "xlsx"}
"""Formats in which LibreOffice saves, and the files that are saved."""
_MADE_SEEDS, _OFFICE_SEEDS, _SAVED_SEEDS = 2600, 100, 5


def _made_families() -> dict[str, list[FileJudgement]]:
    """Judge files made in each shape, a third of them damaged, as each clerk writes them, and saved by LibreOffice where it is installed."""
    families: dict[str, list[FileJudgement]] = {}
    for seed in range(_MADE_SEEDS):
        form = shapes.SHAPES[seed % len(shapes.SHAPES)].form.partition(" ")[0]
        families.setdefault(_FORMS[form], []).append(judge_shape(seed))
    for office, name in _OFFICES.items():
        families[f"各地：{name}"] = [judge_office(office, seed) for seed in range(_OFFICE_SEEDS)]
    if shutil.which("soffice"):
        with ChildReader() as reader:
            for suffix, source in _SAVED_AS.items():
                families[f"由 LibreOffice 另存为 .{suffix}"] = _saved_family(reader, suffix, source)
    return families


def _saved_family(reader: ChildReader, suffix: str, source: str) -> list[FileJudgement]:
    count = len(shapes.SHAPES)
    places = [place for place, shape in enumerate(shapes.SHAPES) if shape.form.partition(" ")[0] == source]
    seeds = (place + count * turn for turn in itertools.count(1) for place in places)
    return [
        judge_shape(seed, lambda written: _saved(reader, written, suffix))
        for seed in itertools.islice(seeds, _SAVED_SEEDS)
    ]


def _saved(reader: ChildReader, written: shapes.Written, suffix: str) -> ParseResult:
    """Read a file after LibreOffice has saved it in another format; .wps is .doc by another name."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, f"source{Path(written.name).suffix}")
        source.write_bytes(written.content)
        kind = {"wps": "doc"}.get(suffix, suffix)
        command = ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to", kind]
        subprocess.run([*command, "--outdir", folder, str(source)], check=True, timeout=120, capture_output=True)
        return reader.read(source.with_suffix(f".{kind}").read_bytes(), f"题库.{suffix}", "auto")


def _made_page(made: dict[str, list[FileJudgement]], silent: list[str]) -> str:
    heads = ("文件", "题目", "读对", "有说明", "错而没有说明", "全对的文件", "整个文件不读", "清点过的文件", "清点不符")
    lines = [
        "## 自造的文件", "",
        "按各单位的写法随机写出、知道里面是什么的文件（`tests/question_bank/shapes.py`、`clerks.py`），前几类有三分之一像传来传去那样弄坏过。",
        "每道题要么读对，要么有说明（待核对、不导入、有损失或清点不符）；“全对的文件”里弄坏过的一律算上。", "",
        f"| 写法 | {' | '.join(heads)} |", f"|---|{'---:|' * len(heads)}",
    ]  # fmt: skip
    lines += [_made_row(name, verdicts) for name, verdicts in made.items()]
    lines += [_made_row("合计", [each for verdicts in made.values() for each in verdicts]), ""]
    return "\n".join([*lines, *(f"- {each}" for each in silent), *([""] if silent else [])])


def _made_row(name: str, verdicts: list[FileJudgement]) -> str:
    results = [verdict.result for verdict in verdicts if verdict.result]
    count, right = sum(len(verdict.bank) for verdict in verdicts), sum(verdict.right for verdict in verdicts)
    silent = sum(len(verdict.wrong) for verdict in verdicts)
    figures = (
        len(verdicts), count, right, count - right - silent, silent, sum(verdict.is_whole for verdict in verdicts), len(verdicts) - len(results),
        sum(result.census is not None for result in results), sum(result.differs_from_census for result in results),
    )  # fmt: skip
    return f"| {name} | {' | '.join(map(str, figures))} |"


def _row(name: str, counts: Counter[str]) -> str:
    return f"| {name} | {' | '.join(str(counts[each]) for each in _COUNTS)} |"


if __name__ == "__main__":
    sys.exit(main())
