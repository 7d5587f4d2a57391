"""A year's lists as the tests need them, made over HTTP."""

from __future__ import annotations

from io import BytesIO

from PIL import Image
from sqlalchemy import select

from examapp.oversight.duty_lists.models import DutyItem, DutyList

ITEM = {
    "content": "行政处罚法",
    "leader": "李四",
    "person": "张三",
    "department": "法规股",
    "audience": "执法人员",
    "carrier": "以案释法",
    "measures": "每季度集中学习一次",
    "standard": "全年不少于四次",
    "due_on": "2026-12-31",
    "key_on": "2026-12-04",
}


class Duties:
    """A unit, another one outside the access scope, the unit's admin and the office, each with a browser."""

    def __init__(self, world) -> None:
        self.world, self.session = world, world.session
        self.unit, self.other = world.unit("司法局", code="D001"), world.unit("财政局", code="D002")
        self.admin = world.api(world.admin("unit_admin", self.unit))
        self.office = world.api(world.admin("publicity_office"))

    def open(self, unit=None, *, client=None, year=2026, copied="0"):
        data = {"year": str(year), "copied": copied} | ({"unit_id": str(unit.id)} if unit else {})
        return (client or self.admin).post("/admin/duties/open", data=data)

    def list_of(self, unit=None, year=2026):
        of_unit = DutyList.unit_id == unit.id if unit else DutyList.unit_id.is_(None)
        return self.session.scalars(select(DutyList).where(of_unit, DutyList.year == year)).one()

    def items(self, duty_list):
        query = select(DutyItem).where(DutyItem.list_id == duty_list.id).order_by(DutyItem.kind, DutyItem.position)
        return list(self.session.scalars(query))

    def add(self, duty_list, *, client=None, **fields):
        return (client or self.admin).post(f"/admin/duties/lists/{duty_list.id}/items/new", data=ITEM | fields)

    def press(self, duty_list, act, *, client=None, **data):
        answer = (client or self.admin).post(
            f"/admin/duties/lists/{duty_list.id}/{act}", data={"version": self.version(duty_list)} | data
        )
        self.session.expire_all()
        return answer

    def version(self, duty_list):
        self.session.refresh(duty_list)
        return str(duty_list.version)

    def published(self, unit=None, **fields):
        """A published list of the unit with one item."""
        self.open(unit or self.unit, client=self.office)
        duty_list = self.list_of(unit or self.unit)
        assert self.add(duty_list, client=self.office, **fields).status_code == 302
        assert self.press(duty_list, "propose", client=self.office).status_code == 302
        assert self.press(duty_list, "publish", client=self.office).status_code == 302
        return duty_list


def picture():
    out = BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, "PNG")
    return BytesIO(out.getvalue())


def put(client, record_id, name, content):
    return client.post(f"/admin/duties/records/{record_id}/files", data={"file": (content, name)})
