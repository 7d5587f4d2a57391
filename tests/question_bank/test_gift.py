import json
import os
from decimal import Decimal
from pathlib import Path

import pytest

from examapp.documents.decoding import decode_plain_text
from question_bank.formats import gift
from question_bank.formats.gift_syntax import blocks, parse
from question_bank.model import Citation, Difficulty, Kind, Question


def fixtures() -> Path:
    root = os.environ.get("EXAMAPP_FIXTURES")
    if not root:
        pytest.skip("EXAMAPP_FIXTURES is unset: the fixtures folder is not here")
    return Path(root) / "questions" / "gift"


def read(text: str):
    return gift.read(text.encode(), name="x.gift")


def one(text: str):
    reading = read(text)
    assert reading.found == len(reading.imported) == 1, reading
    return reading.imported[0]


def said(text):
    return None if text is None else {"format": text.format, "text": text.text}


def as_json(question):
    entry = {"type": question.type.value, "title": question.title}
    if question.type == "Category":
        return entry
    entry |= {"id": question.code, "stem": said(question.stem), "global": said(question.global_feedback)}
    if question.type == "TF":
        notes = [said(note) for note in question.notes] + [None, None]
        entry |= {"isTrue": question.is_true, "notes": notes[:2]}
    if question.type in {"MC", "Short"}:
        entry["choices"] = [(a.is_correct, a.weight, said(a.text), said(a.feedback)) for a in question.answers]
    return entry


def expected_json(entry):
    wanted = {"type": entry["type"], "title": entry.get("title")}
    if entry["type"] == "Category":
        return wanted
    wanted |= {"id": entry.get("id"), "stem": entry["stem"], "global": entry.get("globalFeedback")}
    if entry["type"] == "TF":
        wanted |= {"isTrue": entry["isTrue"], "notes": [entry.get("trueFeedback"), entry.get("falseFeedback")]}
    if entry["type"] in {"MC", "Short"}:
        wanted["choices"] = [
            (c["isCorrect"], None if c["weight"] is None else Decimal(str(c["weight"])), c["text"], c["feedback"])
            for c in entry["choices"]
        ]
    return wanted


def test_every_block_of_the_grammar_samples_is_parsed_as_expected():
    for path in sorted((fixtures() / "gift-grammar-peg").glob("*.gift")):
        parsed = [as_json(parse(block)) for block in blocks(decode_plain_text(path.read_bytes()))]
        assert parsed == [expected_json(entry) for entry in json.loads(path.with_suffix(".json").read_text())], (
            path.name
        )


def test_counts_of_the_grammar_samples_add_up():
    for path in sorted((fixtures() / "gift-grammar-peg").glob("*.gift")):
        reading = gift.read(path.read_bytes(), name=path.name)
        entries = json.loads(path.with_suffix(".json").read_text())
        assert reading.found == sum(1 for e in entries if e["type"] not in {"Category", "Description"}), path.name


def test_moodle_examples_reject_only_matching_and_ranges():
    reading = gift.read((fixtures() / "moodle-core" / "examples.txt").read_bytes(), name="examples.txt")
    assert {note.code for note in reading.rejected} == {"kind_not_sat"}
    assert not reading.needing_review


def test_single_choice_has_its_key_and_feedback_in_the_explanation():
    got = one("Who?{~Grant#no ~Jefferson =no one#yes####In general}").question
    assert (got.kind, got.options, got.key) == (Kind.SINGLE_CHOICE, ("Grant", "Jefferson", "no one"), ("C",))
    assert got.explanation == "In general\nA：no\nC：yes"


def test_weights_of_equal_size_make_a_multiple_choice_without_loss():
    got = one("Who?{~No ~%50%Grant ~%50%Wife ~Father}")
    assert (got.question.kind, got.question.key, got.dropped) == (Kind.MULTIPLE_CHOICE, ("B", "C"), ())


def test_unequal_weights_are_a_named_loss():
    got = one("Who?{~No ~%70%Grant ~%30%Wife ~%-100%Father}")
    assert {dropped_item.code for dropped_item in got.dropped} == {"partial_credit", "negative_marks"}


def test_choice_without_a_right_answer_needs_review_and_its_key_is_not_guessed():
    reading = read("Who?{~a ~b ~c}")
    assert [d.note.code for d in reading.needing_review] == ["no_key"]
    assert reading.needing_review[0].question.key == ()


def test_two_fully_right_options_of_a_single_choice_need_review():
    assert read("Who?{=a =b ~c}").needing_review[0].note.code == "two_keys"


def test_options_named_true_and_false_become_a_true_false_question_whatever_their_order():
    assert one("x?{=错误 ~正确}").question.key == ("B",)
    assert one("x?{=错误 ~正确}").question.options == ("正确", "错误")


def test_matching_and_ranges_are_rejected_by_name_with_their_line():
    reading = read("a{=1 -> 2 =3 -> 4}\n\nb{#1..5}\n\nc{#3:1}")
    assert [(note.code, note.where) for note in reading.rejected] == [
        ("kind_not_sat", "第 1 行"), ("kind_not_sat", "第 3 行"), ("kind_not_sat", "第 5 行"),
    ]  # fmt: skip


def test_exact_number_becomes_a_blank_with_a_named_loss():
    got = one("2+2?{#4}")
    assert (got.question.blanks, [dropped_item.code for dropped_item in got.dropped]) == (
        (("4",),),
        ["numeric_as_text"],
    )


def test_blank_lines_inside_braces_do_not_end_a_question():
    reading = read("a?{\n=x#note\n\nmore\n~y\n}\n\nb?{T}")
    assert reading.found == 2


@pytest.mark.parametrize(
    ("text", "blanks"),
    [
        ("::甲:: 处罚由{县政府}决定。", (("县政府",),)),
        ("::甲:: 处罚由{县政府=县人民政府}决定。", (("县政府", "县人民政府"),)),
        ("在{三十日}内由{=县政府 =县人民政府}决定。", (("三十日",), ("县政府", "县人民政府"))),
    ],
)
def test_answers_without_a_sign_and_several_braces_are_blanks(text, blanks):
    (got,) = read(text).imported
    assert got.question.blanks == blanks and got.question.stem.count("____") == len(blanks)
    assert [note.code for note in got.dropped] == ["bare_answer"]


def test_letter_or_judgement_without_a_sign_is_a_person_s_to_decide():
    for text in ("谁？{B}", "对吗？{正确}", "在{三十日}内，{√}"):
        assert [item.note.code for item in read(text).needing_review] == ["bare_answer"]
    (choice,) = read("谁？{县~=乡~村}").imported
    assert (choice.question.options, choice.question.key) == (("县", "乡", "村"), ("B",))
    assert [note.code for note in read("a {=x} b {=y ~z}").rejected] == ["malformed"]


def test_unclosed_brace_is_rejected_and_does_not_swallow_the_next_question():
    reading = read("a?{=x ~y\n\nb?{T}")
    assert [note.code for note in reading.rejected] == ["malformed"]
    assert reading.imported[0].question.stem == "b?"


def test_export_then_import_gives_the_same_questions():
    questions = [
        Question(kind=Kind.SINGLE_CHOICE, stem="1+1=? {a}\n第二行", options=("50%的人", "~b", "c#d:e\\"), key=("B",), explanation="因为=1",
                 citation=Citation(law="宪法", article="第一条", version="2018-03-11"), knowledge_points=("总纲",),
                 difficulty=Difficulty.EASY, tags=("t",), code="Q-1"),
        Question(kind=Kind.MULTIPLE_CHOICE, stem="多选", options=("甲", "乙", "丙"), key=("A", "B", "C")),
        Question(kind=Kind.TRUE_FALSE, stem="判断", options=("正确", "错误"), key=("B",), explanation="不对"),
        Question(kind=Kind.FILL_BLANK, stem="第____条", blanks=(("一", "1*"),)),
        Question(kind=Kind.SHORT_ANSWER, stem="简答"),
        Question(kind=Kind.SINGLE_CHOICE, stem="<p>甲 <b>乙</b></p>", options=("<i>1</i>", "2&lt;3"), key=("B",), is_html=True),
    ]  # fmt: skip
    written = gift.write(questions)
    reading = gift.read(written.content, name="x.gift")
    assert written.dropped == []
    assert [r.question for r in reading.imported] == questions


def test_export_names_what_gift_cannot_say():
    case = Question(kind=Kind.CASE, stem="案情", parts=(Question(kind=Kind.SHORT_ANSWER, stem="问", key=("答",)),))
    blanks = Question(kind=Kind.FILL_BLANK, stem="__和__", blanks=(("a",), ("b",)))
    pointed = Question(kind=Kind.SHORT_ANSWER, stem="问", key=("答",), points=Decimal(5))
    written = gift.write([case, blanks, pointed])
    assert [dropped_item.code for dropped_item in written.dropped] == [
        "not_written",
        "not_written",
        "fields_not_written",
    ]
    assert gift.read(written.content, name="x").found == 1


def test_gift_is_recognised_by_its_answers():
    assert gift.looks_like("甲{=a ~b}".encode(), "x.txt")
    assert gift.looks_like(b"{ =Asia } is big", "x.txt")
    assert not gift.looks_like("1. 题干（A）\nA. x".encode(), "x.txt")
    assert not gift.looks_like(b'{"a": 1}', "x.txt")
