"""Records of questions in JSON under further names and in further lists: each was once refused or without its key."""

import json

import pytest

from question_bank.formats.registry import read_file
from question_bank.model import Kind

SINGLE = ("行政法规由哪个机关制定？", ("国务院", "县政府", "法院"), "A")
MULTIPLE = ("哪些机关可以制定地方性法规？", ("省人大", "村委会", "设区的市人大"), "AC")
TRUTH = "宪法具有最高的法律效力。"
EXPECTED = [(SINGLE[0], SINGLE[1], ("A",)), (MULTIPLE[0], MULTIPLE[1], ("A", "C"))]


def read(value, name="题.json"):
    reading = read_file(json.dumps(value, ensure_ascii=False).encode(), name)
    assert not reading.needing_review and not reading.rejected, (reading.needing_review, reading.rejected)
    assert not reading.differs_from_census, (reading.census, reading.found)
    return [(one.question.stem, one.question.options, one.question.key) for one in reading.imported]


def plain(**names):
    """Return both questions with their stems, options and keys under these names."""
    return [
        {names["stem"]: stem, names["options"]: list(options), names["answer"]: key}
        for stem, options, key in (SINGLE, MULTIPLE)
    ]


def flagged(stem, options, key, **more):
    return {
        "title": stem,
        "answers": [{"text": text, "correct": letter in key} for letter, text in zip("ABC", options, strict=True)],
        **more,
    }


@pytest.mark.parametrize(
    "names",
    [
        {"stem": "questionStem", "options": "optionsContent", "answer": "right-answer"},
        {"stem": "statement", "options": "option_list", "answer": "answer"},
        {"stem": "Title", "options": "Options", "answer": "Answer"},
        {"stem": "题目题干", "options": "备选项", "answer": "正确选项"},
        {"stem": "text", "options": "choices", "answer": "correct_answer"},
    ],
)
def test_fields_are_known_by_how_their_names_are_built(names):
    assert read(plain(**names)) == EXPECTED


@pytest.mark.parametrize(
    "wrap",
    [
        lambda one, two: {
            "exam": {"title": "学法"},
            "sections": [{"name": "一", "questions": [one]}, {"name": "二", "questions": [two]}],
        },
        lambda one, two: {"101": one, "102": two},
        lambda one, two: {"bank": {"chapters": {"first": [one], "second": [two]}}},
        lambda one, two: {"code": 0, "data": {"page": {"records": [one, two]}}},
    ],
)
def test_records_are_found_in_any_list(wrap):
    assert read(wrap(*plain(stem="question", options="options", answer="answer"))) == EXPECTED


def test_lists_are_named_after_kinds():
    single, multiple = plain(stem="title", options="options", answer="answer")
    value = {"single": [single], "multiple": [multiple], "judge": [{"title": TRUTH, "answer": True}]}
    reading = read_file(json.dumps(value).encode(), "题.json")
    kinds = [(one.question.kind, one.question.key) for one in reading.imported]
    assert kinds == [(Kind.SINGLE_CHOICE, ("A",)), (Kind.MULTIPLE_CHOICE, ("A", "C")), (Kind.TRUE_FALSE, ("A",))]


def test_questions_below_a_long_stem_are_a_case_and_below_a_title_a_bank():
    questions = plain(stem="stem", options="options", answer="reference-answer")
    material = "2024年3月，某县市场监督管理局接到举报，称王某经营的小吃店使用过期食品原料。"
    (case,) = read_file(json.dumps([{"stem": material, "questions": questions}]).encode(), "题.json").imported
    assert case.question.stem == material
    assert [(part.stem, part.options, part.key) for part in case.question.parts] == EXPECTED
    assert read([{"title": "宪法题库", "questions": questions}]) == EXPECTED


@pytest.mark.parametrize("key", [("A", [0]), ("AC", [0, 2])])
def test_answers_by_place_and_by_the_options_own_names(key):
    letters, places = key
    stem, options, _ = MULTIPLE if len(places) > 1 else SINGLE
    expected = [(stem, options, tuple(letters))]
    assert (
        read([{"question": stem, "options": list(options), "correct": places}, {"question": TRUTH, "correct": True}])[
            :1
        ]
        == expected
    )
    ids = [{"id": 900 + place, "text": text} for place, text in enumerate(options)]
    assert read([{"question": stem, "options": ids, "answer": [900 + place for place in places]}]) == expected
    values = [{"value": f"item{place}", "text": text} for place, text in enumerate(options)]
    assert (
        read(
            {
                "pages": [
                    {
                        "elements": [
                            {"title": stem, "choices": values, "correctAnswer": [f"item{place}" for place in places]}
                        ]
                    }
                ]
            }
        )
        == expected
    )


def test_options_say_themselves_whether_they_are_right_in_json_within_json_too():
    assert read([flagged(*SINGLE), flagged(*MULTIPLE)]) == EXPECTED
    packed = [
        {
            "Title": stem,
            "DataJson": json.dumps(
                [{"Content": text, "IsCorrect": letter in key} for letter, text in zip("ABC", options, strict=True)]
            ),
        }
        for stem, options, key in (SINGLE, MULTIPLE)
    ]
    assert read([{**one, "Answer": answer} for one, answer in zip(packed, ("0", "0,2"), strict=True)]) == EXPECTED


def test_answer_beside_options_that_say_otherwise_needs_a_review():
    reading = read_file(
        json.dumps(
            [{**flagged(*SINGLE), "answer": "B", "options": flagged(*SINGLE)["answers"], "answers": None}]
        ).encode(),
        "题.json",
    )
    assert [(one.note.code, one.question.key) for one in reading.needing_review] == [("two_keys", ())]


def test_options_in_one_text_are_read():
    items = [
        {
            "题干": stem,
            "选项": "\n".join(f"{letter}. {text}" for letter, text in zip("ABC", options, strict=True)),
            "答案": key,
        }
        for stem, options, key in (SINGLE, MULTIPLE)
    ]
    assert read(items) == EXPECTED


def test_options_that_are_only_true_and_false_make_a_true_false_question():
    items = [
        {"stem": TRUTH, "choices": ["正确", "错误"], "answer": "正确"},
        {"stem": "是否需要批准？", "choices": ["是", "否"], "answer": "A"},
    ]
    reading = read_file(json.dumps(items).encode(), "题.json")
    kinds = [(one.question.kind, one.question.key, one.question.options) for one in reading.imported]
    assert kinds == [(Kind.TRUE_FALSE, ("A",), ("正确", "错误")), (Kind.SINGLE_CHOICE, ("A",), ("是", "否"))]
