"""Banks in the shapes that offices send, whole and damaged: each question is read right, or said not to be; none is wrong in silence."""

import pytest

from tests.question_bank import clerks
from tests.question_bank.judging import judge_office, judge_shape

FILES, ALL_FILES = 500, 20_000


@pytest.mark.parametrize("part", range(10))
def test_question_of_an_office_s_file_is_right_or_said(part):
    found = [judge_shape(seed) for seed in range(part, FILES, 10)]
    assert [one for verdict in found for one in verdict.wrong] == []
    assert sum(verdict.is_whole for verdict in found) >= 0.98 * len(found)


@pytest.mark.parametrize("seed", [30627, 31017, 31719, 41523, 50343])
def test_question_of_a_file_that_was_once_read_wrongly_in_silence_is_right_or_said(seed):
    assert judge_shape(seed).wrong == []


@pytest.mark.parametrize("office", clerks.OFFICES)
def test_question_of_a_clerk_s_file_is_right_or_said(office):
    found = [judge_office(office, seed) for seed in range(20)]
    assert [one for verdict in found for one in verdict.wrong] == []
    assert all(verdict.is_whole for verdict in found)


@pytest.mark.long
@pytest.mark.parametrize("office", clerks.OFFICES)
def test_question_of_each_of_1000_files_of_a_clerk_is_right_or_said(office):
    found = [judge_office(office, seed) for seed in range(20, 1020)]
    assert [one for verdict in found for one in verdict.wrong] == []
    assert sum(verdict.is_whole for verdict in found) >= 0.98 * len(found)


@pytest.mark.long
@pytest.mark.parametrize("part", range(20))
def test_question_of_each_of_20000_files_is_right_or_said(part):
    assert [one for seed in range(FILES + part, ALL_FILES, 20) for one in judge_shape(seed).wrong] == []
