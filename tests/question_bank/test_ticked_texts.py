"""Texts that mark the right options themselves, as 问卷星 and many teachers do."""

import pytest

from question_bank.formats.registry import read_file

SHAPES = ["{} √", "{}(正确答案)", "{}（正确答案）", "{} （√）", "{}✓"]


def read(text):
    return read_file(text.encode(), "粘贴的文字.txt")


@pytest.mark.parametrize("shape", SHAPES)
def test_marked_options_are_the_key_and_lose_their_marks(shape):
    right = shape.format
    text = f"1. 谁批准？ [单选题]\nA. 县政府\nB. {right('县公安局')}\n2. 哪些？[多选题]\nA.{right('甲')}\nB.乙\nC.{right('丙')}\n"
    reading = read(text)
    assert not reading.needing_review and not reading.rejected, (reading.needing_review, reading.rejected)
    questions = [(one.question.options, one.question.key) for one in reading.imported]
    assert questions == [(("县政府", "县公安局"), ("B",)), (("甲", "乙", "丙"), ("A", "C"))]


def test_marks_on_every_option_are_all_taken_off():
    question = read("1. 谁批准？\nA. 县政府 ×\nB. 县公安局 √\nC. 丙 ×\n").imported[0].question
    assert (question.options, question.key) == (("县政府", "县公安局", "丙"), ("B",))


def test_mark_and_answer_that_differ_need_a_review():
    reading = read("1. 谁批准？\nA. 县政府\nB. 县公安局 √\n答案：A\n")
    assert not reading.imported and reading.needing_review[0].note.code == "two_keys"
    assert len(read("1. 谁批准？\nA. 县政府\nB. 县公安局 √\n答案：B\n").imported) == 1
