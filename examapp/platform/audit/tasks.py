"""Background work of the audit log: the chain over the log."""

from __future__ import annotations

import structlog
from flask import current_app

from examapp import clock
from examapp.db.session import transaction
from examapp.jobs.registry import task
from examapp.platform.audit_chain import actions as audit_chain_actions
from examapp.platform.audit_chain.actions import MAX_LINKS, ChainHeadError, seal_events

log = structlog.get_logger()


@task("audit.seal", queue="imports", every_s=10, at_province=True)
def seal() -> None:
    """Link the lines that have been written since the last time; raise the alarm where the chain is not what was kept of it."""
    cipher, folder = current_app.extensions["cipher"], current_app.config["SETTINGS"].data_path
    try:
        count = MAX_LINKS
        while count == MAX_LINKS:  # until nothing is left, each piece in a transaction of its own
            with transaction() as session:
                count = seal_events(session, cipher=cipher, folder=folder, now=clock.now())
    except ChainHeadError as issue:
        log.error("audit_seal_refused", reason=issue.text)  # noqa: TRY400 – the stack says nothing more


@task("audit.verify", queue="imports", every_s=86_400, at_province=True)
def verify() -> None:
    """Look once a day whether the log is as it was written; the checklist shows the outcome."""
    cipher, folder = current_app.extensions["cipher"], current_app.config["SETTINGS"].data_path
    with transaction() as session:
        has_accounts = current_app.extensions["has_accounts"](session)
        audit_chain_actions.verify(session, cipher=cipher, folder=folder, now=clock.now(), has_accounts=has_accounts)
