"""Run the bank's command line over the real files and write docs/conformance.md: what became of every question, and how many keys are right.

`make conformance` reads the folder that EXAMAPP_FIXTURES names. The known keys are read here by means of their own, not by the readers.
"""

from __future__ import annotations

import csv
import html
import io
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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
    _OUT.write_text(_page(families, wrong), "utf-8")
    print(f"{len(families)} 类文件，{len(wrong)} 个答案与已知结果不符，见 docs/conformance.md")
    return 1 if wrong else 0


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


def _row(name: str, counts: Counter[str]) -> str:
    return f"| {name} | {' | '.join(str(counts[each]) for each in _COUNTS)} |"


if __name__ == "__main__":
    sys.exit(main())
