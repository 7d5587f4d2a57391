"""Rules of reminders and snapshots, as pure functions: whom to remind, what the moment of a snapshot must be, what a file of results is encrypted for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta

from examapp.clock import local
from examapp.delivery.exams.models import Exam
from examapp.delivery.exams.rules import is_visible, results_visible_at
from examapp.platform.notices.rules import is_quiet

OVERDUE = {"not_started": "未开始", "in_progress": "已开始未交卷", "failed": "不合格"}
"""Groups of people that are reminded, by the group's name in the reports; who has signed in is nobody's business."""
REMINDER_KIND = "chase"
REMINDER_KINDS = {"not_started": REMINDER_KIND, "in_progress": "chase.in_progress", "failed": "chase.failed"}
"""The kind of message that goes to each group."""
RESULTS_RULE = "results"
MAX_REMINDED = 20_000
MAX_CALLED = 5_000
MAX_CALLED_ALONE = 200
"""How many of its own people a unit calls without a second person's consent, each list with its purpose in the log."""
MAX_REASON_LENGTH = 100


def once_key(exam_id: int, day: date, person_id: int, *, is_last_call: bool = False) -> str:
    """Name the one message about an exam that a person gets on a day, or the last call beside it."""
    return f"{REMINDER_KIND}:{exam_id}:{day}:{person_id}{':last' if is_last_call else ''}"


def read_once_key(key: str) -> tuple[int, date]:
    """Give the exam and the day that a message was named by."""
    _, exam_id, day, *_ = key.split(":")
    return int(exam_id), date.fromisoformat(day)


def closing_text(exam: Exam) -> str:
    """Write when an exam closes, as messages say it."""
    return f"{local(exam.closes_at):%m月%d日%H:%M}"


def reminder_parameters(group: str, exam: Exam) -> list[str]:
    """Give the variables of the group's SMS template."""
    return [exam.title, closing_text(exam)] if group == "not_started" else [exam.title]


_LAST_CALL = timedelta(hours=12)
_BEFORE_QUIET = timedelta(hours=1)


def is_last_call(hours: int, all_hours: Sequence[int]) -> bool:
    """Tell whether a rule is the last one before the close, near enough to go out beside the day's other message."""
    return hours == min(all_hours) and timedelta(hours=hours) <= _LAST_CALL


def reminder_due_at(exam: Exam, hours: int, *, quiet: tuple[time, time] | None) -> datetime:
    """Give when the reminder so many hours before the close is due; a last call that fell into quiet hours an hour before they begin."""
    due = exam.closes_at - timedelta(hours=hours)
    there = local(due)
    if quiet is None or timedelta(hours=hours) > _LAST_CALL or not is_quiet(there.time(), quiet):
        return due
    start = there.replace(hour=quiet[0].hour, minute=quiet[0].minute, second=0, microsecond=0)
    return (start if start <= there else start - timedelta(days=1)) - _BEFORE_QUIET


def due_rules(
    exam: Exam, all_hours: Sequence[int], *, quiet: tuple[time, time] | None, now: datetime
) -> list[tuple[int, str]]:
    """List the rules that are due, as hours and name, the one nearest to the close last; one whose moment came before the opening is none.

    The name holds the close, so that a prolonged exam is reminded of again.
    """
    due = ((hours, reminder_due_at(exam, hours, quiet=quiet)) for hours in sorted(all_hours, reverse=True))
    return [(hours, f"{hours}h@{exam.closes_at:%Y-%m-%dT%H:%M}") for hours, at in due if exam.opens_at < at <= now]


def reminder_text(group: str, exam: Exam, *, organisation: str) -> str:
    """Write the reminder that goes out to a person of a group; no points, and no name, since a phone is seen by others."""
    closes = closing_text(exam)
    text = {
        "not_started": f"《{exam.title}》将于{closes}截止，您还没有开始作答，请登录学法考试平台完成。",
        "in_progress": f"《{exam.title}》您已开始作答，还没有交卷，请登录学法考试平台继续并交卷。",
        "failed": f"《{exam.title}》您还可以再次参加考试或补考，请登录学法考试平台查看安排。",
    }
    return f"【{organisation}】{text[group]}"


_DONE = {"not_started": "还没有参加", "in_progress": "已开始作答但还没有交卷"}


def group_chat_text(
    group: str,
    exam: Exam,
    *,
    unit: str,
    below: Sequence[tuple[str, int]],
    names: Sequence[str],
    count: int,
    address: str,
) -> str:
    """Write the call for a unit's group chat: how many are missing, by unit below or by name, and where to go; empty where nobody is.

    `names` are given only where the page lists all of them. Who has failed is nobody's business: that group gets no text.
    """
    if group not in _DONE or not count:
        return ""
    by_unit = "、".join(f"{name}{number}人" for name, number in below if number)
    listed = f"，其中{by_unit}" if by_unit else f"：{'、'.join(names)}" if len(names) == count else ""
    return (
        f"{exam.title}将于{local(exam.closes_at):%-m月%-d日%H:%M}截止。{unit}有{count}人{_DONE[group]}{listed}。\n"
        f"请在截止前登录完成：{address}"
    )


def find_reminder_issue(group: str, exams: Iterable[Exam], *, now: datetime) -> str | None:
    """Say why nobody of a group can be reminded now, None where a reminder makes sense; `exams` are the exam with its make-ups."""
    exams = list(exams)
    if now < exams[0].opens_at:
        return "考试还没有开始，开考以后才能提醒。"
    open_ones = [exam for exam in exams if exam.opens_at <= now < exam.closes_at]
    if group == "failed":
        if not is_visible(results_visible_at(exams[0]), now):
            return "成绩还没有公布，公布以后才能提醒不合格人员。"
        return None if any(now < exam.closes_at for exam in exams) else "考试已经结束，也没有待考的补考，不用再提醒。"
    return None if open_ones else "考试已经结束，不能再作答。需要补考的，请先设置补考。"
