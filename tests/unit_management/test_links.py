"""Every page of the unit book, and of one's own exemptions, is reached by links from somebody's home page, and stands."""

from __future__ import annotations

import io

import pytest

from examapp.delivery.exams.models import Exemption
from examapp.delivery.external_results.models import ResultImport, ResultImportRow
from examapp.organisation.roster_change_requests.models import RosterChangeItem, RosterChangeRequest
from tests.helpers.exam_forms import ask
from tests.helpers.files import PDF
from tests.linking import read_views, walk

ROOMS = ("exams", "unit_management_admin")
WAYS = ("admin", "exams_admin", "org_admin", "people_admin", "reports_admin")
BY_FORM = ("merge", "split", "rename")
"""To these a form leads, which asks for the unit."""


@pytest.mark.slow
def test_every_page_is_reached_by_links_and_stands(app, county, world, session, post):
    ill = world.person(county.bureau, name="李病假")
    county.attempt(world.person(county.bureau), points=40)
    clients = {
        "candidate": world.client(ill),
        "unit admin": world.client(world.admin("unit_admin", county.bureau)),
        "office": world.client(world.admin()),
    }
    answer = ask(clients["candidate"], county.exam, file=(io.BytesIO(PDF), "证明.pdf"))
    assert answer.status_code == 303
    changes = "/admin/unit-book/changes"
    begun = post(clients["unit admin"], changes, unit_id=county.bureau.id).location
    line = {"staff_number": "NEW1", "name": "新同志", "own_unit_id": county.bureau.id, "effective_on": "2026-11-24"}
    assert post(clients["unit admin"], f"{begun}/lines/new?kind=join", **line).status_code == 303
    file = "姓名,成绩\n查无此人,80\n".encode()
    sent = {
        "exam_id": county.exam.id,
        "source": "省平台",
        "taken_on": "2026-11-20",
        "possible": "100",
        "file": (io.BytesIO(file), "省考.csv"),
    }
    assert post(clients["office"], "/admin/unit-book/results", **sent).status_code == 303
    app.extensions["celery"].tasks["jobs.run"](session.query(ResultImport).one().id)
    made = [
        session.query(table).count() for table in (Exemption, RosterChangeRequest, RosterChangeItem, ResultImportRow)
    ]
    assert made == [1, 1, 1, 1]

    reached, issues = set(), []
    for name, client in clients.items():
        opened, found = walk(app, client, rooms=(*ROOMS, *WAYS), samples=4)
        reached |= opened
        issues += [f"{name}: {issue}" for issue in found]
    assert issues == []
    unit_pages = f"/admin/unit-book/units/{county.bureau.id}"
    assert [clients["office"].get(f"{unit_pages}/{act}").status_code for act in BY_FORM] == [200] * 3
    others = {"unit_management_admin.choose_unit_change"}
    others |= {f"unit_management_admin.{act}_unit" for act in BY_FORM}
    assert read_views(app, ROOMS) - reached - others == set(), "no link leads there"
