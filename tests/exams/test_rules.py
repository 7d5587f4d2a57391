"""Decisions about time, as tables and as laws that hold for all inputs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examapp.delivery.exams import rules as exam_rules
from examapp.delivery.exams.rules import StartRejection, Window

OPENS = datetime(2026, 11, 1, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class ExamTimes:
    opens_at: datetime = OPENS
    closes_at: datetime = OPENS + 600 * MINUTE
    duration_s: int = 3600
    lateness_s: int | None = None
    is_full_duration: bool = False
    grace_s: int = 60
    results_policy: str = "at_once"
    results_at: datetime | None = None
    keys_policy: str = "at_close"
    keys_at: datetime | None = None
    kind: str = "annual"


def rejection(exam, now, sessions=(), *, eligible=True, study_missing=False):
    window = exam_rules.window_at(exam, sessions, now)
    return exam_rules.start_rejection(exam, now, window=window, is_eligible=eligible, is_study_missing=study_missing)


@pytest.mark.parametrize(
    ("minute", "expected"),
    [
        (-1, StartRejection.NOT_OPEN_YET),
        (0, None),
        (30, None),
        (31, StartRejection.TOO_LATE_TO_START),
        (599, StartRejection.TOO_LATE_TO_START),
        (600, StartRejection.WINDOW_CLOSED),
    ],
)
def test_a_start_is_let_in_from_the_opening_until_the_lateness_limit(minute, expected):
    assert rejection(ExamTimes(lateness_s=1800), OPENS + minute * MINUTE) == expected


def test_who_is_not_eligible_or_has_not_studied_is_told_so():
    assert rejection(ExamTimes(), OPENS, eligible=False, study_missing=True) == StartRejection.NOT_ELIGIBLE
    assert rejection(ExamTimes(), OPENS, study_missing=True) == StartRejection.STUDY_REQUIRED
    assert rejection(ExamTimes(), OPENS - MINUTE, study_missing=True) == StartRejection.NOT_OPEN_YET
    assert set(exam_rules.START_REJECTION_LABELS) == set(StartRejection)


def test_between_two_sessions_nobody_starts_and_after_the_last_the_window_is_closed():
    sessions = (
        Window(OPENS, OPENS + 90 * MINUTE, "第一场"),
        Window(OPENS + 120 * MINUTE, OPENS + 210 * MINUTE, "第二场"),
    )
    exam = ExamTimes(lateness_s=1800)
    assert rejection(exam, OPENS + 40 * MINUTE, sessions) == StartRejection.TOO_LATE_TO_START
    assert rejection(exam, OPENS + 100 * MINUTE, sessions) == StartRejection.NOT_OPEN_YET
    assert rejection(exam, OPENS + 130 * MINUTE, sessions) is None
    assert rejection(exam, OPENS + 210 * MINUTE, sessions) == StartRejection.WINDOW_CLOSED


def test_of_overlapping_sessions_the_one_that_lets_a_start_in_applies():
    sessions = (
        Window(OPENS, OPENS + 90 * MINUTE, "第一场"),
        Window(OPENS + 40 * MINUTE, OPENS + 80 * MINUTE, "第二场"),
    )
    exam = ExamTimes(lateness_s=600)
    assert exam_rules.window_at(exam, sessions, OPENS + 45 * MINUTE).name == "第二场"
    assert rejection(exam, OPENS + 45 * MINUTE, sessions) is None


def test_an_exam_closed_early_closes_its_sessions():
    exam = ExamTimes(closes_at=OPENS + 30 * MINUTE)
    assert rejection(exam, OPENS + 30 * MINUTE, (Window(OPENS, OPENS + 90 * MINUTE),)) == StartRejection.WINDOW_CLOSED


@given(late=st.integers(0, 599), duration=st.integers(1, 2000), extension=st.integers(0, 90))
def test_an_attempt_ends_with_its_duration_or_the_window_and_extensions_come_on_top(late, duration, extension):
    started = OPENS + late * MINUTE
    exam = ExamTimes(duration_s=duration * 60)
    window = exam_rules.window_at(exam, (), started)
    plain = exam_rules.deadline(exam, window, started_at=started)
    assert plain == min(started + duration * MINUTE, exam.closes_at)
    assert (
        exam_rules.deadline(exam, window, started_at=started, extension_s=extension * 60) == plain + extension * MINUTE
    )
    full = ExamTimes(duration_s=duration * 60, is_full_duration=True)
    assert exam_rules.deadline(full, window, started_at=started) == started + duration * MINUTE
    assert exam_rules.last_end(full, longest_extension_s=extension * 60) >= exam_rules.deadline(
        full, window, started_at=started, extension_s=extension * 60
    )


def test_keys_are_never_shown_before_results_nor_while_somebody_still_sits():
    exam = ExamTimes()
    assert exam_rules.results_visible_at(exam) == OPENS
    end = exam_rules.last_end(exam, longest_extension_s=900)
    assert exam_rules.keys_visible_at(exam, end=end) == end == exam.closes_at + timedelta(seconds=960)
    assert exam_rules.keys_visible_at(exam, end=end, keys_end=end + MINUTE) == end + MINUTE
    early = ExamTimes(keys_policy="at_once")
    assert exam_rules.keys_visible_at(early) == exam_rules.last_end(early)
    assert exam_rules.keys_visible_at(ExamTimes(keys_policy="at_once", kind="mock")) == OPENS
    late_results = ExamTimes(results_policy="at_time", results_at=OPENS + 900 * MINUTE, keys_policy="at_once")
    assert exam_rules.keys_visible_at(late_results) == OPENS + 900 * MINUTE
    assert exam_rules.keys_visible_at(ExamTimes(results_policy="never", keys_policy="at_once")) is None
    assert exam_rules.keys_visible_at(ExamTimes(keys_policy="never")) is None
    assert not exam_rules.is_visible(None, OPENS)
    assert exam_rules.is_visible(OPENS, OPENS)


def test_faults_of_a_window_are_named():
    exam = ExamTimes(closes_at=OPENS + 100 * MINUTE)
    sessions = [
        Window(OPENS, OPENS + 70 * MINUTE, "第一场"),
        Window(OPENS + 60 * MINUTE, OPENS + 130 * MINUTE, "第二场"),
    ]
    issues = exam_rules.list_window_issues(exam, sessions)
    assert [issue for issue in issues if "第二场" in issue and "不在考试时间之内" in issue]
    assert [issue for issue in issues if "重叠" in issue]
    assert exam_rules.list_window_issues(ExamTimes(duration_s=40_000), []) == [
        "作答时长比考试时间（场次）还长，请延长考试时间或缩短作答时长。"
    ]
    assert (
        exam_rules.list_window_issues(
            ExamTimes(), [Window(OPENS, OPENS + 70 * MINUTE), Window(OPENS + 70 * MINUTE, OPENS + 140 * MINUTE)]
        )
        == []
    )
