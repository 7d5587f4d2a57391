"""A case that names a real person is rejected until a reviewer confirms that nobody can be known from it; then courses and questions use it."""

from __future__ import annotations

import pytest

from examapp.content.explained_cases.models import ExplainedCase
from examapp.content.explained_cases.rules import find_names, find_numbers

CASE = {
    "title": "一起未告知听证权利的处罚案",
    "laws": "行政处罚法、行政诉讼法",
    "facts": "当事人王建军未经许可占道经营，被处罚款。",
    "holding": "处罚前没有告知听证权利，程序违法，予以撤销。",
    "lesson": "较大数额罚款前应当告知听证权利。",
}


@pytest.mark.parametrize(
    ("text", "known", "names"),
    [
        ("当事人王建军占道经营", (), ["王建军"]),
        ("当事人王某占道，原告李某某起诉", (), []),
        ("被告县公安局，申请人于2025年申请", (), []),
        ("办案人员欧阳春华到场", ("欧阳春华", "赵高明"), ["欧阳春华"]),
    ],
)
def test_names_beside_a_role_and_names_of_the_roster_are_found_and_hidden_ones_are_not(text, known, names):
    assert find_names(text, known=known) == names
    assert find_numbers("电话13800138000，身份证11010519491231002X") == ["身份证号", "手机号"]
    assert find_numbers("罚款 10500 元，文号 20250001") == []


def test_a_case_goes_from_its_unit_through_review_into_course_and_question(world):
    unit, elsewhere = world.unit("县城管局"), world.unit("县教育局")
    admin, other = world.api(world.admin("unit_admin", unit)), world.api(world.admin("unit_admin", elsewhere))
    office = world.api(world.admin("publicity_office"))
    numbered = admin.post("/admin/cases/new", data=CASE | {"unit_id": unit.id, "facts": "电话13800138000"})
    assert "内容中有手机号" in numbered.get_data(as_text=True)
    assert admin.post("/admin/cases/new", data=CASE | {"unit_id": unit.id}).status_code == 302
    case = world.session.query(ExplainedCase).one()
    page = f"/admin/cases/{case.id}"
    assert other.get(page).status_code == 404
    assert "可能有真实姓名</strong>：王建军" in admin.get(page).get_data(as_text=True)
    assert admin.post(f"{page}/submit").status_code == 302
    assert "不能再改" in admin.post(f"{page}/edit", data=CASE | {"unit_id": unit.id}).get_data(as_text=True)
    assert admin.post(f"{page}/review", data={"act": "publish", "is_anonymised": "y"}).status_code == 404
    rejected = office.post(f"{page}/review", data={"act": "publish"}, follow_redirects=True).get_data(as_text=True)
    assert "可能有真实姓名：王建军" in rejected
    assert "据此出案例题" not in rejected
    assert office.post(f"{page}/review", data={"act": "publish", "is_anonymised": "y"}).status_code == 302
    assert CASE["title"] in other.get("/admin/cases/?law=行政处罚法").get_data(as_text=True)
    question = office.get(f"/admin/questions/new/case?case={case.id}").get_data(as_text=True)
    assert "王建军未经许可" in question
    assert CASE["title"] in question
    assert CASE["facts"] not in office.get("/admin/questions/new/case?case=999999").get_data(as_text=True)
    back = office.post(f"{page}/review", data={"act": "return", "remark": "姓名请隐去"}, follow_redirects=True)
    assert "姓名请隐去" in back.get_data(as_text=True)
    assert other.get(page).status_code == 404
