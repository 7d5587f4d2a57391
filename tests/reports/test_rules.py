"""The figures' rules hold for all inputs."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from examapp.delivery.exams.models import CountingRule
from examapp.oversight.statistics_definitions import rules as statistics_definition_rules
from examapp.oversight.statistics_definitions.rules import (
    CONTENT_NAMES,
    Counts,
    SubmittedAttempt,
    UnitNode,
    rollup,
    select_effective_attempt,
)
from examapp.oversight.statistics_scope import rules as scope_rules
from examapp.oversight.statistics_scope.rules import GROUP_NAMES, NO_FILTER, ReportFilter

T0 = datetime(2026, 11, 1, tzinfo=UTC)


@st.composite
def counts(draw):
    exempt, deferred, absent, failed, passed_only, good, excellent, ungraded = (
        draw(st.integers(0, 40)) for _ in range(8)
    )
    graded = failed + passed_only + good + excellent
    return Counts(
        roster=exempt + deferred + absent + graded + ungraded,
        exempt=exempt,
        deferred=deferred,
        participated=graded + ungraded,
        passed=passed_only + good + excellent,
        good=good,
        excellent=excellent,
        graded=graded,
        in_progress=draw(st.integers(0, absent)),
        points_total=Decimal(draw(st.integers(0, 10_000 * graded))) / 100,
    )


def exactly(part, whole):
    if whole == 0:
        return None
    share = Fraction(part) * 100 / whole
    return (Decimal(share.numerator) / Decimal(share.denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP)


@given(counts())
def test_rates_follow_from_counts_and_are_nothing_over_nothing(c):
    assert c.eligible == c.roster - c.exempt - c.deferred
    assert c.participation_rate == exactly(c.participated, c.eligible)
    assert c.pass_rate == exactly(c.passed, c.participated)
    assert c.pass_of_eligible_rate == exactly(c.passed, c.eligible)
    assert c.excellence_rate == exactly(c.excellent, c.participated)
    assert (c.mean_points is None) == (c.graded == 0)
    assert c.failed + c.passed_only + c.good + c.excellent + c.ungraded == c.participated
    assert c.not_started + c.in_progress + c.participated == c.eligible


@st.composite
def trees(draw):
    size = draw(st.integers(1, 12))
    parents = [None] + [draw(st.integers(0, n - 1)) for n in range(1, size)]
    nodes = [
        UnitNode(unit_id=n, code=f"{draw(st.integers(0, 99)):02d}-{n}", name="", kind="department", parent_id=p)
        for n, p in enumerate(parents)
    ]
    return nodes, {n: draw(counts()) for n in range(size) if draw(st.booleans())}


@given(trees(), st.integers(0, 6))
def test_each_row_is_the_sum_of_its_subtree(tree, depth):
    nodes, raw = tree
    rows = rollup(nodes, raw, depth=depth)

    def is_below(node, top_id):
        while node is not None:
            if node.unit_id == top_id:
                return True
            node = None if node.parent_id is None else nodes[node.parent_id]
        return False

    for row in rows:
        expected = sum(
            (raw.get(node.unit_id, Counts()) for node in nodes if is_below(node, row.unit.unit_id)), Counts()
        )
        assert row.counts == expected and row.depth <= depth
    if depth >= 11:
        assert len(rows) == len(nodes)
    assert rows[0].unit is nodes[0] and len({row.unit.unit_id for row in rows}) == len(rows)
    seen = set()
    for row in rows:
        assert row.unit.parent_id is None or row.unit.parent_id in seen
        seen.add(row.unit.unit_id)


@st.composite
def attempts(draw):
    rows = []
    for exam_id in (1, 2):
        for number in range(1, draw(st.integers(0, 3)) + 1):
            percent = draw(st.one_of(st.none(), st.integers(0, 100).map(Decimal)))
            rows.append(
                SubmittedAttempt(
                    attempt_id=len(rows) + 1,
                    exam_id=exam_id,
                    number=number,
                    submitted_at=T0 + timedelta(hours=len(rows)),
                    percent=percent,
                    points=percent,
                    is_passed=None if percent is None else percent >= 60,
                )
            )
    return rows


@given(attempts(), st.sampled_from(list(CountingRule)), st.randoms())
def test_the_attempt_that_counts_is_chosen_as_said(rows, rule, random):
    shuffled = rows[:]
    random.shuffle(shuffled)
    chosen = select_effective_attempt(shuffled, {1: rule, 2: rule})
    if not rows:
        assert chosen is None
        return
    candidates = rows
    if rule is not CountingRule.BEST:
        pick = max if rule is CountingRule.LAST else min
        candidates = [
            pick((r for r in rows if r.exam_id == e), key=lambda r: r.number)
            for e in (1, 2)
            if any(r.exam_id == e for r in rows)
        ]
    assert chosen in candidates
    graded = [row.percent for row in candidates if row.percent is not None]
    assert chosen.percent == (max(graded) if graded else None)
    assert select_effective_attempt(rows, {}) is None


@given(st.dictionaries(st.integers(-5, 60), st.integers(0, 50)), st.integers(0, 40), st.integers(0, 3000))
def test_curve_cumulates_every_day_once_and_fits_the_frame(by_offset, length, eligible):
    first = date(2026, 10, 1)
    days = {first + timedelta(days=offset): count for offset, count in by_offset.items()}
    points = statistics_definition_rules.curve(
        days, first=first, last=first + timedelta(days=length), eligible=eligible
    )
    assert sum(point.new for point in points) == sum(days.values()) == points[-1].total
    assert [b.day - a.day for a, b in pairwise(points)] == [timedelta(days=1)] * (len(points) - 1)
    chart = scope_rules.curve_chart(points, deadline_on=first + timedelta(days=30), eligible=eligible)
    xs, ys = zip(*(map(int, pair.split(",")) for pair in chart.line.split()), strict=True)
    assert min(xs) >= 64 and max(xs) <= 724 and min(ys) >= 36 and max(ys) <= 272


def test_an_exam_of_one_day_is_a_line_with_the_deadline_at_the_right():
    day = date(2026, 12, 1)
    points = statistics_definition_rules.curve({day: 12}, first=day, last=day, eligible=300)
    chart = scope_rules.curve_chart(points, deadline_on=day, eligible=300)
    assert chart.line == "64,272 724,263"
    assert (chart.deadline.x, chart.newest.x) == (724, 724)
    assert [tick.text for tick in chart.x_ticks] == ["11/30", "12/1"]


@given(st.dictionaries(st.integers(0, 10), st.integers(0, 5000)))
def test_bands_lose_nobody_and_the_full_mark_is_in_the_topmost(counted):
    bins = statistics_definition_rules.tidy_bins(counted)
    assert len(bins) == 10 and sum(bins) == sum(counted.values())
    assert bins[9] == counted.get(9, 0) + counted.get(10, 0)
    chart = scope_rules.bar_chart(bins, pass_percent=Decimal(80))
    assert len(chart.bars) == 10 and all(0 <= bar.height <= 236 for bar in chart.bars)


DAYS = st.none() | st.dates(date(2000, 1, 1), date(2100, 12, 31))


@given(st.sampled_from(["", *GROUP_NAMES]), st.text(max_size=9), st.text(max_size=9), DAYS, DAYS)
def test_a_report_filter_is_read_as_it_was_written_and_says_all_it_asks(group, rank, position, since, until):
    filters = ReportFilter(group=group, rank=rank, position=position, since=since, until=until)
    assert ReportFilter.of_json(filters.as_json()) == filters
    assert ReportFilter.of_json(json.loads(json.dumps(filters.as_json()))) == filters
    asked = [value for value in (rank, position, since, until) if value]
    assert all(str(value) in filters.text for value in asked)
    assert bool(filters.text) == bool(asked or group) == (filters != NO_FILTER)
    for content in CONTENT_NAMES:
        kept = filters.of_content(content)
        assert kept.group in ("", group) and replace(kept, group=group) == filters
    assert set(GROUP_NAMES) <= set(dir(Counts))
