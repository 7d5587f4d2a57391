"""When a candidate may start, how long an attempt lasts, and when results and keys are shown: pure decisions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Protocol


class TimedExam(Protocol):
    """What the decisions about time need of an exam."""

    @property
    def opens_at(self) -> datetime:
        """When the window opens."""

    @property
    def closes_at(self) -> datetime:
        """When the window closes."""

    @property
    def duration_s(self) -> int:
        """How long an attempt lasts."""

    @property
    def lateness_s(self) -> int | None:
        """How late a start is let in, None for no limit."""

    @property
    def is_full_duration(self) -> bool:
        """Whether an attempt may run beyond the window."""

    @property
    def grace_s(self) -> int:
        """How long after the deadline a hand-in still arrives."""


class ReleasedExam(TimedExam, Protocol):
    """What the decisions about release need of an exam."""

    @property
    def kind(self) -> str:
        """A word of ExamKind."""

    @property
    def results_policy(self) -> str:
        """A word of ReleasePolicy."""

    @property
    def results_at(self) -> datetime | None:
        """The instant where the policy is `at_time`."""

    @property
    def keys_policy(self) -> str:
        """A word of ReleasePolicy."""

    @property
    def keys_at(self) -> datetime | None:
        """The instant where the policy is `at_time`."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span in which starts are let in: a session (场次), or the whole window of an exam without sessions."""

    opens_at: datetime
    closes_at: datetime
    name: str = ""


class StartRejection(StrEnum):
    """Why a start is rejected; the words are the protocol's."""

    NOT_ELIGIBLE = "not_eligible"
    NOT_OPEN_YET = "not_open_yet"
    WINDOW_CLOSED = "window_closed"
    TOO_LATE_TO_START = "too_late_to_start"
    STUDY_REQUIRED = "study_required"


START_REJECTION_LABELS = {
    StartRejection.NOT_ELIGIBLE: "您不在这场考试的应考人员名单中。如有疑问，请联系本单位管理员。",
    StartRejection.NOT_OPEN_YET: "考试尚未开始。开考后可从本考试的说明页进入。",
    StartRejection.WINDOW_CLOSED: "考试已经结束，不能再开始作答。是否有补考，请留意通知。",
    StartRejection.TOO_LATE_TO_START: "已超过允许迟到的时间，本场不能再进入。请参加后续场次或补考。",
    StartRejection.STUDY_REQUIRED: "还没有完成考前必修的学习内容，完成后即可参加考试。",
}


class ExamPhase(StrEnum):
    """Where an exam stands by the clock; the words are the protocol's."""

    UPCOMING = "upcoming"
    OPEN = "open"
    CLOSED = "closed"


def phase(exam: TimedExam, now: datetime) -> ExamPhase:
    """Tell whether an exam is upcoming, open or closed by its outer window."""
    if now < exam.opens_at:
        return ExamPhase.UPCOMING
    return ExamPhase.OPEN if now < exam.closes_at else ExamPhase.CLOSED


def window_at(exam: TimedExam, sessions: Sequence[Window], now: datetime, *, own: Sequence[Window] = ()) -> Window:
    """Give the window that applies at an instant: the one running, else the next one, else the last; without sessions the exam's own.

    `own` are windows that one person was granted beside these, also outside the exam's. Where sessions overlap, of those running the one that still lets a start in and closes last.
    """
    windows = [_cut(exam, session) for session in sessions] or [Window(exam.opens_at, exam.closes_at)]
    windows += own
    running = [window for window in windows if window.opens_at <= now < window.closes_at]
    if running:
        return max(running, key=lambda window: (not is_too_late(exam, window, now), window.closes_at))
    coming = [window for window in windows if now < window.opens_at]
    if coming:
        return min(coming, key=lambda window: window.opens_at)
    return max(windows, key=lambda window: window.closes_at)


def _cut(exam: TimedExam, session: Window) -> Window:
    """Keep a session within the exam's window: an exam closed early closes its sessions too."""
    return Window(session.opens_at, min(session.closes_at, exam.closes_at), session.name)


def is_too_late(exam: TimedExam, window: Window, now: datetime) -> bool:
    """Tell whether the lateness limit of a window has passed."""
    return exam.lateness_s is not None and now > window.opens_at + timedelta(seconds=exam.lateness_s)


def start_rejection(
    exam: TimedExam, now: datetime, *, window: Window, is_eligible: bool, is_study_missing: bool
) -> StartRejection | None:
    """Say why a start is rejected at this instant, None where it is let in. Attempts used up are judged in `attempt_starts`."""
    if not is_eligible:
        return StartRejection.NOT_ELIGIBLE
    if now < window.opens_at:
        return StartRejection.NOT_OPEN_YET
    if now >= window.closes_at:
        return StartRejection.WINDOW_CLOSED
    if is_too_late(exam, window, now):
        return StartRejection.TOO_LATE_TO_START
    return StartRejection.STUDY_REQUIRED if is_study_missing else None


def deadline(exam: TimedExam, window: Window, *, started_at: datetime, extension_s: int = 0) -> datetime:
    """Give when an attempt ends: the earlier of start + duration and the window's end (by a setting the full duration), plus extensions."""
    full = started_at + timedelta(seconds=exam.duration_s)
    end = full if exam.is_full_duration else min(full, window.closes_at)
    return end + timedelta(seconds=extension_s)


def last_end(exam: TimedExam, *, longest_extension_s: int = 0) -> datetime:
    """Give the instant after which nobody can still be attempt the exam."""
    beyond_s = exam.grace_s + longest_extension_s + (exam.duration_s if exam.is_full_duration else 0)
    return exam.closes_at + timedelta(seconds=beyond_s)


def results_visible_at(exam: ReleasedExam, *, end: datetime | None = None) -> datetime | None:
    """Give from when a graded result is shown to its candidate; None for never. At once means from the opening on.

    `end` is when the last attempt ends where that is known better than by the window.
    """
    return _visible_at(exam, exam.results_policy, exam.results_at, end or last_end(exam))


def keys_visible_at(
    exam: ReleasedExam, *, end: datetime | None = None, keys_end: datetime | None = None
) -> datetime | None:
    """Give from when keys and explanations are shown: never before the result, and of an exam that counts never before `keys_end`.

    `keys_end` is when the last attempt that may still be written has ended, its make-ups included. A mock may show its keys at once.
    """
    end = end or last_end(exam)
    keys = _visible_at(exam, exam.keys_policy, exam.keys_at, end)
    results = results_visible_at(exam, end=end)
    if keys is None or results is None:
        return None
    return max(keys, results) if exam.kind == "mock" else max(keys, results, keys_end or end)


def shows_keys_early(exam: ReleasedExam) -> bool:
    """Tell whether an exam shows keys before its window has closed: only a mock can."""
    keys_at = keys_visible_at(exam)
    return exam.kind == "mock" and keys_at is not None and keys_at < exam.closes_at


def _visible_at(exam: ReleasedExam, policy: str, at: datetime | None, end: datetime) -> datetime | None:
    if policy == "at_once":
        return exam.opens_at
    if policy == "at_close":
        return end
    return at if policy == "at_time" else None


def is_visible(visible_at: datetime | None, now: datetime) -> bool:
    """Tell whether an instant of release has come."""
    return visible_at is not None and visible_at <= now


def list_window_issues(exam: TimedExam, sessions: Sequence[Window]) -> list[str]:
    """Say in Chinese what is wrong with an exam's window and sessions; sessions may not overlap or leave the window."""
    issues = [
        f"场次“{session.name}”的时间不在考试时间之内，请调整。"
        for session in sessions
        if session.opens_at < exam.opens_at or session.closes_at > exam.closes_at
    ]
    in_order = sorted(sessions, key=lambda session: session.opens_at)
    issues += [
        f"场次“{earlier.name}”和“{later.name}”的时间重叠，请错开。"
        for earlier, later in pairwise(in_order)
        if later.opens_at < earlier.closes_at
    ]
    shortest_s = min(((w.closes_at - w.opens_at).total_seconds() for w in sessions), default=None)
    if shortest_s is None:
        shortest_s = (exam.closes_at - exam.opens_at).total_seconds()
    if exam.duration_s > shortest_s and not exam.is_full_duration:
        issues.append("作答时长比考试时间（场次）还长，请延长考试时间或缩短作答时长。")
    return issues


_TITLE_PARTS = re.compile("(国家工作人员|公职人员|行政执法人员|学法用法|普法|考试|补考)")


def title_parts(title: str) -> list[str]:
    """Split an exam's title into the parts within which no line of a poster breaks."""
    return [part for part in _TITLE_PARTS.split(title) if part]
