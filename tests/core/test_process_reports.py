"""Whether a sitting is under way, by what the web processes reported."""

from __future__ import annotations

from datetime import timedelta

import pytest

from examapp import clock
from examapp.web.metrics import Minute, is_sitting_under_way, list_reports, write_report


@pytest.mark.parametrize(
    ("saves", "is_sitting"), [((), False), ((59,), False), ((60,), True), ((30, 30), True), ((30, 29), False)]
)
def test_a_sitting_is_one_act_a_second_over_all_processes(world, session, saves, is_sitting):
    for number, count in enumerate(saves):
        write_report(session, f"here:{number}", Minute(saves=count), now=clock.now())
    assert is_sitting_under_way(session, now=clock.now()) is is_sitting


def test_a_wave_of_starts_or_hand_ins_is_a_sitting_too(world, session):
    write_report(session, "here:1", Minute(starts=40), now=clock.now())
    assert not is_sitting_under_way(session, now=clock.now())
    write_report(session, "here:1", Minute(starts=40, saves=10, hand_ins=10), now=clock.now())
    assert is_sitting_under_way(session, now=clock.now())


def test_what_a_process_reported_that_is_gone_counts_no_more(world, session):
    began = clock.now()
    write_report(session, "gone:1", Minute(saves=500), now=began)
    write_report(session, "here:1", Minute(saves=5), now=began + timedelta(seconds=30))
    later = began + timedelta(seconds=30)
    assert not is_sitting_under_way(session, now=later)
    assert [report.name for report in list_reports(session, now=later)] == ["here:1"]
