"""Background work on the roster and the accounts."""

from __future__ import annotations

from examapp import clock
from examapp.db.session import transaction
from examapp.jobs.registry import JobKind, job_handler, task
from examapp.jobs.runner import JobRun
from examapp.organisation.accounts.guards import cipher
from examapp.organisation.captcha import actions as captcha_actions
from examapp.organisation.data_keys import actions as data_key_actions
from examapp.organisation.password_reset import actions as password_reset_actions
from examapp.organisation.people.models import RosterImport
from examapp.organisation.roster_imports import actions as roster_import_actions
from examapp.organisation.roster_moves import actions as roster_move_actions
from examapp.platform.audit.actions import SYSTEM, ActionContext


@job_handler(
    JobKind(
        name=RosterImport.KIND,
        label="导入名册",
        viewer="people:roster:import",
        is_wide=True,
        time_limit_s=240,
        quarantined="多次处理都没有完成，已停止。名册没有改动，请重新上传；仍不行的，请联系系统管理员。",
        too_long="文件处理时间过长，已停止，名册没有改动。请拆成几个文件再上传。",
    )
)
def import_roster(run: JobRun) -> None:
    """Check a roster file, or write its rows."""
    with transaction() as session:
        roster_import_actions.run_import(session, run, cipher=cipher(), now=clock.now())


@task("people.check_keys", queue="imports", every_s=86_400, at_province=True)
def check_keys() -> None:
    """Look once a day whether every sealed value can be opened; the checklist shows the outcome."""
    with transaction() as session:
        data_key_actions.check_all(ActionContext(session, SYSTEM, clock.now()), cipher=cipher())


@task("people.send_reset_codes", queue="imports", every_s=20, at_province=True)
def send_reset_codes() -> None:
    """Send codes to who forgot the password; also the sweep of requests whose enqueue was lost."""
    with transaction() as session:
        password_reset_actions.send_reset_codes(session, cipher=cipher(), now=clock.now())


@task("people.forget_failures", queue="imports", every_s=300, at_province=True)
def forget_failures() -> None:
    """Delete the failures of sign-ins that no longer count, and roster files that are past their time."""
    with transaction() as session:
        roster_import_actions.delete_old_files(session, now=clock.now())
        captcha_actions.forget_old_failures(session, now=clock.now())


@task("people.apply_moves", queue="imports", every_s=60)
def apply_moves() -> None:
    """Carry out moves of the roster whose day has come, batch by batch."""
    done = 1
    while done:
        with transaction() as session:
            done = roster_move_actions.apply_due_moves(session, now=clock.now())
