"""What a request that needs two persons is about, in words, from what its asker put down."""

from __future__ import annotations

from typing import Any

from examapp.people.rules import ACCOUNT_ACTS, ROLE_NAMES, Role
from examapp.reports.rules import SCOPE_NAMES, Narrowing
from examapp.unitbook.rules import CHASED

NEEDS_LOOK = frozenset({"questions.correct_key"})
"""Acts whose particulars must be seen before anybody decides."""


def request_words(act: str, details: dict[str, Any]) -> str:
    """Say what is asked for: `2026年度考试第 1 次作答，10 分钟`."""
    return _WORDS[act](details)


def _role(details: dict[str, Any]) -> str:
    words = ROLE_NAMES[Role(details["role"])]
    if details["deputy_of_id"]:
        words += "（代理）"
    if details["tree"] == "sector":
        words += "（按条）"
    if details["unit_id"] is None:
        words += "，全县"
    return words + (f"，到 {details['ends_at'][:10]} 止" if details["ends_at"] else "，长期")


def _key(details: dict[str, Any]) -> str:
    return f"题目 {details['code']} 第 {details['version']} 版"


def _reopening(details: dict[str, Any]) -> str:
    words = f"{details['exam_title']}第 {details['number']} 次作答，从同意时起 {details['seconds'] // 60} 分钟"
    return words + ("（注意：这场考试的答案已公布）" if details.get("is_after_keys") else "")


def _numbers(details: dict[str, Any]) -> str:
    narrowed = Narrowing.of_json(details.get("narrowing", {})).words
    what = "，".join(part for part in (SCOPE_NAMES[details["scope"]], details["format"], narrowed) if part)
    return f"{details['exam_title']}成绩明细（{what}），含完整身份证号、手机号"


def _calls(details: dict[str, Any]) -> str:
    return f"{details['exam_title']}催考电话名单（{CHASED[details['group']]}），含完整手机号"


def _account(_details: dict[str, Any]) -> str:
    return "同意后 24 小时内由申请人办理一次"


_WORDS = dict.fromkeys(ACCOUNT_ACTS, _account) | {
    "people.grant_role": _role,
    "questions.correct_key": _key,
    "grading.reopen_attempt": _reopening,
    "reports.export_numbers": _numbers,
    "unitbook.export_calls": _calls,
}
