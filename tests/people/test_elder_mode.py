"""The version for older eyes: a switch on every page, kept with the account, else in the browser, leading back to the same page and nowhere else."""

from __future__ import annotations

import pytest

from tests.helpers.forms import token_of


def switch(client, wanted, *, at="/privacy", to=None):
    token = token_of(client.get(at))
    return client.post("/elder-mode", data={"csrf_token": token, "wanted": wanted, "next": to or at})


def is_elder(page):
    return '<html lang="zh-CN" class="elder">' in page.text


def test_it_is_switched_on_and_off_by_anybody_and_kept(world):
    client = world.client()
    assert not is_elder(client.get("/login"))
    answer = switch(client, "1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/privacy")
    assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert is_elder(client.get("/login"))
    assert "标准版" in client.get("/privacy").text
    switch(client, "0")
    assert not is_elder(client.get("/login"))


def test_the_choice_goes_with_the_person_to_another_device_and_not_to_another_person(world):
    person = world.person()
    phone, pc = world.client(person), world.client(person)
    switch(phone, "1")
    assert is_elder(pc.get("/"))
    assert is_elder(pc.get("/privacy"))
    assert not is_elder(world.client(world.person()).get("/"))
    assert "使用适老版" in pc.get("/my/data/accounts").text
    switch(pc, "0")
    assert not is_elder(phone.get("/")), "the account's word goes before what this browser kept"
    assert is_elder(no_longer_signed_in(phone).get("/login")), "signed out, the browser's own holds"


def no_longer_signed_in(client):
    client.post("/logout", data={"csrf_token": token_of(client.get("/privacy"))})
    return client


@pytest.mark.parametrize("to", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)", ""])
def test_it_leads_nowhere_else(world, to):
    assert switch(world.client(), "1", to=to or "/").headers["Location"] == "/"


def test_a_foreign_page_cannot_switch_it(world):
    assert world.client().post("/elder-mode", data={"wanted": "1"}).status_code == 403


def test_an_administrator_sees_few_places_and_the_rest_on_demand(world):
    client = world.client(world.admin("publicity_office", world.unit("某县", kind="county")))
    switch(client, "1", at="/admin/people/")
    page = client.get("/admin/people/").text
    menu = page[page.index('aria-label="主菜单"') : page.index("</nav>")]
    assert menu.count("<summary") + menu.split("<details")[0].count("<a ") <= 6


def test_the_exam_page_follows(world):
    from tests.attempts.candidate_clients import make_exam_with_candidates

    candidate_client = make_exam_with_candidates(world)
    client = world.client(candidate_client.person)
    switch(client, "1", at="/")
    assert is_elder(client.get(f"/exams/{candidate_client.exam_id}/sit"))


def test_the_way_back_keeps_a_search_but_no_number_of_a_person(world):
    client = world.client(world.admin("publicity_office", world.unit("甲局")))
    assert 'name="next" value="/admin/people/?q=张"' in client.get("/admin/people/?q=张").text
    assert 'name="next" value="/admin/people/"' in client.get("/admin/people/?q=11010519491231002X").text
