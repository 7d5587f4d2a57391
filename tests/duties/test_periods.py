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


def test_a_period_is_evaluated_at_half_its_time_and_at_its_end(world):
    world.unit("云溪县", kind="county")
    office, part = world.api(world.admin("publicity_office")), world.unit("县司法局")
    page = "/admin/duties/periods/2026?stage=midterm"
    shown = office.get(page).text
    assert "“九五”普法规划中期评估" in shown
    assert "2026 年" in shown
    assert "2027 年" not in shown  # that has not begun
    first = office.post(page, data={"version": 0, "text": "总体良好"})
    assert first.status_code == 302
    assert "已被他人修改" in office.post(page, data={"version": 0, "text": "另一句"}).text
    assert "总体良好" in office.get(page).text
    assert "总体良好" not in office.get(page.replace("midterm", "final")).text
    assert office.get("/admin/duties/periods/2026/evaluation.docx?stage=midterm").data[:2] == b"PK"
    assert office.get("/admin/duties/periods/1999").status_code == 404
    assert world.api(world.admin("publicity_office", part)).get(page).status_code == 404
