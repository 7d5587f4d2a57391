"""The nightly run that lets go what has had its time."""

from __future__ import annotations

from flask import current_app

from examapp import clock
from examapp.db.session import transaction
from examapp.jobs.registry import task
from examapp.platform.audit.actions import SYSTEM, ActionContext
from examapp.platform.privacy.actions import purge_expired
from examapp.platform.privacy.rules import Terms


@task("privacy.apply_retention", queue="imports", every_s=43_200)
def apply_retention() -> None:
    """Let go what is due: a run that was lost is made up for by the next, since what is due is read from the rows."""
    terms = Terms.from_settings(current_app.config["SETTINGS"])
    with transaction() as session:
        purge_expired(ActionContext(session, SYSTEM, clock.now()), terms=terms, today=clock.today())
