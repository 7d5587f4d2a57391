"""Background work: roster changes and snapshots whose day has come, and files of results to be read."""

from __future__ import annotations

from examapp import clock
from examapp.db.session import read_session, transaction
from examapp.delivery.external_results import actions as external_result_actions
from examapp.delivery.external_results.models import ResultImport
from examapp.jobs.publisher import publish
from examapp.jobs.registry import JobKind, job_handler, task
from examapp.jobs.runner import JobRun
from examapp.organisation.accounts.guards import cipher
from examapp.organisation.roster_change_requests import actions as roster_change_request_actions
from examapp.oversight.roster_snapshots import actions as roster_snapshot_actions
from examapp.platform.audit.actions import SYSTEM, ActionContext


@task("roster_changes.apply", queue="imports", every_s=300)
def apply_changes() -> None:
    """Carry out what was agreed to and whose day has come."""
    with transaction() as session:
        roster_change_request_actions.apply_due_lines(session, cipher=cipher(), now=clock.now())


@task(roster_snapshot_actions.TASK, queue="imports")
def create_snapshot(exam_id: int) -> None:
    """Write an exam's roster down once its moment has come."""
    with transaction() as session:
        roster_snapshot_actions.create_snapshot(ActionContext(session, SYSTEM, clock.now()), exam_id)


@task("roster_snapshots.sweep", queue="imports", every_s=30)
def sweep_snapshots() -> None:
    """Enqueue the snapshots that are due; one that fails does not hold up the others."""
    for exam_id in roster_snapshot_actions.list_due_snapshots(read_session(), now=clock.now()):
        publish(roster_snapshot_actions.TASK, exam_id)


@job_handler(
    JobKind(
        name=ResultImport.KIND,
        label="导入其他平台的成绩",
        viewer="grading:result:import",
        is_wide=True,
        time_limit_s=240,
        quarantined="多次读取都没有完成，已停止，没有计入任何成绩。请重新上传；仍不行的，请联系系统管理员。",
        too_long="文件处理时间过长，已停止，没有计入任何成绩。请拆成几个文件再上传。",
        on_failed=external_result_actions.forget_file,
        may_retry=False,
    )
)
def match_results(run: JobRun) -> None:
    """Read a file of results and match its rows."""
    with transaction() as session:
        external_result_actions.run_import(session, run, cipher=cipher(), now=clock.now())
