"""The yearly assessment over HTTP: designed, self-scored, reviewed by several, fed back, appealed, sealed, corrected; and who may not."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO

import docx
import openpyxl
from hypothesis import given
from hypothesis import strategies as st

from examapp.oversight.assessments.models import AssessmentRevision, AssessmentSheet
from examapp.oversight.assessments.rules import (
    SHIPPED_BANDS,
    SHIPPED_TABLE,
    Opinion,
    band_of,
    bands_text,
    mean_points,
    points_of_rate,
    read_bands,
    read_number,
    satisfaction,
)
from examapp.platform.audit.models import AuditEvent


def audited(assessed, act):
    return assessed.session.query(AuditEvent).filter_by(act=act).count()


def revisions(assessed):
    query = assessed.session.query(AssessmentRevision).order_by(AssessmentRevision.number)
    return [(one.number, one.total, one.reason) for one in query]


def test_a_unit_is_judged_by_several_reviewers_and_sealed(assessed):
    sheet = assessed.fed_back()
    assert (sheet.state, sheet.total, sheet.band) == ("fed_back", Decimal("8.50"), "合格")
    page = assessed.admin.get(f"/admin/duties/sheets/{sheet.id}").text
    assert "8.5" in page
    assert "材料齐全" in page
    assert "评审甲" not in page  # the unit reads the opinion, not who wrote it
    assert "评审甲" in assessed.office.get(f"/admin/duties/sheets/{sheet.id}").text
    assert assessed.on_sheet("seal").status_code == 302
    assert assessed.sheet().state == "sealed"
    assert revisions(assessed) == [(1, Decimal("8.50"), "")]
    assert "8.50" in assessed.admin.get(f"/admin/duties/sheets/{sheet.id}/versions/1").text


def test_the_shipped_table_has_a_hundred_points_and_may_be_copied_to_the_next_year(assessed):
    assert sum(item.points for item in SHIPPED_TABLE) == 100
    assert assessed.office.post("/admin/duties/assessments/create", data={"year": "2025"}).status_code == 302
    assert assessed.office.post("/admin/duties/assessments/create", data={"year": "2025"}).status_code == 409
    answer = assessed.office.post("/admin/duties/assessments/create", data={"year": "2026", "copied": "1"})
    assert answer.status_code == 302
    assert [i.content for i in assessed.items_of(2026)] == [i.content for i in assessed.items_of(2025)]
    nothing = assessed.office.post("/admin/duties/assessments/create", data={"year": "2030", "copied": "1"})
    assert "没有 2029 年的考核" in nothing.text


def test_a_table_is_changed_only_before_it_is_opened(assessed):
    assessed.make(items=(("甲", "10", ""), ("乙", "5", "")))
    second = assessed.items_of()[1]
    assert assessed.act(f"items/{second.id}/up").status_code == 302
    assert [item.content for item in assessed.items_of()] == ["乙", "甲"]
    stale = assessed.office.post(f"{assessed.path()}/items/{second.id}/remove", data={"version": "1"})
    assert stale.status_code == 409
    assert assessed.admin.get("/admin/duties/assessments").text.count("打开评分表") == 0
    assert assessed.act("open").status_code == 302
    late = assessed.act(f"items/{second.id}/remove")
    assert late.status_code == 409
    assert "已经开始" in late.text
    assert assessed.act("open").status_code == 302  # only fills up
    assert assessed.session.query(AssessmentSheet).count() == 4
    new = assessed.world.unit("新局")
    assert assessed.act("open").status_code == 302
    assert assessed.sheet(new).state == "self"


def test_what_the_table_needs_is_asked_for_before_it_opens(assessed):
    assessed.make(items=(("参考", "10", "participation"),))
    assert "选择取用哪一场考试" in assessed.act("open").text
    empty = assessed.items_of()[0]
    assessed.act(f"items/{empty.id}/remove")
    assert "还没有项目" in assessed.act("open").text
    assert assessed.session.query(AssessmentSheet).count() == 0


def test_a_self_score_may_wait_but_is_handed_in_whole(assessed):
    assessed.open_it(items=(("甲", "10", ""), ("乙", "5", "")))
    first, second = assessed.items_of()
    saved = {f"points-{first.id}": "8", f"text-{first.id}": "做了"}
    assert assessed.on_sheet("self", client=assessed.admin, act="save", **saved).status_code == 302
    assert assessed.sheet().state == "self"
    assert 'value="8"' in assessed.admin.get(f"/admin/duties/sheets/{assessed.sheet().id}/self").text
    missing = assessed.on_sheet("self", client=assessed.admin, act="submit", **saved)
    assert missing.status_code == 422
    assert "第 2 项：请填写得分" in missing.text
    silent = assessed.on_sheet("self", client=assessed.admin, act="submit", **saved | {f"points-{second.id}": "5"})
    assert "第 2 项还没有写自评理由" in silent.text
    wild = {f"points-{second.id}": "5.5", f"text-{second.id}": "好"}
    assert "最多 5 分" in assessed.on_sheet("self", client=assessed.admin, act="submit", **saved | wild).text
    assert assessed.sheet().state == "self"
    right = saved | {f"points-{second.id}": "5", f"text-{second.id}": "好"}
    assert assessed.on_sheet("self", client=assessed.admin, act="submit", **right).status_code == 302
    assert assessed.sheet().state == "submitted"
    again = assessed.on_sheet("self", client=assessed.admin, act="submit", **right)
    assert again.status_code == 422
    assert "已经报送" in again.text
    assert audited(assessed, "duties.submit_sheet") == 1


def test_a_sheet_is_fed_back_only_once_every_reviewer_is_done(assessed):
    item = assessed.items(assessed.published())[0]
    deed = {"done_on": "2026-11-01", "form": "学习", "reached": "3", "text": "集中学习两次"}
    assert assessed.admin.post(f"/admin/duties/items/{item.id}/records/new", data=deed).status_code == 302
    assessed.open_it()
    assert "还没有报送自评" in assessed.on_sheet("feed_back").text
    assert assessed.review(0, "8").status_code == 404  # nothing to review yet
    assessed.submit()
    assessed.review(0, "8")
    early = assessed.on_sheet("feed_back")
    assert early.status_code == 409
    assert "评审乙还没有评审完" in early.text
    seen = assessed.reviewers[1].get(f"/duties/reviews/{assessed.sheet().id}").text
    assert "集中学习两次" in seen  # the unit's records, so that nobody asks for them again
    assert assessed.review(1, "11").status_code == 422
    assert assessed.review(1, "").status_code == 422
    assert assessed.review(1, "9").status_code == 302
    assert assessed.review(1, "10").status_code == 302  # given again before the feedback
    assert assessed.on_sheet("feed_back").status_code == 302
    assert assessed.sheet().total == Decimal("9.00")
    late = assessed.review(1, "1")
    assert late.status_code == 422
    assert "不在评审中" in late.text
    twice = assessed.on_sheet("feed_back")
    assert twice.status_code == 409
    assert audited(assessed, "duties.publish_feedback") == 1


def test_a_reviewer_does_not_judge_the_own_unit_and_nobody_else_reviews(assessed):
    assessed.open_it()
    assessed.submit()
    assessed.submit(client=assessed.office, unit=assessed.justice)
    assert assessed.review(0, "10", unit=assessed.justice).status_code == 404
    assert assessed.admin.get(f"/duties/reviews/{assessed.sheet().id}").status_code == 404
    page = assessed.reviewers[0].get("/duties/reviews").text
    assert "司法局" in page
    assert "D009" not in page
    assert "待我评审" in assessed.reviewers[0].get("/").text
    lonely = assessed.on_sheet("feed_back", unit=assessed.justice)
    assert "本单位的人不评本单位" in lonely.text


def test_an_appeal_is_answered_before_the_seal(assessed, fixed_clock):
    assessed.fed_back()
    assert assessed.on_sheet("appeal", client=assessed.admin, text="").status_code == 400
    assert assessed.on_sheet("appeal", client=assessed.admin, text="漏计了两次活动").status_code == 302
    assert assessed.on_sheet("appeal", client=assessed.admin, text="再说一次").status_code == 409
    blocked = assessed.on_sheet("seal")
    assert blocked.status_code == 409
    assert "还没有复核" in blocked.text
    item = assessed.items_of()[0]
    wordless = assessed.on_sheet("decide", **{f"points-{item.id}": "9.5"}, reason="")
    assert wordless.status_code == 422
    assert assessed.on_sheet("decide", **{f"points-{item.id}": "9.5"}, reason="补计两次活动").status_code == 302
    sheet = assessed.sheet()
    assert (sheet.state, sheet.total, sheet.band) == ("fed_back", Decimal("9.50"), "优秀")
    assert "补计两次活动" in assessed.admin.get(f"/admin/duties/sheets/{sheet.id}").text
    assert assessed.on_sheet("seal").status_code == 302


def test_an_appeal_has_its_last_day(assessed, fixed_clock):
    assessed.fed_back()
    assessed.later(fixed_clock, 8)
    assessed.admin = assessed.world.api(assessed.world.admin("unit_admin", assessed.unit))
    late = assessed.on_sheet("appeal", client=assessed.admin, text="晚了")
    assert late.status_code == 409
    assert "已经过期" in late.text
    assert "对结果有异议" not in assessed.admin.get(f"/admin/duties/sheets/{assessed.sheet().id}").text


def test_who_seals_within_the_days_of_appeal_is_told_how_many_are_left(assessed, fixed_clock):
    sheet = assessed.fed_back()
    path = f"/admin/duties/sheets/{sheet.id}"
    assert "申诉期还剩 7 天（到12月1日）" in assessed.office.get(path).text
    assert "有 1 个单位的申诉期还没有过" in assessed.office.get("/admin/duties/assessments?year=2026").text
    assert "申诉期还剩" not in assessed.admin.get(path).text
    assessed.later(fixed_clock, 7)
    office = assessed.world.api(assessed.world.admin("publicity_office"))
    assert "今天是申诉期最后一天" in office.get(path).text
    assessed.later(fixed_clock, 1)
    office = assessed.world.api(assessed.world.admin("publicity_office"))
    assert "申诉期还剩" not in office.get(path).text
    assert "申诉期还没有过" not in office.get("/admin/duties/assessments?year=2026").text


def test_a_reviewer_who_has_left_is_removed_and_holds_nothing_up_and_points_given_stay(assessed):
    assessed.open_it()
    for unit, client in ((assessed.unit, assessed.admin), (assessed.other, assessed.office)):
        assert assessed.submit(client=client, unit=unit).status_code == 302
        assert assessed.review(0, "8", unit=unit).status_code == 302
    assert assessed.review(1, "6").status_code == 302
    gone = assessed.reviewer_people[1]
    gone.state = "left"
    assessed.session.flush()
    blocked = assessed.on_sheet("feed_back", unit=assessed.other)
    assert blocked.status_code == 409 and "评审乙已离开名册" in blocked.text
    assert "（已离开名册）" in assessed.office.get(f"{assessed.path()}/table").text
    assert assessed.admin.post(f"{assessed.path()}/reviewers/{gone.id}/remove").status_code == 404
    assert assessed.office.post(f"{assessed.path()}/reviewers/{gone.id}/remove").status_code == 302
    assert audited(assessed, "duties.remove_reviewer") == 1
    again = assessed.act("reviewers", staff_number=gone.staff_number)
    assert again.status_code == 303 and "已经离开名册" in assessed.office.get(f"{assessed.path()}/table").text
    for unit, total in ((assessed.unit, "7.00"), (assessed.other, "8.00")):
        assert assessed.on_sheet("feed_back", unit=unit).status_code == 302
        assert assessed.sheet(unit).total == Decimal(total)


def test_points_of_the_only_reviewer_stand_after_the_removal(assessed):
    assessed.open_it()
    assessed.submit()
    assessed.review(0, "8")
    for person in assessed.reviewer_people:
        assert assessed.office.post(f"{assessed.path()}/reviewers/{person.id}/remove").status_code == 302
    assert assessed.on_sheet("feed_back").status_code == 302
    assert assessed.sheet().total == Decimal("8.00")
    assessed.submit(client=assessed.office, unit=assessed.other)
    assert "还没有可以评审这个单位的评审人" in assessed.on_sheet("feed_back", unit=assessed.other).text


def test_a_sealed_sheet_is_corrected_as_a_new_version(assessed):
    assessed.fed_back()
    item = assessed.items_of()[0]
    assert assessed.on_sheet("decide", **{f"points-{item.id}": "9"}, reason="早了").status_code == 404
    assessed.on_sheet("seal")
    assert assessed.on_sheet("seal").status_code == 409
    same = assessed.on_sheet("decide", **{f"points-{item.id}": "8.5"}, reason="没有变化")
    assert same.status_code == 422
    assert "没有变化" in same.text
    assert assessed.on_sheet("decide", **{f"points-{item.id}": "5"}, reason="材料不实").status_code == 302
    assert revisions(assessed) == [(1, Decimal("8.50"), ""), (2, Decimal("5.00"), "材料不实")]
    sheet = assessed.sheet()
    assert (sheet.state, sheet.total, sheet.band) == ("sealed", Decimal("5.00"), "不合格")
    first = assessed.session.query(AssessmentRevision).filter_by(number=1).one()
    assert first.lines[0]["points"] == "8.50"
    assert audited(assessed, "duties.correct_sealed_sheet") == 1
    assert (
        assessed.on_sheet("decide", client=assessed.admin, **{f"points-{item.id}": "10"}, reason="x").status_code == 404
    )


def test_everything_out_of_reach_is_not_found(assessed):
    assessed.open_it()
    foreign = assessed.sheet(assessed.other)
    for what in ("", "/self", "/table.xlsx", "/table.docx", "/versions/1"):
        assert assessed.admin.get(f"/admin/duties/sheets/{foreign.id}{what}").status_code == 404, what
    for what in ("self", "appeal"):
        assert assessed.on_sheet(what, client=assessed.admin, unit=assessed.other, text="x").status_code == 404, what
    assert assessed.admin.get(f"/admin/duties/units/{assessed.other.id}").status_code == 404
    assert assessed.admin.get("/admin/duties/sheets/999999").status_code == 404
    assert assessed.admin.get(f"{assessed.path()}/table").status_code == 404
    local = assessed.world.api(assessed.world.admin("publicity_office", assessed.unit))
    assert local.get(f"{assessed.path()}/table").status_code == 404
    assert local.post(f"{assessed.path()}/seal_all").status_code == 404
    assert "财政局" not in assessed.admin.get("/admin/duties/assessments").text


def test_results_leave_by_unit_code_without_ranking(assessed):
    assessed.fed_back()
    assert assessed.act("seal_all").status_code == 302
    book = openpyxl.load_workbook(BytesIO(assessed.office.get(f"{assessed.path()}/results.xlsx").data))
    rows = [[cell.value for cell in row] for row in book.active.iter_rows()]
    codes = [row[0] for row in rows if row[0] and str(row[0]).startswith("D0")]
    assert codes == ["D001", "D002", "D009"]
    first = next(row for row in rows if row[0] == "D001")
    assert first[1:] == ["司法局", 8.5, 8.5, "合格", "已封存", 1]
    summary = docx.Document(BytesIO(assessed.office.get(f"{assessed.path()}/summary.docx").data))
    text = "\n".join(paragraph.text for paragraph in summary.paragraphs)
    assert "共考核 4 个单位，已形成考核结果 1 个，其中已封存 1 个" in text
    assert "优秀 0 个、合格 1 个、不合格 0 个" in text
    assert all(
        str(line).startswith("制表单位：县普法办公室　　制表日期：") for line in (rows[-1][0], text.splitlines()[-1])
    )
    own = openpyxl.load_workbook(BytesIO(assessed.admin.get(f"{assessed.path()}/results.xlsx").data))
    assert "财政局" not in str([[cell.value for cell in row] for row in own.active.iter_rows()])
    sheet = assessed.sheet()
    table = docx.Document(BytesIO(assessed.admin.get(f"/admin/duties/sheets/{sheet.id}/table.docx").data)).tables[0]
    assert [cell.text for cell in table.rows[0].cells][:4] == ["考核项目", "考核内容", "分值", "评分标准"]
    assert [cell.text for cell in table.rows[-1].cells] == ["合计", "", "10", "", "9", "", "8.5"]


def test_feeding_back_all_takes_what_is_ready_and_few_statements(assessed, statements):
    assessed.open_it()
    for unit in (assessed.unit, assessed.other):
        assessed.submit(client=assessed.office, unit=unit)
    for number in (0, 1):
        assessed.review(number, "8")
    assessed.office.get("/admin/duties/assessments")
    with statements() as seen:
        assert assessed.office.get("/admin/duties/assessments").status_code == 200
    assert len(seen) <= 20, "\n".join(seen)
    assert assessed.act("feed_back_all").status_code == 302
    assert assessed.sheet().state == "fed_back"
    assert assessed.sheet(assessed.other).state == "submitted"


@given(
    rate=st.decimals(0, 100, places=2),
    points=st.decimals("0.5", 100, places=2),
    full_from=st.decimals(1, 100, places=2),
)
def test_points_of_a_rate_lie_between_nothing_and_all(rate, points, full_from):
    given_points = points_of_rate(rate, points=points, full_from=full_from)
    assert 0 <= given_points <= points
    assert (given_points == points) or rate < full_from


def test_small_rules_of_the_assessment():
    assert points_of_rate(None, points=Decimal(10), full_from=Decimal(100)) is None
    assert mean_points([Decimal(8), Decimal("8.01"), Decimal("8.01")]) == Decimal("8.01")
    assert mean_points([]) is None
    assert satisfaction({Opinion.GOOD: 1, Opinion.FAIR: 1, Opinion.BAD: 2}) == Decimal("40.00")
    assert satisfaction({}) is None
    totals = [Decimal(t) for t in ("100", "90", "89.99", "60", "59.99", "0")]
    assert [band_of(t, possible=Decimal(100), bands=SHIPPED_BANDS) for t in totals] == [
        "优秀",
        "优秀",
        "良好",
        "合格",
        "不合格",
        "不合格",
    ]
    assert read_bands(bands_text(SHIPPED_BANDS)) == (list(SHIPPED_BANDS), "")
    for text in ("优秀", "优秀 90", "优秀 90\n优秀 80", "优秀 90\n良好 90", "优秀 900\n良好 1"):
        assert read_bands(text)[1], text
    assert read_number("9.5", limit=Decimal(10)) == (Decimal("9.5"), "")
    for text in ("", "-1", "1e3", "9.555", "十", "１０", "NaN"):
        assert read_number(text, limit=Decimal(10))[0] is None, text


def test_a_bureau_proposes_for_a_unit_of_its_system_and_the_county_sees_both(assessed):
    world = assessed.world
    system = world.unit("政法系统", kind="sector", code="S09")
    assessed.unit.sector_parent_id, assessed.unit.sector_path = system.id, f"{system.sector_path}{assessed.unit.id}/"
    world.session.flush()
    bureau = world.api(world.admin("unit_admin", system, tree="sector"))
    assessed.open_it(items=(("普法组织", "10", ""),))
    assert assessed.submit(client=assessed.office, unit=assessed.unit).status_code == 302
    sheet = assessed.session.query(AssessmentSheet).filter_by(unit_id=assessed.unit.id).one()
    other = assessed.session.query(AssessmentSheet).filter_by(unit_id=assessed.other.id).one()
    path, said = f"/admin/duties/sheets/{sheet.id}/opinion", {"points": "8.5", "text": "系统内做得扎实"}
    assert assessed.admin.post(path, data=said).status_code == 404
    assert bureau.post(f"/admin/duties/sheets/{other.id}/opinion", data=said).status_code == 404
    too_many = bureau.post(path, data=said | {"points": "11"}, follow_redirects=True)
    assert "建议得分应为 0 至 10" in too_many.text
    assert bureau.post(path, data=said).status_code == 302
    page = assessed.office.get(f"/admin/duties/sheets/{sheet.id}").text
    assert "政法系统" in page
    assert "系统内做得扎实" in page
    assert "系统内做得扎实" not in assessed.admin.get(f"/admin/duties/sheets/{sheet.id}").text
