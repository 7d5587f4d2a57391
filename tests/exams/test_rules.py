"""Decisions about time, as tables and as laws that hold for all inputs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examapp.delivery.exams import rules as exam_rules
from examapp.delivery.exams.rules import StartRefusal, Window

OPENS = datetime(2026, 11, 1, 0, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@dataclass
class Settings:
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


def refusal(exam, now, sessions=(), *, eligible=True, study_missing=False):
    window = exam_rules.window_at(exam, sessions, now)
    return exam_rules.start_refusal(exam, now, window=window, is_eligible=eligible, is_study_missing=study_missing)


@pytest.mark.parametrize(
    ("minute", "expected"),
    [
        (-1, StartRefusal.NOT_OPEN_YET),
        (0, None),
        (30, None),
        (31, StartRefusal.TOO_LATE_TO_START),
        (599, StartRefusal.TOO_LATE_TO_START),
        (600, StartRefusal.WINDOW_CLOSED),
    ],
)
def test_a_start_is_let_in_from_the_opening_until_the_lateness_limit(minute, expected):
    assert refusal(Settings(lateness_s=1800), OPENS + minute * MINUTE) == expected


def test_who_is_not_eligible_or_has_not_studied_is_told_so():
    assert refusal(Settings(), OPENS, eligible=False, study_missing=True) == StartRefusal.NOT_ELIGIBLE
    assert refusal(Settings(), OPENS, study_missing=True) == StartRefusal.STUDY_REQUIRED
    assert refusal(Settings(), OPENS - MINUTE, study_missing=True) == StartRefusal.NOT_OPEN_YET
    assert set(exam_rules.START_REFUSAL_WORDS) == set(StartRefusal)


def test_between_two_sessions_nobody_starts_and_after_the_last_the_window_is_closed():
    sessions = (
        Window(OPENS, OPENS + 90 * MINUTE, "第一场"),
        Window(OPENS + 120 * MINUTE, OPENS + 210 * MINUTE, "第二场"),
    )
    exam = Settings(lateness_s=1800)
    assert refusal(exam, OPENS + 40 * MINUTE, sessions) == StartRefusal.TOO_LATE_TO_START
    assert refusal(exam, OPENS + 100 * MINUTE, sessions) == StartRefusal.NOT_OPEN_YET
    assert refusal(exam, OPENS + 130 * MINUTE, sessions) is None
    assert refusal(exam, OPENS + 210 * MINUTE, sessions) == StartRefusal.WINDOW_CLOSED


def test_of_overlapping_sessions_the_one_that_lets_a_start_in_applies():
    sessions = (
        Window(OPENS, OPENS + 90 * MINUTE, "第一场"),
        Window(OPENS + 40 * MINUTE, OPENS + 80 * MINUTE, "第二场"),
    )
    exam = Settings(lateness_s=600)
    assert exam_rules.window_at(exam, sessions, OPENS + 45 * MINUTE).name == "第二场"
    assert refusal(exam, OPENS + 45 * MINUTE, sessions) is None


def test_an_exam_closed_early_closes_its_sessions():
    exam = Settings(closes_at=OPENS + 30 * MINUTE)
    assert refusal(exam, OPENS + 30 * MINUTE, (Window(OPENS, OPENS + 90 * MINUTE),)) == StartRefusal.WINDOW_CLOSED


@given(late=st.integers(0, 599), duration=st.integers(1, 2000), extension=st.integers(0, 90))
def test_a_sitting_ends_with_its_duration_or_the_window_and_extensions_come_on_top(late, duration, extension):
    started = OPENS + late * MINUTE
    exam = Settings(duration_s=duration * 60)
    window = exam_rules.window_at(exam, (), started)
    plain = exam_rules.deadline(exam, window, started_at=started)
    assert plain == min(started + duration * MINUTE, exam.closes_at)
    assert (
        exam_rules.deadline(exam, window, started_at=started, extension_s=extension * 60) == plain + extension * MINUTE
    )
    full = Settings(duration_s=duration * 60, is_full_duration=True)
    assert exam_rules.deadline(full, window, started_at=started) == started + duration * MINUTE
    assert exam_rules.last_end(full, longest_extension_s=extension * 60) >= exam_rules.deadline(
        full, window, started_at=started, extension_s=extension * 60
    )


def test_keys_are_never_shown_before_results_nor_while_somebody_still_sits():
    exam = Settings()
    assert exam_rules.results_visible_at(exam) == OPENS
    end = exam_rules.last_end(exam, longest_extension_s=900)
    assert exam_rules.keys_visible_at(exam, end=end) == end == exam.closes_at + timedelta(seconds=960)
    assert exam_rules.keys_visible_at(exam, end=end, keys_end=end + MINUTE) == end + MINUTE
    early = Settings(keys_policy="at_once")
    assert exam_rules.keys_visible_at(early) == exam_rules.last_end(early)
    assert exam_rules.keys_visible_at(Settings(keys_policy="at_once", kind="mock")) == OPENS
    late_results = Settings(results_policy="at_time", results_at=OPENS + 900 * MINUTE, keys_policy="at_once")
    assert exam_rules.keys_visible_at(late_results) == OPENS + 900 * MINUTE
    assert exam_rules.keys_visible_at(Settings(results_policy="never", keys_policy="at_once")) is None
    assert exam_rules.keys_visible_at(Settings(keys_policy="never")) is None
    assert not exam_rules.is_visible(None, OPENS)
    assert exam_rules.is_visible(OPENS, OPENS)


def test_faults_of_a_window_are_named():
    exam = Settings(closes_at=OPENS + 100 * MINUTE)
    sessions = [
        Window(OPENS, OPENS + 70 * MINUTE, "第一场"),
        Window(OPENS + 60 * MINUTE, OPENS + 130 * MINUTE, "第二场"),
    ]
    faults = exam_rules.window_faults(exam, sessions)
    assert [fault for fault in faults if "第二场" in fault and "不在考试时间之内" in fault]
    assert [fault for fault in faults if "重叠" in fault]
    assert exam_rules.window_faults(Settings(duration_s=40_000), []) == [
        "作答时长比考试时间（场次）还长，请延长考试时间或缩短作答时长。"
    ]
    assert (
        exam_rules.window_faults(
            Settings(), [Window(OPENS, OPENS + 70 * MINUTE), Window(OPENS + 70 * MINUTE, OPENS + 140 * MINUTE)]
        )
        == []
    )
