"""`make sabotage`: take each guarantee away on a deployment of its own and see that the drill turns red, and for the right reason.

`python -m tests.faults.fault_injection [S1,S4]`. Exit code 0 only where every sabotage was noticed.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass

from tests.faults import SETTING
from tests.faults.deployment import ROOT, DeploymentError, DrillDeployment
from tests.faults.rows import ROWS
from tests.faults.trial import Result

PEOPLE = 60


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """What is taken away, by which row it must be noticed, and how the finding reads."""

    name: str
    taken_away: str
    row: str
    finding: str


INJECTED_FAULTS = (
    InjectedFault("S1", "同步提交（synchronous_commit）", "F05", r"I1|I4"),
    InjectedFault(
        "S2", "落盘（fsync）", "F06", r"I1|I4|invalid page|could not read|PANIC|EmbeddedServerError|psycopg\.errors"
    ),
    InjectedFault("S3", "先提交后应答", "F01", r"I1"),
    InjectedFault("S4", "（epoch, seq）只进不退", "F17", r"I3|I6|I1"),
    InjectedFault("S5", "一次作答只有一份回执", "F21", r"I3|I4"),
    InjectedFault("S6", "待阅卷与交卷同一事务", "F01", r"I5"),
    InjectedFault("S7", "清扫进程", "F24", r"closed at their deadline|I5"),
    InjectedFault("S9", "到时交卷保留已存答案", "F24", r"I7"),
    InjectedFault("S10", "阅卷次数记在 PostgreSQL", "F18", r"tries"),
    InjectedFault("S11", "会话存在 PostgreSQL", "F14", r"sign in again"),
    InjectedFault("S12", "以服务器时间为准", "F26", r"client's clock"),
)
_IN_THE_BROWSER = InjectedFault(
    "S8", "已保存只出自服务器确认", "F23", r"test_twenty_answers_offline_and_a_reload_arrive_untouched"
)


def main(names: list[str]) -> int:
    unnoticed = 0
    for injected_fault in (*INJECTED_FAULTS, _IN_THE_BROWSER):
        if names and injected_fault.name not in names:
            continue
        finding = _finding(injected_fault)
        unnoticed += finding is None
        verdict = f"红  {injected_fault.row}  {finding}" if finding else f"没有发现！{injected_fault.row} 仍是绿的"
        print(f"{injected_fault.name:4}{injected_fault.taken_away}：{verdict}", flush=True)
    return 1 if unnoticed else 0


def _finding(injected_fault: InjectedFault) -> str | None:
    """Give the finding by which the row noticed the sabotage."""
    result = _run(injected_fault)
    for text in result.faults:
        if re.search(injected_fault.finding, text):
            return text
    for text in result.faults:
        print(f"    {injected_fault.name}: {text}", flush=True)
    return None


def _run(injected_fault: InjectedFault) -> Result:
    if injected_fault is _IN_THE_BROWSER:
        return _run_in_the_browser(injected_fault)
    row = ROWS[injected_fault.row]
    settings = {SETTING: injected_fault.name}
    try:
        with row.site(settings) if row.site else DrillDeployment(**settings) as site:
            site.settle(PEOPLE, [row.exam])
            return row.run(site, seed=1, people=PEOPLE, is_short=True)
    except DeploymentError as error:
        return Result(row.id, row.fault, faults=[f"no deployment: {str(error)[-300:]}"])


def _run_in_the_browser(injected_fault: InjectedFault) -> Result:
    """Run the page's test of the row; its failure is the finding."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-m",
        "browser",
        "tests/browser",
        "-k",
        injected_fault.finding,
        "-p",
        "no:randomly",
        "--tb=line",
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {SETTING: injected_fault.name},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    failed = [text for text in done.stdout.splitlines() if text.startswith("FAILED")]
    return Result(
        injected_fault.row,
        injected_fault.taken_away,
        faults=failed or [f"pytest ended with {done.returncode}: {done.stdout[-200:]}"] * bool(done.returncode),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].split(",") if len(sys.argv) > 1 else []))
