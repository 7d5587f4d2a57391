"""The registry finds the right format for a file, reads it and writes it."""

import pytest

from examapp.documents.archives import UnreadableFileError
from question_bank.formats.registry import FORMATS, detect, format_names, read_file, write_file
from question_bank.model import Kind, Question

QUESTIONS = (
    Question(
        kind=Kind.SINGLE_CHOICE,
        stem="谁作出决定？",
        options=("县政府", "县公安局", "乡政府"),
        key=("B",),
        code="x-0001",
    ),
    Question(kind=Kind.TRUE_FALSE, stem="可以口头告知。", options=("正确", "错误"), key=("B",), code="x-0002"),
)


@pytest.mark.parametrize("name", format_names(writable=True))
def test_what_a_format_writes_is_known_again_and_reads_back_the_same(name):
    written = write_file(QUESTIONS, name)
    suffix = next(each.suffix for each in FORMATS if each.name == name)
    found = detect(written.content, f"bank{suffix}")
    assert found == name or (found.startswith("qti") and name.startswith("qti"))
    reading = read_file(written.content, f"bank{suffix}")
    read = [
        (item.question.stem.strip().removeprefix("<p>").removesuffix("</p>"), item.question.key)
        for item in reading.imported
    ]
    assert read[0] == ("谁作出决定？", ("B",)) and len(read) + len(written.dropped) >= 2
    assert all(key == ("B",) for _, key in read)


@pytest.mark.parametrize(
    ("content", "name", "format_name"),
    [
        ("谁？\nA. 甲\nB. 乙\nANSWER: B\n", "a.txt", "aiken"),
        ("谁？{=甲 ~乙}\n", "a.gift", "gift"),
        ("题型,题干,选项A,选项B,答案\n单选,谁？,甲,乙,A\n", "a.csv", "csv"),
        ("1. 谁？\nA. 甲\nB. 乙\n答案：A\n", "a.txt", "text"),
        ("## x-1 判断题\n题干：对？\n答案：正确\n", "a.txt", "examtext"),
        ('<?xml version="1.0"?><quiz><question type="truefalse"/></quiz>', "a.xml", "moodle-xml"),
        ("随便写的一段话", "a.pdf", None),
        ("\x00\x01", "a", None),
    ],
)
def test_file_is_known_by_what_it_holds(content, name, format_name):
    assert detect(content.encode(), name) == format_name


@pytest.mark.parametrize(
    ("content", "name", "format_name"),
    [
        (b"", "a.txt", "auto"),
        (b"\x00", "a", "auto"),
        (b"x", "a.txt", "nonsense"),
        (b"PK\x03\x04", "a.xlsx", "auto"),
        (b"<quiz>", "a.xml", "auto"),
    ],
)
def test_what_cannot_be_read_is_rejected_with_what_to_do(content, name, format_name):
    with pytest.raises(UnreadableFileError, match=r"请|可用"):
        read_file(content, name, format_name)


def test_format_that_only_reads_is_not_written():
    with pytest.raises(UnreadableFileError, match="不能导出"):
        write_file(QUESTIONS, next(each.name for each in FORMATS if each.write is None))


def test_keys_come_from_a_second_file_only_where_a_format_knows_such():
    questions = "1. 谁？\nA. 甲\nB. 乙\n".encode()
    assert read_file(questions, "a.txt", answers=(b"1.B", "b.txt")).imported[0].question.key == ("B",)
    with pytest.raises(UnreadableFileError, match="不用另附"):
        read_file("谁？{=甲 ~乙}".encode(), "a.gift", answers=(b"1.B", "b.txt"))


def test_our_own_text_has_the_limits_of_every_file():
    head = "## a 单选题 易\n题干：{stem}\nA：{option}\nB：乙\n答案：{key}\n"
    fine = head.format(stem="甲", option="甲", key="A")
    long = head.format(stem="甲" * 20_001, option="甲", key="A")
    blank = head.format(stem="甲", option="", key="B")
    two = head.format(stem="甲", option="甲", key="AB")
    result = read_file(f"{fine}\n{long}\n{blank}\n{two}".encode(), "a.txt", "examtext")
    assert [note.code for note in result.rejected] == ["too_long", "too_few_options"]
    assert [(one.note.code, one.question.key) for one in result.needing_review] == [("many_keys", ())]
    assert len(result.imported) == 1
