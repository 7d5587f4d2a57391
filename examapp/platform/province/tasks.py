"""What the sites of a province do by schedule for each other: a sign of life, and frozen rosters followed."""

from __future__ import annotations

from examapp import clock
from examapp.config import Settings
from examapp.db.session import transaction
from examapp.delivery.grading.cli import beat
from examapp.jobs.registry import task
from examapp.oversight.roster_snapshots.actions import list_due_snapshots
from examapp.platform.province.actions import follow_snapshot
from examapp.platform.province.queries import list_links
from examapp.platform.province.rules import CELL_BEAT, PROVINCE_BEAT
from examapp.platform.setup.queries import SCHEDULE


def beat_schedule_process(settings: Settings) -> None:
    """Note that the schedule is alive; in a province where the other side reads it too: what was committed before is there by then."""
    beat(SCHEDULE)
    if settings.cell:
        beat(f"{CELL_BEAT}{settings.cell}")
    elif settings.province:
        beat(PROVINCE_BEAT)


@task("province.follow_snapshots", queue="imports", every_s=30, at_province=True)
def follow_snapshots() -> None:
    """Let the province's figures of an exam stand on its frozen roster once every cell has frozen its own."""
    with transaction() as session:
        cells = [link.cell for link in list_links(session) if link.is_up]
        for exam_id in list_due_snapshots(session, now=clock.now()) if cells else ():
            follow_snapshot(session, exam_id, cells, now=clock.now())
