"""What a question file says is imported whole, imported with a named loss, put on review, or refused: never read wrongly in silence."""

from dataclasses import replace

from question_bank.formats.registry import read_file, write_file
from question_bank.model import Citation, Kind, ParseResult, Question

SINGLE = Question(kind=Kind.SINGLE_CHOICE, stem="谁作出决定？", options=("县政府", "乡政府", "村委会"), key=("B",))


def read(text: str, name: str = "题库.txt") -> ParseResult:
    """Read a text as a file of that name."""
    return read_file(text.encode(), name)


def imported(result: ParseResult) -> list[Question]:
    """Return the questions that were imported, without review."""
    return [item.question for item in result.imported]


def test_own_text_keeps_law_version_and_topic_of_each_question():
    laws = [
        Citation(law="行政处罚法", article="第九条", version="2021-01-22"),
        None,
        Citation(law="行政许可法", article="第二条"),
    ]
    questions = [replace(SINGLE, citation=law, tags=(tag,)) for law in laws for tag in ("执法", "任前")]
    found = imported(read_file(write_file(questions, "examtext").content, "题库.txt"))
    assert [(one.citation, one.tags) for one in found] == [(one.citation, one.tags) for one in questions]


def test_own_text_with_an_option_left_out_is_refused_and_its_key_not_moved():
    result = read("## x-1 单选题\n题干：谁？\nA：甲\nC：丙\nD：丁\n答案：C\n")
    assert imported(result) == [] and [note.code for note in result.rejected] == ["option_missing"]


def test_own_text_reads_tags_and_a_range_as_key():
    (found,) = imported(read("## x-1 多选题\n题干：谁？\nA：甲\nB：乙\nC：丙\nD：丁\n答案：A至C\n标签：新法；重点\n"))
    assert (found.key, found.tags) == (("A", "B", "C"), ("新法", "重点"))
