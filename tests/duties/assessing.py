"""A year's assessment as the tests need it, made over HTTP."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from examapp import clock
from examapp.oversight.assessments.models import Assessment, AssessmentItem, AssessmentSheet
from tests.duties.making import Duties


class Assessed(Duties):
    """Two units judged by a table of one item that people judge and one that the exam fills, by two reviewers of a third unit."""

    def __init__(self, world) -> None:
        super().__init__(world)
        self.justice = world.unit("法院", code="D009")
        people = [world.person(self.justice, name=name) for name in ("评审甲", "评审乙")]
        self.reviewers = [world.api(person) for person in people]
        self.reviewer_people = people
        self.exam = None

    def make(self, *, items=(("普法组织", "10", ""),), year=2026, **settings):
        assert self.office.post("/admin/duties/assessments/create", data={"year": year}).status_code == 302
        row = self.row(year)
        for item in self.items_of(year):
            self.act(f"items/{item.id}/remove")
        for content, points, indicator in items:
            data = {"section": "考核", "content": content, "points": points, "indicator": indicator, "full_from": "100"}
            answer = self.office.post(f"{self.path()}/items/new", data=data | {"version": self.row().version})
            assert answer.status_code == 302, answer.text
        data = {
            "title": f"{year} 年度考核",
            "exam_id": str(self.exam.id if self.exam else 0),
            "appeal_days": "7",
            "bands": "优秀 90\n合格 60\n不合格 0",
            "version": self.row().version,
        }
        answer = self.office.post(f"{self.path()}/settings", data=data | settings)
        assert answer.status_code == 302, answer.text
        for person in self.reviewer_people:
            assert (
                self.office.post(f"{self.path()}/reviewers", data={"staff_number": person.staff_number}).status_code
                == 302
            )
        return row

    def path(self):
        return f"/admin/duties/assessments/{self.row().id}"

    def row(self, year=2026):
        self.session.expire_all()
        return self.session.scalars(select(Assessment).where(Assessment.year == year)).one()

    def items_of(self, year=2026):
        query = select(AssessmentItem).join(Assessment).where(Assessment.year == year)
        return list(self.session.scalars(query.order_by(AssessmentItem.position)))

    def act(self, what, *, client=None, **data):
        return (client or self.office).post(f"{self.path()}/{what}", data={"version": self.row().version} | data)

    def open_it(self, **kwargs):
        self.make(**kwargs)
        assert self.act("open").status_code == 302

    def sheet(self, unit=None):
        self.session.expire_all()
        query = select(AssessmentSheet).where(AssessmentSheet.unit_id == (unit or self.unit).id)
        return self.session.scalars(query).one()

    def on_sheet(self, what, *, client=None, unit=None, **data):
        sheet = self.sheet(unit)
        path = f"/admin/duties/sheets/{sheet.id}/{what}"
        return (client or self.office).post(path, data={"version": sheet.version} | data)

    def marks(self, points, text="做到了"):
        judged = [item for item in self.items_of() if not item.indicator]
        return {f"points-{item.id}": points for item in judged} | {f"text-{item.id}": text for item in judged}

    def submit(self, points="9", *, client=None, unit=None, text="按要求落实"):
        return self.on_sheet("self", client=client or self.admin, unit=unit, act="submit", **self.marks(points, text))

    def review(self, number, points, *, unit=None, text="材料齐全"):
        sheet = self.sheet(unit)
        return self.reviewers[number].post(f"/duties/reviews/{sheet.id}", data=self.marks(points, text))

    def fed_back(self):
        """The unit's sheet, reviewed with 8 and 9 of 10, and fed back."""
        self.open_it()
        assert self.submit().status_code == 302
        assert self.review(0, "8").status_code == 302
        assert self.review(1, "9").status_code == 302
        assert self.on_sheet("feed_back").status_code == 302
        return self.sheet()

    def later(self, fixed_clock, days):
        fixed_clock.at(clock.now() + timedelta(days=days))
