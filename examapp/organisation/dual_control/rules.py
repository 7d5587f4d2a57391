"""Which acts need two persons: who may ask for each, who may be the second one, and how long a request waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from examapp.organisation.access.rules import Grant, access_of


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPersonAct:
    """An act that one asks for and another allows; a request that nobody decided in time is void."""

    name: str
    asks: str
    approves: str
    waits: timedelta


ACCOUNT_ACTS = {
    "people.reset_password": "重置三员的密码",
    "people.remove_second_factor": "停用三员的动态口令",
    "people.disable_account": "停用三员的账号",
    "people.enable_account": "启用三员的账号",
}
"""What is done to the account of a system, security or audit administrator."""

TWO_PERSON_ACTS = {
    act: TwoPersonAct(
        name=name,
        asks="people:person:write",
        approves="people:account:approve",
        waits=timedelta(days=3),
    )
    for act, name in ACCOUNT_ACTS.items()
} | {
    "people.grant_role": TwoPersonAct(
        name="授予角色",
        asks="people:role:grant",
        approves="people:role:approve",
        waits=timedelta(days=30),
    ),
    "grading.reopen_attempt": TwoPersonAct(
        name="重新打开作答",
        asks="attempts:attempt:manage",
        approves="attempts:reopening:approve",
        waits=timedelta(days=1),
    ),
    "reports.export_numbers": TwoPersonAct(
        name="导出完整的身份证号、手机号",
        asks="reports:number:export",
        approves="reports:number:approve",
        waits=timedelta(days=3),
    ),
    "evidence.export_pack": TwoPersonAct(
        name="制作考试证据包",
        asks="grading:pack:export",
        approves="grading:pack:approve",
        waits=timedelta(days=7),
    ),
    "reminders.export_call_list": TwoPersonAct(
        name="导出电话名单",
        asks="unit_management:call:export",
        approves="reports:number:approve",
        waits=timedelta(days=3),
    ),
}
"""Every one of them; a new act is a row here, and what it does in the feature that does it."""


def may_decide(act: str, grants: tuple[Grant, ...], *, paths: tuple[str, str | None] | None) -> bool:
    """Tell whether these roles may decide on an act that concerns the unit with these paths; one without a unit concerns all."""
    access = access_of(TWO_PERSON_ACTS[act].approves, grants) if act in TWO_PERSON_ACTS else None
    if access is None:
        return False
    return paths is None or access.covers(region_path=paths[0], sector_path=paths[1])
