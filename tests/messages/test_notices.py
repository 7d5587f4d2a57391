"""Notices reach whom they are meant for, from draft to withdrawal, and the office sees how many have read them."""

import re
from io import BytesIO

from examapp.platform.audit.rules import detail_label
from examapp.platform.notices.models import Notice, NoticeReading
from examapp.platform.notices.rules import unit_ids_of
from tests.helpers.files import PDF
from tests.helpers.forms import token_of
from tests.helpers.messages import post, write


def county_with_two(world):
    county = world.unit("某县", kind="county")
    return county, world.unit("财政局", parent=county), world.unit("教育局", parent=county)


def test_a_notice_reaches_the_unit_and_all_below_and_nobody_else(world):
    county, finance, education = county_with_two(world)
    below = world.person(world.unit("国库股", parent=finance))
    beside = world.person(education)
    office = world.client(world.admin("publicity_office", county))
    path = write(office, unit_ids=str(finance.id))
    reader, outsider = world.client(below), world.client(beside)
    assert "考试安排" not in reader.get("/").text
    assert post(office, f"{path}/publish").status_code == 303
    assert "考试安排" in reader.get("/").text and "未读" in reader.get("/notices").text
    own = path.replace("/admin/messages", "")
    assert "十一月三十日前完成。<br>请互相转告。" in reader.get(own).text
    assert "未读" not in reader.get("/notices").text
    assert "考试安排" not in outsider.get("/").text
    assert outsider.get(own).status_code == 404
    assert "已读 1 人" in office.get(path).text


def test_a_notice_carries_files_and_names_the_units_where_nobody_has_read_it(world):
    county, finance, education = county_with_two(world)
    office = world.client(world.admin("publicity_office", county))
    reader, outsider = world.client(world.person(finance)), world.client(world.person(education))
    world.person(world.unit("国库股", parent=finance))
    path = write(office, unit_ids=str(finance.id))
    token = token_of(office.get(path))
    for name, content, expected in (("红头.pdf", PDF, "附件已上传"), ("恶意.exe", b"MZ", "文件")):
        data = {"csrf_token": token, "file": (BytesIO(content), name)}
        answer = office.post(f"{path}/files", data=data, content_type="multipart/form-data", follow_redirects=True)
        assert expected in answer.text
    post(office, f"{path}/publish")
    own = path.replace("/admin/messages", "")
    (file,) = re.findall(rf'href="({own}/files/[0-9a-f]+)">红头.pdf', reader.get(own).text)
    with reader.get(file) as sent:
        assert sent.data == PDF and outsider.get(file).status_code == 404
    page = office.get(path).text
    assert "2 个单位中，1 个已有人阅读" in page and "1 个还没有人阅读</strong>：国库股" in page
    office.post(path + file.removeprefix(own) + "/remove", data={"csrf_token": token})
    assert "红头.pdf" not in reader.get(own).text and reader.get(file).status_code == 404


def test_a_notice_to_several_units_is_signed_for_and_names_who_has_not(world):
    county, finance, education = county_with_two(world)
    signer, candidate = world.client(world.admin("unit_admin", finance)), world.client(world.person(finance))
    world.admin("unit_admin", education)
    outsider = world.client(world.person(county))
    office = world.client(world.admin("publicity_office", county))
    path = write(office, unit_ids=[str(finance.id), str(education.id)], asks_receipt="y")
    post(office, f"{path}/publish")
    own = path.replace("/admin/messages", "")
    assert outsider.get(own).status_code == 404 and "代表您管理的单位签收" not in candidate.get(own).text
    assert "2 个未签收</strong>：财政局、教育局" in re.sub("[0-9]{4}", "", office.get(path).text)
    signed = signer.post(f"{own}/sign", data={"csrf_token": token_of(signer.get(own))}, follow_redirects=True)
    assert "已签收" in signed.text and "代表您管理的单位签收" not in signed.text
    page = office.get(path).text
    assert "2 个有管理员的单位中，1 个已签收，<strong>1 个未签收</strong>：教育局" in page


def test_a_notice_to_a_sector_reaches_its_units(world, fixed_clock):
    sector = world.unit("教育系统", kind="sector")
    county = world.unit(kind="county")
    school = world.unit("一中", parent=county, sector_parent=sector)
    world.save(
        Notice(
            title="系统通知",
            body="x",
            unit_ids=[sector.id],
            published_at=fixed_clock.instant,
            created_at=fixed_clock.instant,
        )
    )
    assert "系统通知" in world.client(world.person(school)).get("/").text
    assert "系统通知" not in world.client(world.person(county)).get("/").text


def test_a_withdrawn_notice_is_gone_and_cannot_come_back(world, session):
    county, finance, _ = county_with_two(world)
    office = world.client(world.admin("publicity_office", county))
    path = write(office, unit_ids=str(county.id))
    post(office, f"{path}/publish")
    reader = world.client(world.person(finance))
    assert "考试安排" in reader.get("/").text
    token = token_of(office.get(path))
    office.post(f"{path}/withdraw", data={"csrf_token": token})
    assert "考试安排" not in reader.get("/").text
    assert reader.get(path.replace("/admin/messages", "")).status_code == 404
    answer = office.post(f"{path}/publish", data={"csrf_token": token}, follow_redirects=True)
    assert "不能再发布" in answer.text
    session.expire_all()
    assert session.query(Notice).one().withdrawn_at is not None


def test_a_notice_for_administrators_is_not_shown_to_candidates(world, fixed_clock):
    county, finance, _ = county_with_two(world)
    world.save(
        Notice(
            title="请核对名册",
            body="x",
            unit_ids=[county.id],
            is_for_admins=True,
            published_at=fixed_clock.instant,
            created_at=fixed_clock.instant,
        )
    )
    assert "请核对名册" in world.client(world.admin("unit_admin", finance)).get("/").text
    assert "请核对名册" not in world.client(world.person(finance)).get("/").text


def test_only_units_within_reach_can_be_addressed(world, session):
    county, _finance, _ = county_with_two(world)
    other = world.unit("别县", kind="county")
    office = world.client(world.admin("publicity_office", county))
    for unit_id in (str(other.id), "all", "x"):
        answer = post(office, "/admin/messages/notices/new", title="a", text="b", unit_ids=unit_id)
        assert answer.status_code == 422
    assert session.query(Notice).count() == 0
    everywhere = world.client(world.admin("publicity_office"))
    write(everywhere, unit_ids="all")
    assert session.query(Notice).one().unit_ids is None


def test_another_offices_notice_is_not_there(world, session, fixed_clock):
    county, _, _ = county_with_two(world)
    other = world.unit("别县", kind="county")
    notice = world.save(Notice(title="别县的", body="x", unit_ids=[other.id], created_at=fixed_clock.instant))
    office = world.client(world.admin("publicity_office", county))
    path = f"/admin/messages/notices/{notice.id}"
    assert "别县的" not in office.get("/admin/messages/notices").text
    assert office.get(path).status_code == office.get(f"{path}/edit").status_code == 404
    token = token_of(office.get("/"))
    assert office.post(f"{path}/publish", data={"csrf_token": token}).status_code == 404
    assert session.get(Notice, notice.id).published_at is None
    assert world.client(world.admin("unit_admin", county)).get("/admin/messages/notices").status_code == 404


def test_a_draft_can_be_changed_and_a_published_notice_cannot(world):
    county, _, _ = county_with_two(world)
    office = world.client(world.admin("publicity_office", county))
    path = write(office, unit_ids=str(county.id))
    assert "十一月三十日前完成。\n请互相转告。" in office.get(f"{path}/edit").text
    post(office, f"{path}/edit", title="新标题", text="新正文", unit_ids=str(county.id))
    assert "新标题" in office.get(path).text
    post(office, f"{path}/publish")
    rejected = post(office, f"{path}/edit", title="再改", text="再改", unit_ids=str(county.id))
    assert rejected.status_code == 409
    assert "请先撤回" in rejected.text


def test_markup_in_a_notice_stays_words(world):
    county, _, _ = county_with_two(world)
    office = world.client(world.admin("publicity_office", county))
    path = write(office, unit_ids=str(county.id), text="<img src=x onerror=alert(1)>")
    assert "<img src=x" not in office.get(path).text


def test_reading_twice_counts_once(world, session, fixed_clock):
    county, finance, _ = county_with_two(world)
    notice = world.save(
        Notice(
            title="通知",
            body="x",
            unit_ids=[county.id],
            published_at=fixed_clock.instant,
            created_at=fixed_clock.instant,
        )
    )
    reader = world.client(world.person(finance))
    for _ in range(2):
        reader.get(f"/notices/{notice.id}")
    assert session.query(NoticeReading).count() == 1


def test_unit_ids_come_from_both_paths_once():
    assert unit_ids_of("/1/17/203/", "/9/203/") == (1, 17, 203, 9)
    assert unit_ids_of("/1/", None) == (1,)


def test_the_log_says_that_a_notice_went_to_all():
    assert detail_label({"unit_ids": None, "is_for_admins": False}).startswith("单位 全部；")
    assert detail_label({"unit_ids": [7, 9], "to_unit_id": None}) == "单位 7、9；现单位 无"
