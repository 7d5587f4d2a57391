"""Ordering questions in the formats that can say them, and named as a loss in those that cannot."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from question_bank.formats import registry
from question_bank.model import Difficulty, Kind, Question

STEPS = ("立案", "调查取证", "告知权利", "作出决定")
ORDER = ["告知权利", "立案", "作出决定", "调查取证"]
REQUESTED = Question(
    kind=Kind.ORDERING,
    stem="将下列步骤按先后排列。",
    options=STEPS,
    key=("C", "A", "D", "B"),
    explanation="见条文。",
    difficulty=Difficulty.EASY,
)
TRUTH = Question(kind=Kind.TRUE_FALSE, stem="先立案。", options=("正确", "错误"), key=("A",))
CASE = Question(kind=Kind.CASE, stem="某局立案查处。", parts=(replace(REQUESTED, difficulty=None), TRUTH))
CANNOT = {"gift", "aiken", "qti-1.2"}


def ordered(question):
    return [question.options["ABCDEFGH".index(letter)] for letter in question.key]


def read_one(content, name, format_name=registry.AUTO):
    reading = registry.read_file(content, name, format_name)
    assert not reading.needing_review and not reading.rejected, (reading.needing_review, reading.rejected)
    (item,) = reading.imported
    return item.question


@pytest.mark.parametrize("name", [each.name for each in registry.writable() if each.name not in CANNOT])
@pytest.mark.parametrize("code", ["", "PX-1"])
def test_an_ordering_question_is_written_and_read_back_in_its_order(name, code):
    written = registry.write_file([replace(REQUESTED, code=code or None)], name)
    found = read_one(written.content, f"题库{registry.get_format(name).suffix}", name)
    assert (found.kind, found.stem, found.explanation) == (Kind.ORDERING, REQUESTED.stem, REQUESTED.explanation)
    assert ordered(found) == ORDER


@pytest.mark.parametrize("name", ["excel", "examtext", "csv", "qti", "qti-2.1", "docx"])
def test_an_ordering_question_within_a_case_is_written_and_read_back(name):
    found = read_one(registry.write_file([CASE], name).content, f"题库{registry.get_format(name).suffix}", name)
    assert [part.kind for part in found.parts] == [Kind.ORDERING, Kind.TRUE_FALSE]
    assert ordered(found.parts[0]) == ORDER


@pytest.mark.parametrize("name", sorted(CANNOT))
def test_a_format_without_ordering_names_the_loss(name):
    written = registry.write_file([REQUESTED], name)
    assert [note.code for note in written.dropped] == ["not_written"]
    assert "排序题" in written.dropped[0].reason


@pytest.mark.parametrize(
    "answer",
    ["CADB", "C,A,D,B", "C→A→D→B", "ｃ、ａ、ｄ、ｂ", "C > A > D > B", ["C", "A", "D", "B"], ORDER, "→".join(ORDER)],
)
def test_orders_are_read_as_people_write_them(answer):
    bank = [{"type": "排序题", "question": REQUESTED.stem, "options": list(STEPS), "answer": answer}]
    found = read_one(json.dumps(bank, ensure_ascii=False).encode(), "bank.json")
    assert (found.kind, ordered(found)) == (Kind.ORDERING, ORDER)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("", "no_key"),
        ("CAD", "incomplete_order"),
        ("CADC", "incomplete_order"),
        ("先立案再决定", "key_unreadable"),
        ("3124", "key_unreadable"),
    ],
)
def test_an_order_that_is_not_clear_goes_to_the_review_list(answer, code):
    bank = [{"type": "排序题", "question": REQUESTED.stem, "options": list(STEPS), "answer": answer}]
    reading = registry.read_file(json.dumps(bank, ensure_ascii=False).encode(), "bank.json")
    assert [(one.note.code, one.question.key) for one in reading.needing_review] == [(code, ())]


MOODLE = """<quiz><question type="ordering"><name><text>x</text></name><questiontext format="html"><text>排列。</text></questiontext>
<layouttype>VERTICAL</layouttype><selecttype>{select}</selecttype><selectcount>2</selectcount>
<answer fraction="1.0" format="html"><text>甲</text></answer><answer fraction="2.0" format="html"><text>乙</text></answer></question></quiz>"""


def test_moodles_ordering_has_its_answers_in_the_right_order():
    assert ordered(read_one(MOODLE.format(select="ALL").encode(), "m.xml")) == ["甲", "乙"]
    reading = registry.read_file(MOODLE.format(select="RANDOM").encode(), "m.xml")
    assert [note.code for note in reading.rejected] == ["kind_not_sat"]


def test_the_own_text_format_rejects_no_order_that_it_can_leave_to_review():
    text = "## px-1 排序题\n题干：排列。\nA：甲\nB：乙\nC：丙\n答案：CA\n"
    reading = registry.read_file(text.encode(), "x.txt")
    assert [one.note.code for one in reading.needing_review] == ["incomplete_order"]
