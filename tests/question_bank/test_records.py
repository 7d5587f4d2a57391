"""JSON of any shape that programs give: usual names are known, others are asked for, nothing is guessed."""

import json

import pytest

from examapp.documents.archives import UnreadableFileError
from question_bank.formats.registry import read_file
from question_bank.model import ColumnNames, UnknownColumnsError

STRANGE = [
    {"q": "谁批准？", "o1": "县政府", "o2": "县公安局", "ans": "B", "w": "因为"},
    {"q": "谁复议？", "o1": "丙", "o2": "丁", "ans": "A", "w": ""},
]
SAID = {"q": "stem:0", "o1": "option:0", "o2": "option:1", "ans": "answer:0", "w": "explanation:0"}
EXPECTED = [("谁批准？", ("县政府", "县公安局"), ("B",), "因为"), ("谁复议？", ("丙", "丁"), ("A",), "")]


def read(value, name="题.json", **said):
    content = value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()
    reading = read_file(content, name, **said)
    assert not reading.needing_review and not reading.rejected, (reading.needing_review, reading.rejected)
    return [
        (one.question.stem, one.question.options, one.question.key, one.question.explanation)
        for one in reading.imported
    ]


def lines(records):
    return "\n".join(json.dumps(record, ensure_ascii=False) for record in records).encode() + b"\n\n"


@pytest.mark.parametrize(
    "names",
    [
        ("questionText", "optionList", "rightAnswer", "rationale"),
        ("题目内容", "备选项", "参考答案", "答案解析"),
        ("question_text", "choices", "correct_answer", "explanation"),
    ],
)
def test_usual_names_are_known_in_a_list_and_in_lines(names):
    stem, options, answer, explanation = names
    records = [{stem: row[0], options: list(row[1]), answer: row[2][0], explanation: row[3]} for row in EXPECTED]
    assert read(records) == read({"data": {"list": records}}) == EXPECTED
    for name in ("题.jsonl", "题.ndjson", "题.json", "粘贴的文字.txt"):
        assert read(lines(records), name) == EXPECTED


def test_options_may_say_themselves_that_they_are_right():
    records = [
        {
            "stem": row[0],
            "options": [{"text": text, "isCorrect": text in {"县公安局", "丙"}} for text in row[1]],
            "analysis": row[3],
        }
        for row in EXPECTED
    ]
    assert read(records) == EXPECTED


@pytest.mark.parametrize("content", [json.dumps(STRANGE).encode(), lines(STRANGE)])
def test_unknown_names_are_asked_for_and_remembered(content):
    with pytest.raises(UnknownColumnsError) as raised:
        read_file(content, "题.json")
    table = raised.value.tables[0]
    assert (raised.value.format_name, table.keys, table.is_known) == ("json", tuple(SAID), False)
    assert read(content, columns=ColumnNames(SAID)) == EXPECTED
    assert read(content, columns=ColumnNames({}, SAID)) == EXPECTED


def test_what_is_said_overrides_a_known_name_and_a_field_may_be_left_out():
    records = [
        {"question": row[3] or "无", "title": row[0], "optionA": row[1][0], "optionB": row[1][1], "answer": row[2][0]}
        for row in EXPECTED
    ]
    said = ColumnNames({"question": "", "title": "stem:0"})
    assert [row[:3] for row in read(records, columns=said)] == [row[:3] for row in EXPECTED]


def test_broken_line_is_named():
    with pytest.raises(UnreadableFileError, match="第 2 行"):
        read_file(b'{"question": "a", "answer": "A"}\n{"question": \n{"question": "b", "answer": "B"}\n', "a.jsonl")
