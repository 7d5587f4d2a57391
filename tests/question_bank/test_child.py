"""An outsider's file is read in a process of its own."""

import pytest

from examapp.documents.archives import UnreadableFileError
from question_bank.formats.registry import read_file
from question_bank.model import Image, Kind, ParseResult, Question, ReadQuestion
from question_bank.sandbox import ChildReader


def read_in_child(content, name, format_name, **limits):
    with ChildReader(**limits) as reader:
        return reader.read(content, name, format_name)


AIKEN = "谁决定？\nA. 甲\nB. 乙\nANSWER: B\n".encode()


def test_child_reads_what_the_parent_would_read():
    assert read_in_child(AIKEN, "题.txt", "auto") == read_file(AIKEN, "题.txt")


def test_childs_rejection_reaches_the_parent():
    with pytest.raises(UnreadableFileError, match="空"):
        read_in_child(b"", "题.txt", "auto")


@pytest.mark.parametrize("limit", [{"memory": 120 * 1024 * 1024}, {"seconds": 1}])
def test_file_that_takes_too_much_is_rejected(limit):
    content = ("谁？\nA. 甲\nB. 乙\nANSWER: B\n\n" * 100_000).encode()
    with pytest.raises(UnreadableFileError, match="拆成几个文件"):
        read_in_child(content, "题.txt", "aiken", **limit)


def test_reading_with_pictures_survives_the_wire():
    import msgspec

    question = Question(
        kind=Kind.TRUE_FALSE,
        stem="对？",
        options=("正确", "错误"),
        key=("A",),
        images=(Image(name="a.png", media_type="image/png", content=b"\x00\xff"),),
    )
    reading = ParseResult("x", imported=[ReadQuestion(question, "第 1 行")])
    assert msgspec.json.decode(msgspec.json.encode(reading), type=ParseResult) == reading


def test_one_helper_reads_many_files_and_outlives_the_heavy_one():
    heavy = ("谁？\nA. 甲\nB. 乙\nANSWER: B\n\n" * 100_000).encode()
    with ChildReader(seconds=1) as reader:
        assert reader.read(AIKEN, "题.txt", "auto").found == 1
        with pytest.raises(UnreadableFileError, match="拆成几个文件"):
            reader.read(heavy, "题.txt", "aiken")
        assert reader.read(AIKEN, "题.txt", "auto").found == 1


def test_child_reads_answers_from_a_second_file():
    with ChildReader() as reader:
        reading = reader.read("1. 谁？\nA. 甲\nB. 乙\n".encode(), "题.txt", "text", answers=(b"1.B", "答案.txt"))
    assert reading.imported[0].question.key == ("B",)
