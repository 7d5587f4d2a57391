"""Work of the room in the background: roster imports and their sweep, and failures that no longer count."""

from __future__ import annotations

from functools import partial

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from flask import current_app

from examapp import clock
from examapp.db.session import transaction
from examapp.errors import DomainError
from examapp.organisation.accounts.guards import sealer
from examapp.organisation.captcha import actions as captcha_actions
from examapp.organisation.data_keys import actions as data_key_actions
from examapp.organisation.password_reset import actions as password_reset_actions
from examapp.organisation.roster_imports import actions as roster_import_actions
from examapp.organisation.roster_moves import actions as roster_move_actions
from examapp.platform.audit.actions import SYSTEM

_TOO_LONG = "文件处理时间过长，已停止，名册没有改动。请拆成几个文件再上传。"


@shared_task(name="people.import_roster", acks_late=True, soft_time_limit=240, time_limit=300)  # type: ignore[untyped-decorator]  # celery has no types
def import_roster(import_id: int) -> None:
    """Check a roster file, or take it over."""
    with transaction() as session:
        is_begun = roster_import_actions.begin_run(session, import_id, now=clock.now())
    if is_begun:
        _run(import_id)


def _run(import_id: int) -> None:
    try:
        with transaction() as session:
            is_done = roster_import_actions.run_import(
                session, import_id, sealer=sealer(), now=clock.now(), report=partial(_report, import_id)
            )
    except (DomainError, SoftTimeLimitExceeded) as error:
        message = error.text if isinstance(error, DomainError) else _TOO_LONG
        with transaction() as session:
            roster_import_actions.fail_import(session, import_id, message=message, now=clock.now())
    else:
        if not is_done:
            with transaction() as session:
                roster_import_actions.put_back(session, import_id)


def _report(import_id: int, done: int, total: int) -> None:
    with current_app.app_context(), transaction() as session:
        roster_import_actions.note_progress(session, import_id, done=done, total=total)


@shared_task(name="people.check_keys", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def check_keys() -> None:
    """Look once a day whether every sealed value can be opened; the checklist shows the outcome."""
    with transaction() as session:
        data_key_actions.check_all(session, sealer=sealer(), actor=SYSTEM, now=clock.now())


@shared_task(name="people.sweep_imports", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def sweep_imports() -> None:
    """Nudge imports that were left lying."""
    with transaction() as session:
        roster_import_actions.sweep_imports(session, now=clock.now())


@shared_task(name="people.send_reset_codes", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def send_reset_codes() -> None:
    """Send codes to who forgot the password; also the sweep of requests whose nudge was lost."""
    with transaction() as session:
        password_reset_actions.send_reset_codes(session, sealer=sealer(), now=clock.now())


@shared_task(name="people.forget_failures", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def forget_failures() -> None:
    """Delete the failures of sign-ins that no longer count."""
    with transaction() as session:
        captcha_actions.forget_old_failures(session, now=clock.now())


@shared_task(name="people.apply_moves", acks_late=True)  # type: ignore[untyped-decorator]  # celery has no types
def apply_moves() -> None:
    """Carry out moves of the roster whose day has come, batch by batch."""
    done = 1
    while done:
        with transaction() as session:
            done = roster_move_actions.apply_due_moves(session, now=clock.now())
