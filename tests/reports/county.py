"""A small county with every odd case of the domain, and its figures counted by hand from raw rows, in plain Python."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import text

from examapp import clock
from examapp.content.blueprints.models import Paper
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.exams.models import Exemption, MakeupEligibility
from examapp.delivery.grading.models import ExternalResult, Grade
from examapp.organisation.people.models import Person, RosterMove

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


class ReportCounty:
    """Units in both trees, an exam, and people made one by one."""

    def __init__(self, world) -> None:
        self.world = world
        self.people: dict[str, Person] = {}
        self.top = world.unit("绥安县", kind="county", code="000")
        self.system = world.unit("教育系统", kind="sector", code="S01")
        self.bureau = world.unit("教育局", parent=self.top, sector_parent=self.system, code="101")
        self.office = world.unit("教育局办公室", parent=self.bureau, kind="sub_unit", code="10101")
        self.town = world.unit("青山乡", parent=self.top, kind="township", code="201")
        self.school = world.unit(
            "青山乡中心学校", parent=self.town, sector_parent=self.bureau, kind="institution", code="20101"
        )
        self.empty = world.unit("空单位", parent=self.top, code="301")
        self.exam = world.exam(attempts_allowed=3, opens_in=-2 * DAY, lasts=5 * DAY)
        self._receipts = iter(range(1, 10_000))
        self._paper = None

    @property
    def paper(self):
        if self._paper is None:
            self._paper = self.world.save(
                Paper(sections=[], response_schema="", total_points=Decimal(100), created_at=clock.now())
            )
        return self._paper

    def attempt(
        self, person, *, exam=None, number=1, points=None, submitted=True, unit=None, hours_ago=20, forced=False
    ):
        """An attempt of so many points of a hundred; `submitted` without points waits for its grade."""
        exam = exam or self.exam
        started = clock.now() - hours_ago * HOUR
        row = self.world.save(
            Attempt(
                exam_id=exam.id,
                person_id=person.id,
                number=number,
                paper_id=self.paper.id,
                unit_id=(unit.id if unit else person.unit_id),
                state="in_progress" if not submitted else "submitted" if points is None else "graded",
                started_at=started,
                deadline_at=started + HOUR,
                closes_at=started + HOUR + timedelta(minutes=1),
                response_schema="",
                unsure=[],
                total=0,
                submitted_at=started + HOUR / 2 if submitted else None,
                receipt_number=f"R{next(self._receipts)}" if submitted else None,
                is_forced=forced,
            )
        )
        if submitted and points is not None:
            self.grade(row, points, exam=exam)
        return row

    def grade(self, attempt, points, *, number=1, exam=None, reason="first"):
        exam, points = exam or self.exam, Decimal(points)
        marks = [("excellent", exam.excellent_percent), ("good", exam.good_percent), ("pass", exam.pass_percent)]
        band = next((name for name, mark in marks if points >= mark), "fail")
        return self.world.save(
            Grade(
                attempt_id=attempt.id,
                number=number,
                points=points,
                points_possible=Decimal(100),
                percent=points,
                band=band,
                is_passed=band != "fail",
                item_points=[],
                key_ids={},
                rules={},
                sheet=b"",
                reason=reason,
                graded_at=clock.now(),
            )
        )

    def outside(self, person, points, *, exam=None, hours_ago=60, undone=False):
        """A result of so many points of a hundred that came from another platform."""
        exam, points, now = exam or self.exam, Decimal(points), clock.now()
        exam.has_external_results = True
        marks = [("excellent", exam.excellent_percent), ("good", exam.good_percent), ("pass", exam.pass_percent)]
        band = next((name for name, mark in marks if points >= mark), "fail")
        return self.world.save(
            ExternalResult(
                exam_id=exam.id, person_id=person.id, unit_id=person.unit_id, import_id=1, source="省学法考试平台", points=points,
                points_possible=Decimal(100), percent=points, band=band, is_passed=band != "fail", taken_at=now - hours_ago * HOUR,
                recorded_at=now, undone_at=now if undone else None,
            )
        )  # fmt: skip

    def excuse(self, person, kind="exemption", *, approved=True, withdrawn=False, rejected=False, exam=None):
        now = clock.now()
        return self.world.save(
            Exemption(
                exam_id=(exam or self.exam).id,
                person_id=person.id,
                kind=kind,
                reason="长期病假",
                requested_at=now,
                approved_at=now if approved else None,
                withdrawn_at=now if withdrawn else None,
                rejected_at=now if rejected else None,
            )
        )

    def move(self, person, *, to=None, came_from=None, kind="transfer", on=None, recorded_at=None):
        on = on or clock.today()
        row = self.world.save(
            RosterMove(
                person_id=person.id,
                kind=kind,
                from_unit_id=came_from.id if came_from else None,
                to_unit_id=to.id if to else None,
                effective_on=on,
                recorded_at=recorded_at or clock.now(),
            )
        )
        if to:
            person.unit_id, person.state = to.id, "on_roster"
        elif kind in ("leave", "retire"):
            person.state = "left"
        self.world.session.flush()
        return row

    def makeup(self, *, closed=True):
        return self.world.exam(
            title="补考",
            kind="makeup",
            main_exam_id=self.exam.id,
            opens_in=-1 * DAY,
            lasts=DAY - HOUR if closed else 2 * DAY,
        )

    def eligible_for(self, makeup, *people):
        for person in people:
            self.world.save(MakeupEligibility(exam_id=makeup.id, person_id=person.id, reason="failed"))

    def fill_with_every_odd_case(self):
        """Every case that the domain names, spread over the units."""
        w, c = self.world, self
        p = c.people

        def person(key, unit, **fields):
            p[key] = w.person(unit, name=f"人{key}", staff_number=f"N{len(p):04d}", **fields)
            return p[key]

        c.attempt(person("excellent", c.bureau, position="局长"), points="95.50")
        c.attempt(person("good", c.office), points="85")
        c.attempt(person("bare pass", c.office), points="60")
        c.attempt(person("bare fail", c.town), points="59.99")
        c.attempt(person("zero", c.town), points="0")
        c.attempt(person("full", c.school), points="100")
        best = person("best of three", c.bureau)
        for number, points in enumerate(["40", "92", "70"], 1):
            c.attempt(best, number=number, points=points, hours_ago=40 - 10 * number)
        c.attempt(person("forced", c.town), points="61", forced=True)
        c.attempt(person("ungraded", c.town))
        waiting = person("graded once, second waits", c.school)
        c.attempt(waiting, points="50", hours_ago=30)
        c.attempt(waiting, number=2)
        regraded = c.attempt(person("regraded", c.bureau), points="58")
        regraded_grade = w.session.query(Grade).filter_by(attempt_id=regraded.id).one()
        regraded_grade.is_current = False
        w.session.flush()
        c.grade(regraded, "62", number=2)
        person("absent", c.bureau)
        person("absent too", c.school)
        c.attempt(person("in progress", c.office), submitted=False, hours_ago=1)
        again = person("sat and sits again", c.office)
        c.attempt(again, points="77", hours_ago=30)
        c.attempt(again, number=2, submitted=False, hours_ago=1)
        c.excuse(person("exempt", c.bureau))
        c.excuse(person("deferred", c.town), "deferral")
        exempt_submitted = person("exempt who sat", c.town)
        c.excuse(exempt_submitted)
        c.attempt(exempt_submitted, points="99")
        deferred_submitted = person("deferred who sat", c.school)
        c.excuse(deferred_submitted, "deferral")
        c.attempt(deferred_submitted, points="10")
        c.excuse(person("exemption not approved", c.town), approved=False)
        c.excuse(person("exemption refused", c.town), approved=False, rejected=True)
        c.excuse(person("exemption withdrawn", c.town), withdrawn=True)
        c.attempt(person("moved after sitting", c.town), points="88", unit=c.bureau)
        left = person("left after sitting", c.bureau, state="left")
        c.attempt(left, points="90")
        person("administrator", c.bureau, state="off_roster")
        other = w.exam(title="另一场")
        c.attempt(person("sat another exam", c.bureau), exam=other, points="100")
        person("in the county itself", c.top)
        return p


@dataclass
class Naive:
    """The figures of a unit counted one person at a time."""

    roster: int = 0
    exempt: int = 0
    deferred: int = 0
    participated: int = 0
    passed: int = 0
    good: int = 0
    excellent: int = 0
    failed: int = 0
    points: list = field(default_factory=list)

    @property
    def eligible(self):
        return self.roster - self.exempt - self.deferred

    def as_api(self):
        def rate(part, whole):
            return (
                None
                if whole == 0
                else str((Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.01"), ROUND_HALF_UP))
            )

        mean = (
            None
            if not self.points
            else str((sum(self.points) / len(self.points)).quantize(Decimal("0.01"), ROUND_HALF_UP))
        )
        return {
            "roster": self.roster,
            "exempt": self.exempt,
            "deferred": self.deferred,
            "eligible": self.eligible,
            "participated": self.participated,
            "passed": self.passed,
            "good": self.good,
            "excellent": self.excellent,
            "failed": self.failed,
            "participation_rate": rate(self.participated, self.eligible),
            "pass_rate": rate(self.passed, self.participated),
            "pass_of_eligible_rate": rate(self.passed, self.eligible),
            "excellence_rate": rate(self.excellent, self.participated),
            "mean_points": mean,
        }


def present_roster(session, exam_id, *, tree="region", keeps=None):
    """Everybody's unit (None for off the roster) and excuse, and every unit's path, straight from the raw rows of now.

    `keeps`: tells of a raw row of `persons` whether the person is looked at; None for all.
    """
    excuses = dict(
        tuple(row)
        for row in session.execute(
            text(
                "SELECT person_id, kind FROM exemptions WHERE exam_id = :e AND approved_at IS NOT NULL AND rejected_at IS NULL AND withdrawn_at IS NULL"
            ),
            {"e": exam_id},
        )
    )
    places = {
        row.id: (row.unit_id if row.state == "on_roster" else None, excuses.get(row.id))
        for row in session.execute(text("SELECT * FROM persons"))
        if keeps is None or keeps(row)
    }
    return places, dict(tuple(row) for row in session.execute(text(f"SELECT id, {tree}_path FROM units")))


def naive_figures(session, exam_ids, *, tree="region", rule="best", snapshot=None, keeps=None, since=None, until=None):
    """Count from raw rows, straight from the text of the definitions: `{unit_id: Naive with the whole subtree}`.

    `exam_ids`: the exam first, then its make-ups where the figures are final. `snapshot`: what `present_roster` gave at the freeze.
    `since`, `until`: instants between which something must have been handed in to count; None for any.
    """
    places, paths = snapshot or present_roster(session, exam_ids[0], tree=tree, keeps=keeps)
    attempts_made = defaultdict(lambda: defaultdict(list))

    def is_of_period(at):
        return (since is None or at >= since) and (until is None or at < until)

    for r in session.execute(text("SELECT * FROM external_results WHERE undone_at IS NULL")):
        if r.exam_id in exam_ids and is_of_period(r.taken_at):
            attempts_made[r.person_id][r.exam_id].append(r)
    for r in session.execute(text("SELECT * FROM attempts WHERE submitted_at IS NOT NULL ORDER BY number")):
        grades = session.execute(text("SELECT * FROM grades WHERE attempt_id = :a AND is_current"), {"a": r.id}).all()
        if r.exam_id in exam_ids and is_of_period(r.submitted_at):
            attempts_made[r.person_id][r.exam_id].append(grades[0] if grades else None)
    result = defaultdict(Naive)
    for person_id, (unit_id, excuse) in places.items():
        if unit_id is None:
            continue
        above = [int(part) for part in (paths[unit_id] or f"/{unit_id}/").strip("/").split("/")]
        chosen = [_choose(grades, rule) for grades in attempts_made[person_id].values()]
        for node in above:
            figures = result[node]
            figures.roster += 1
            if excuse == "exemption":
                figures.exempt += 1
            elif excuse == "deferral":
                figures.deferred += 1
            elif chosen:
                figures.participated += 1
                graded = [grade for grade in chosen if grade is not None]
                if graded:
                    best = max(graded, key=lambda grade: grade.percent)
                    figures.points.append(best.points)
                    figures.passed += best.is_passed
                    figures.good += best.band == "good"
                    figures.excellent += best.band == "excellent"
                    figures.failed += not best.is_passed
    return result


def _choose(grades, rule):
    if rule == "last":
        return grades[-1]
    if rule == "first":
        return grades[0]
    graded = [grade for grade in grades if grade is not None]
    return max(graded, key=lambda grade: grade.percent) if graded else None
