"""Refusals of the delivery protocol: the code is the contract, the sentence is for people."""

from __future__ import annotations

from typing import Any

from examapp.attempts.queries import CountingAttempt
from examapp.core.errors import DomainError


class AttemptError(DomainError):
    """A refusal of the delivery protocol: the code is the contract."""

    def __init__(self, code: str, message: str, **extra: Any) -> None:
        super().__init__(message, **extra)
        self.code = code  # type: ignore[misc]  # one class for all codes of the protocol


_MESSAGES = {
    "no_attempts_left": "您的作答次数已用完。",
    "already_submitted": "已经交卷，答案不能再改。",
    "deadline_passed": "作答时间已到，系统已按保存的答案交卷。迟到的内容已另行保存，由管理员处理。",
    "taken_over": "已在另一设备或窗口继续作答，此处不再保存。",
    "not_submitted": "还没有交卷，暂无成绩。",
}


def refusal(code: str, **extra: Any) -> AttemptError:
    """Give the protocol's refusal of this code, with its sentence for people."""
    return AttemptError(code, _MESSAGES[code], **extra)


def other_attempt_in_progress(other: CountingAttempt) -> AttemptError:
    """Give the refusal of a start while another exam that counts is being sat, by this account or by a second one."""
    return AttemptError("other_attempt_in_progress", words_of_other(other), attempt_id=other.attempt_id)


def words_of_other(other: CountingAttempt) -> str:
    """Say in Chinese which exam is being sat and what to do."""
    if other.is_own:
        return f"您正在参加「{other.title}」，还没有交卷，不能同时参加另一场考试。请先回到那一场，完成并交卷。"
    return f"您用另一个账号正在参加「{other.title}」，还没有交卷。请先用那个账号完成并交卷，再参加这一场。"
