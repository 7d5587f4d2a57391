"""Plan periods are the office's data."""

from __future__ import annotations


def save(client, name, first, last):
    return client.post("/admin/duties/periods", data={"name": name, "first_year": str(first), "last_year": str(last)})


def test_the_office_adds_and_corrects_plan_periods(duties):
    page = duties.office.get("/admin/duties/periods").text
    assert "八五" in page
    assert "九五" in page
    assert save(duties.office, "十五", 2031, 2035).status_code == 302
    assert save(duties.office, "十五", 2031, 2036).status_code == 302
    assert duties.office.get("/admin/duties/periods").text.count("十五") == 1
    assert "“十五”普法规划第 6 年" in duties.office.get("/admin/duties/?year=2036").text


def test_periods_that_cannot_stand_are_rejected(duties):
    assert "重叠" in save(duties.office, "另一个", 2025, 2026).text
    assert "不能早于" in save(duties.office, "另一个", 2050, 2049).text
    assert save(duties.office, "", 2040, 2041).status_code == 422
    assert save(duties.office, "另一个", "二〇", 2041).status_code == 422


def test_a_unit_admin_does_not_set_them(duties):
    assert duties.admin.get("/admin/duties/periods").status_code == 404
    assert save(duties.admin, "十五", 2031, 2035).status_code == 404
