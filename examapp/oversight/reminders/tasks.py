"""Messages that follow from what others have done, in worker processes."""

from __future__ import annotations

from flask import current_app

from examapp import clock
from examapp.config_messages import channel_names
from examapp.db.session import transaction
from examapp.jobs.registry import task
from examapp.oversight.reminders import actions


@task("reminders.send_correction_messages", queue="reports", every_s=60)
def send_correction_messages() -> None:
    """Tell people of corrections that have changed their visible results."""
    with transaction() as session:
        actions.send_correction_messages(session, now=clock.now())


@task("reminders.send_by_rule", queue="reports", every_s=300)
def send_by_rule() -> None:
    """Remind by rule who still lacks an exam, and tell who has a result that came out; nothing without a message gateway."""
    settings = current_app.config["SETTINGS"]
    if not channel_names(settings.message_gateway):
        return
    organisation = current_app.extensions["site_texts"].organisation
    rules = actions.ReminderRules(
        hours=settings.message_reminder_hours, quiet=settings.message_quiet_hours, organisation=organisation
    )
    with transaction() as session:
        actions.remind_by_rule(session, rules, now=clock.now())
    with transaction() as session:
        actions.send_results_messages(session, organisation=organisation, now=clock.now())
