"""Pages for which the demo county has nothing to show: each looked at as the long walk looks at the others."""

from __future__ import annotations

import pytest

from tests.browser.walk import Walk, look_at
from tests.duties.assessing import Assessed
from tests.training.test_courses import begin, course, read

pytestmark = pytest.mark.long


@pytest.fixture
def look(live, device):
    """Look at pages as a person sees them; gives what is wrong with them."""
    walk = Walk(adapter=live.world.app.url_map.bind("127.0.0.1"))

    def look(person, *paths):
        page = device(person, width=1280, base_url=live.url).new_page()
        for path in paths:
            answer = page.goto(path)
            assert (answer.status, page.url) == (200, f"{live.url}{path}")
            walk.faults += [f"{path}: {fault}" for fault in look_at(page, walk, path)]
        return walk.faults

    return look


def test_an_assessment_that_is_being_made(live, look):
    assessed, office = Assessed(live.world), live.world.admin("publicity_office", name="普法办小林")
    assessed.make()
    (item,) = assessed.items_of()
    live.world.commit()
    path = assessed.path()
    assert look(office, f"{path}/items/new", f"{path}/items/{item.id}") == []


def test_a_sheet_that_is_disputed(live, look):
    assessed, office = Assessed(live.world), live.world.admin("publicity_office", name="普法办小林")
    sheet = assessed.fed_back()
    answer = assessed.on_sheet("appeal", client=assessed.admin, text="第三项的材料已补交，请复核。")
    assert answer.status_code == 302
    live.world.commit()
    assert look(office, f"/admin/duties/sheets/{sheet.id}/decide") == []
    points = {f"points-{item.id}": "9.5" for item in assessed.items_of()}
    assert assessed.on_sheet("decide", **points, reason="补计两次活动").status_code == 302
    assert assessed.on_sheet("seal").status_code == 302
    live.world.commit()
    assert look(office, f"/admin/duties/sheets/{sheet.id}/versions/1") == []


def test_an_exercise_from_its_first_question_to_its_end(live, look):
    world = live.world
    for _ in range(6):
        world.question(key=("A",), stem="听证应当在几日前通知当事人？", law="行政处罚法", knowledge_points=("听证",))
    row, learner, office = course(world), world.person(), world.admin("publicity_office")
    world.commit()
    client = world.api(learner)
    read(client, row.chapters[0])
    run = begin(client, row.chapters[0]).location
    item = client.get(run).location
    assert look(office, f"/admin/training/{row.id}/chapters/new") == []
    assert look(learner, item) == []
    while (item := client.get(run).location) is not None:
        assert client.post(item, data={"response": "A"}).status_code in {200, 302}
    assert look(learner, run) == []
