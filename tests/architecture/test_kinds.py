"""A question kind is named by a comparison only in its own module and in formats, which can say it or cannot."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from question_bank.model import Kind
from tests.architecture.source import nodes_of, tree_of

ROOT = Path(__file__).parents[2]
CODE = sorted([*ROOT.glob("examapp/**/*.py"), *ROOT.glob("question_bank/**/*.py")])
PAGES = sorted([*ROOT.glob("examapp/templates/**/*.html"), *ROOT.glob("examapp/static/**/*.js")])
FREE = ("question_bank/kinds/", "question_bank/formats/", "examapp/templates/kinds/")
ALLOWED = {
    "question_bank/quality.py": "counts the keys of the shipped single choices and statements, and the bank by its three main kinds",
    "examapp/static/js/papers.js": "a case's points go by sub-questions that the blueprint does not know",
}
NAMES = {kind.name for kind in Kind}
CODES = {str(kind) for kind in Kind}
QUOTED = re.compile(rf"""[!=]==?\s*['"]({"|".join(sorted(CODES))})['"]|['"]({"|".join(sorted(CODES))})['"]\s*[!=]=""")
LETTERS = re.compile(r"IN \('[A-Z]'|= '[A-Z]'")


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def is_kind(node: ast.AST) -> bool:
    """Whether an expression names a kind, by the enumeration or by its code."""
    if isinstance(node, ast.Attribute):
        return node.attr in NAMES and "Kind" in ast.unparse(node.value) and "ExamKind" not in ast.unparse(node.value)
    if isinstance(node, ast.Set | ast.Tuple | ast.List):
        return any(is_kind(one) for one in node.elts)
    return isinstance(node, ast.Constant) and node.value in CODES - {"case"}


def named_kinds(tree: ast.AST) -> list[int]:
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and any(is_kind(one) for one in (node.left, *node.comparators)):
            lines.append(node.lineno)
        if isinstance(node, ast.MatchValue) and is_kind(node.value):
            lines.append(node.value.lineno)
    return lines


def test_no_kind_is_named_by_a_comparison_outside_its_module_and_the_formats():
    found = {
        f"{place(path)}:{line} asks for a kind by name: give question_bank/kinds/ an attribute or a method for what differs"
        for path in CODE
        if not place(path).startswith(FREE) and place(path) not in ALLOWED
        for line in named_kinds(tree_of(path))
    }
    assert not found, "\n".join(sorted(found))


def test_no_page_or_script_names_a_kind_outside_its_own_files():
    found = [
        f"{place(path)}:{number} asks for a kind by name: use question_kind(…) or exam.kinds"
        for path in PAGES
        if not place(path).startswith(FREE) and place(path) not in ALLOWED
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if QUOTED.search(line)
    ]
    assert not found, "\n".join(found)


def test_the_saves_sql_knows_no_kind():
    sql = (ROOT / "examapp/delivery/attempts/actions.py").read_text("utf-8")
    assert not LETTERS.search(sql), "the response schema brings two numbers: judge by these"


def test_every_allowance_is_still_needed():
    unused = [
        f"{name}: {reason}"
        for name, reason in ALLOWED.items()
        if not (
            named_kinds(tree_of(ROOT / name))
            if name.endswith(".py")
            else QUOTED.search((ROOT / name).read_text("utf-8"))
        )
    ]
    assert not unused, "\n".join(unused)


def test_the_rule_sees_what_it_forbids():
    seen = "if kind is Kind.CASE: pass\nif a in {Kind.ORDERING}: pass\nif b == 'single_choice': pass\nmatch k:\n  case Kind.CASE: pass\n"
    assert len(named_kinds(ast.parse(seen))) == 4
    assert QUOTED.search("{% if item.kind == 'ordering' %}") and not QUOTED.search("item.kind == other")


def test_readers_make_a_question_only_of_the_one_parsed_question():
    found = [
        f"{place(path)}:{node.lineno} makes a Question: fill a ParsedQuestion and let it validate itself"
        for path in CODE
        if place(path).startswith("question_bank/") and place(path) != "question_bank/formats/parsed.py"
        for node in nodes_of(path)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Question"
    ]
    assert not found, "\n".join(found)
