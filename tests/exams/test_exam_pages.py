"""The office builds, publishes, prolongs, extends and closes exams."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from examapp import clock
from examapp.content.blueprints.models import Blueprint
from examapp.content.questions.models import BankQuestion, QuestionVersion
from examapp.delivery.exam_candidates.actions import prepare_papers
from examapp.delivery.exams.models import Exam, ExamAudience, ExamExtension, ExamState, PreparedPaper
from examapp.platform.audit.models import AuditEvent
from question_bank.model import Kind
from tests.helpers.exam_forms import act, fields
from tests.helpers.extensions import extensions_of
from tests.helpers.forms import post, token


@pytest.fixture
def office(world):
    return world.client(world.admin("publicity_office"))


def text_of(answer):
    return answer.get_data(as_text=True)


@pytest.fixture
def bank(world):
    for _ in range(4):
        world.question()
    return world.blueprint(((Kind.SINGLE_CHOICE, 2, "2"),))


def test_an_exam_is_built_with_all_its_settings_published_and_its_papers_are_made(world, session, office, bank):
    county = world.unit("某县", kind="county")
    sector = world.unit("教育系统", kind="sector")
    bureau = world.unit("教育局", parent=county, sector_parent=sector)
    people = [world.person(bureau) for _ in range(3)] + [
        world.person(world.unit("某局", parent=county), staff_number="N77")
    ]
    answer = post(
        office,
        "/admin/exams/new",
        fields(
            **{
                "blueprint_id": bank.id,
                "lateness": "30",
                "is_full_duration": "y",
                "results_policy": "at_time",
                "results_at": "2026-12-21T08:00",
                "required_credits": "60",
                "elective_credits": "40",
                "focus_loss_limit": "",
                "snapshot_on": "2026-11-30",
                "instructions": "请独立作答。",
                "sessions-0-name": "第一场",
                "sessions-0-opens_at": "2026-12-01T09:00",
                "sessions-0-closes_at": "2026-12-01T11:00",
                "sessions-4-name": "第二场",
                "sessions-4-opens_at": "2026-12-02T09:00",
                "sessions-4-closes_at": "2026-12-02T11:00",
                "audience-0-unit_id": "",
                "audience-0-sector_unit_id": sector.id,
                "audience-0-ranks": "一级科员、二级科员",
                "staff_numbers": "N77\nN77",
            }
        ),
    )
    assert answer.status_code == 302, text_of(answer)
    exam = session.query(Exam).one()
    assert exam.opens_at.isoformat() == "2026-12-01T01:00:00+00:00"
    assert (exam.state, exam.duration_s, exam.lateness_s, exam.is_full_duration, exam.attempts_allowed) == (
        "draft",
        3600,
        1800,
        True,
        3,
    )
    assert (exam.scoring_rule, exam.study_gate, exam.results_at.isoformat()) == (
        "half_for_incomplete",
        {"required": 60, "elective": 40},
        "2026-12-21T00:00:00+00:00",
    )
    assert [(s.name, s.opens_at.day) for s in exam.sessions] == [("第一场", 1), ("第二场", 2)]
    assert {(a.sector_unit_id, tuple(a.ranks), a.person_id) for a in exam.audiences} == {
        (sector.id, ("一级科员", "二级科员"), None),
        (None, (), people[3].id),
    }
    page = text_of(office.get(answer.location))
    assert "可以发布" in page
    for text in (
        "第一场",
        "少选且无错得一半分",
        "必修 60 学分",
        "点名 1 人",
        "教育系统",
        "3 次，取最高分",
        "2026年12月21日 08:00",
    ):
        assert text in page
    assert "N77" in text_of(office.get(f"/admin/exams/{exam.id}/edit"))
    assert act(office, exam, "publish").status_code == 302
    session.expire_all()
    assert (exam.state, exam.published_at) == (ExamState.PUBLISHED, clock.now())
    prepare_papers(session, exam.id, now=clock.now())
    assert {row.person_id for row in session.query(PreparedPaper)} == {person.id for person in people}
    assert "4 / 4 人的试卷已备好" in text_of(office.get(answer.location))
    assert office.get(f"/admin/exams/{exam.id}/readiness").get_json() == {
        "state": "ready",
        "done": 4,
        "total": 4,
        "message": "",
    }
    acts = [event.act for event in session.query(AuditEvent).filter_by(object_type="exam").order_by(AuditEvent.id)]
    assert acts == ["exams.create_exam", "exams.publish_exam"]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"title": ""}, "请填写考试名称"),
        ({"opens_at": "明天"}, "开始时间"),
        ({"closes_at": "2026-11-30T09:00"}, "结束时间必须晚于开始时间"),
        ({"closes_at": "9999-11-30T09:00"}, "年份不对"),
        ({"duration": "0"}, "应为 1 至 1440 分钟"),
        ({"duration": "9e9"}, "作答时长"),
        ({"pass_percent": "85"}, "依次升高"),
        ({"pass_percent": "NaN"}, "合格线"),
        ({"kind": "makeup"}, "必须绑定一场主考试"),
        ({"kind": "lottery"}, "考试类型"),
        ({"blueprint_id": "999999"}, "组卷规则"),
        ({"blueprint_id": "x"}, "组卷规则"),
        ({"results_policy": "at_time"}, "请填写公布时间"),
        ({"staff_numbers": "没有的工号"}, "没有的工号"),
        (
            {
                "sessions-0-name": "夜场",
                "sessions-0-opens_at": "2026-12-25T09:00",
                "sessions-0-closes_at": "2026-12-25T11:00",
            },
            "不在考试时间之内",
        ),
        (
            {
                "sessions-0-name": "夜场",
                "sessions-0-opens_at": "2026-12-05T09:00",
                "sessions-0-closes_at": "2026-12-05T08:00",
            },
            "场次第 1 条",
        ),
        (
            {
                f"sessions-{n}-{k}": v
                for n in (0, 1)
                for k, v in {
                    "name": f"场{n}",
                    "opens_at": f"2026-12-05T09:{n}0",
                    "closes_at": "2026-12-05T12:00",
                }.items()
            },
            "重叠",
        ),
        ({"audience-0-unit_id": "999999"}, "应考范围第 1 条"),
    ],
)
def test_settings_that_cannot_stand_are_rejected_in_words(world, session, office, changes, text):
    answer = post(office, "/admin/exams/new", fields(**changes))
    assert answer.status_code == 422
    assert text in text_of(answer)
    assert session.query(Exam).count() == 0


def test_fields_that_the_form_does_not_have_change_nothing(world, session, office, bank):
    """H05."""
    post(
        office,
        "/admin/exams/new",
        fields(blueprint_id=bank.id, state="published", published_at="2026-01-01", created_by_id="1", id="77"),
    )
    exam = session.query(Exam).one()
    assert (exam.state, exam.published_at) == ("draft", None)
    assert exam.id != 77


def test_an_exam_is_not_published_whose_papers_would_have_different_full_marks(world, session, office, bank):
    """Cases of any number of sub-questions, or another total for a part of the audience."""
    world.question(Kind.CASE, parts=[(Kind.TRUE_FALSE, ("A",), 2)] * 2)
    open_case = world.blueprint(((Kind.CASE, 1, "5"),))
    bureau, town = world.unit("甲局"), world.unit("乙镇")
    world.person(town)
    exam = world.exam(open_case, state="draft")
    act(office, exam, "publish")
    assert "没有定每道案例题的小题数" in text_of(office.get(f"/admin/exams/{exam.id}"))
    open_case.sections[0].part_count = 2
    world.save(ExamAudience(exam_id=exam.id, unit_id=town.id, ranks=[], blueprint_id=bank.id))
    world.save(ExamAudience(exam_id=exam.id, unit_id=bureau.id, ranks=[]))
    act(office, exam, "publish")
    assert "各组卷规则的满分不同（" in text_of(office.get(f"/admin/exams/{exam.id}"))
    session.expire_all()
    assert exam.state == "draft"


def test_an_exam_is_not_published_while_something_is_missing(world, session, office):
    world.person()
    poor = world.blueprint(((Kind.SINGLE_CHOICE, 9, "2"),))
    exam = world.exam(poor, state="draft")
    assert "题库不够" in text_of(office.get(f"/admin/exams/{exam.id}"))
    assert act(office, exam, "publish").status_code == 302
    assert "题库不够" in text_of(office.get("/admin/exams/"))
    bare = world.exam(state="draft", opens_in=timedelta(days=-9))
    world.save(ExamAudience(exam_id=bare.id, unit_id=world.unit("空局").id, ranks=[]))
    act(office, bare, "publish")
    page = text_of(office.get("/admin/exams/"))
    for text in ("还没有选组卷规则", "结束时间已过", "应考范围内没有人"):
        assert text in page
    session.expire_all()
    assert {exam.state, bare.state} == {"draft"}


def test_overlapping_windows_are_allowed_and_pointed_out(world, session, office, bank):
    """H22: two exams at the same time stand each for itself."""
    world.person()
    world.exam(bank, title="另一场考试")
    exam = world.exam(bank, state="draft", keys_policy="at_once")
    page = text_of(office.get(f"/admin/exams/{exam.id}"))
    assert "与“另一场考试”的考试时间重叠" in page
    assert "正式考试的答案不会在交卷后立即公布" in page
    act(office, exam, "publish")
    session.expire_all()
    assert exam.state == "published"


def test_a_used_question_and_a_drawn_paper_stay_as_they_are_during_the_exam(world, session, office, bank):
    """H22: a paper is frozen; its versions are marked and its blueprint no longer changes."""
    world.person()
    exam = world.exam(bank)
    prepare_papers(session, exam.id, now=clock.now())
    assert session.query(QuestionVersion).filter(QuestionVersion.used_at.is_not(None)).count() == 2
    changed = {
        "name": "改",
        "sections-0-title": "改",
        "sections-0-kind": "single_choice",
        "sections-0-count": "1",
        "sections-0-points_each": "1",
    }
    assert "请复制一份" in text_of(post(office, f"/admin/papers/{bank.id}/edit", changed))
    assert post(office, f"/admin/exams/{exam.id}/edit", fields(), page="/admin/exams/new").status_code == 302
    session.expire_all()
    assert (exam.title, session.get(Blueprint, bank.id).name) == ("测试考试", "测试组卷")


def test_no_page_shows_a_persons_paper_before_the_exam(world, session, bank):
    """H18: papers are made ahead, but neither the candidate nor a unit admin has an address for them."""
    unit = world.unit()
    person = world.person(unit)
    exam = world.exam(bank, opens_in=timedelta(days=1))
    prepare_papers(session, exam.id, now=clock.now())
    paper_id = session.query(PreparedPaper).filter_by(person_id=person.id).one().paper_id
    for client in (world.client(person), world.client(world.admin("unit_admin", unit))):
        for path in (
            f"/admin/papers/{bank.id}/preview",
            f"/admin/papers/{bank.id}",
            f"/admin/papers/{paper_id}",
            f"/api/v1/papers/{paper_id}",
        ):
            assert client.get(path).status_code == 404


def test_an_exam_is_withdrawn_or_cancelled_only_before_it_opens(world, session, office, bank):
    world.person()
    coming, running = world.exam(bank, opens_in=timedelta(days=1)), world.exam(bank)
    prepare_papers(session, coming.id, now=clock.now())
    for what in ("withdraw", "cancel"):
        act(office, running, what)
        assert "不能撤回或取消" in text_of(office.get("/admin/exams/"))
    act(office, coming, "withdraw")
    session.expire_all()
    assert (running.state, coming.state, session.query(PreparedPaper).count()) == ("published", "draft", 0)
    act(office, coming, "cancel")
    session.expire_all()
    assert coming.state == "cancelled"
    act(office, coming, "publish")
    session.expire_all()
    assert coming.state == "cancelled"


def test_people_are_named_by_number_or_by_name(world, session, office, bank):
    county = world.unit("某县", kind="county")
    one, two = (
        world.person(county, name=name, staff_number=number) for name, number in (("张三", "N1"), ("李四", "N2"))
    )
    three = world.person(world.unit("财政局", parent=county), name="张三", staff_number="N3")
    named = "N1 N2\n张三 财政局"
    sent = fields(blueprint_id=bank.id, staff_numbers=named, title="点名考试")
    assert post(office, "/admin/exams/new", sent).status_code == 302
    exam = session.query(Exam).filter_by(title="点名考试").one()
    assert {part.person_id for part in exam.audiences} == {one.id, two.id, three.id}
    again = post(office, "/admin/exams/new", sent | {"staff_numbers": "张三"})
    assert again.status_code == 422 and "有几个人都符合" in text_of(again)


def test_a_published_exam_has_a_poster_until_it_is_over(world, office, bank):
    coming = world.exam(bank, opens_in=timedelta(days=1), title="年度学法考试")
    page = text_of(office.get(f"/admin/exams/{coming.id}/poster"))
    assert '<span class="poster-part">考试</span></h1>' in page, "no line breaks within a word"
    assert "年度学法考试" in page and "<svg" in page and f"/exams/{coming.id}" in page
    draft = world.exam(bank, state=ExamState.DRAFT)
    over = world.exam(bank, opens_in=timedelta(days=-3))
    for exam, reason in ((draft, "发布以后才有"), (over, "已经结束")):
        assert reason in text_of(office.get(f"/admin/exams/{exam.id}/poster", follow_redirects=True))


def test_an_exam_says_what_comes_next_by_its_phase(world, office, bank):
    coming, running, over = (
        text_of(office.get(f"/admin/exams/{world.exam(bank, opens_in=timedelta(days=days)).id}"))
        for days in (1, -0.5, -3)
    )
    assert "打印密码卡" in coming and "入口二维码和海报" in coming and "催考" not in coming
    assert "催考" in running and "参考情况" in running and "复制到明年" not in running
    for step in ("安排补考", "公布成绩和答案", "发放证书", "复制到明年"):
        assert step in over
    assert "入口二维码和海报" not in over
    assert re.search(r'btn-primary" [^>]*>延长', running) and not re.search(r'btn-primary" [^>]*>延长', over)


def test_an_exam_is_copied_to_the_next_year_and_has_a_make_up(world, office, bank):
    over = world.exam(bank, opens_in=timedelta(days=-3), title="2026年度学法考试", focus_loss_limit=4)
    page = text_of(office.get(f"/admin/exams/new?copy={over.id}"))
    assert 'value="2027年度学法考试"' in page and f'value="{clock.local(over.opens_at):2027-%m-%dT%H:%M}' in page
    assert re.search(r'name="focus_loss_limit"[^>]*value="4"|value="4"[^>]*name="focus_loss_limit"', page)
    assert f'value="{clock.local(over.closes_at):2027-%m-%dT%H:%M}' in page
    for due_at, day in ((over.closes_at - timedelta(days=1), "2027-"), (over.closes_at, "")):
        over.snapshot_due_at = due_at
        typed = re.search(
            r'name="snapshot_on"[^>]*value="([^"]*)"', office.get(f"/admin/exams/new?copy={over.id}").text
        )
        assert typed[1].startswith(day) and bool(typed[1]) == bool(day), "frozen by itself at the end, and so next year"
    cut = world.exam(bank, opens_in=timedelta(days=-3), lasts=timedelta(minutes=6, seconds=7), title="提前结束的考试")
    page = text_of(office.get(f"/admin/exams/new?copy={cut.id}"))
    assert f'value="{clock.local(cut.opens_at):2027-%m-%dT%H:%M}' in page
    assert f'value="{clock.local(cut.closes_at):2027-%m-%dT%H:%M}' not in page, "its end was no plan"
    page = text_of(office.get(f"/admin/exams/new?makeup={over.id}"))
    assert 'value="2026年度学法考试补考"' in page and f'selected value="{over.id}"' in page
    assert "2026-11-21" not in page, "the times of a make-up are to be typed"
    sent = fields(blueprint_id=bank.id, title="2027 年度学法用法考试")
    assert post(office, f"/admin/exams/new?copy={over.id}", sent).status_code == 302
    assert world.session.query(Exam).filter_by(title="2027 年度学法用法考试").count() == 1
    assert office.get("/admin/exams/new?copy=999999").status_code == 404


def test_a_window_is_prolonged_and_closed(world, session, office, bank):
    exam = world.exam(bank, opens_in=timedelta(hours=-1), lasts=timedelta(hours=5))
    path = f"/admin/exams/{exam.id}/prolong"
    assert "必须晚于原来的结束时间" in text_of(post(office, path, {"closes_at": "2026-11-24T12:30"}))
    assert post(office, path, {"closes_at": "2026-11-25T12:30"}).status_code == 302
    session.expire_all()
    assert exam.closes_at.isoformat() == "2026-11-25T04:30:00+00:00"
    act(office, exam, "close")
    act(office, exam, "close")
    session.expire_all()
    assert exam.closes_at == clock.now()
    assert "不在进行中" in text_of(office.get("/admin/exams/"))


def test_extra_time_counts_once_however_often_the_button_is_pressed(world, session, office, bank):
    exam, unit = world.exam(bank), world.unit("停电局")
    person, other = world.person(unit), world.person()
    path = f"/admin/exams/{exam.id}/extensions"
    page = text_of(office.get(path))
    key = re.search(r'name="request_key"[^>]*value="([^"]+)"', page)[1]
    wanted = {"unit_id": unit.id, "minutes": "15", "reason": "停电 12 分钟", "request_key": key}
    for _ in range(2):
        assert post(office, path, wanted).status_code == 302
    assert (extensions_of(session, exam.id, person.id), extensions_of(session, exam.id, other.id)) == (900, 0)
    assert session.query(AuditEvent).filter_by(act="exams.extend").count() == 1
    assert "停电局" in text_of(office.get(f"/admin/exams/{exam.id}"))
    assert (
        post(
            office,
            path,
            {"staff_number": other.staff_number, "minutes": "5", "reason": "设备故障", "request_key": "another-key"},
        ).status_code
        == 302
    )
    assert extensions_of(session, exam.id, other.id) == 300
    for wrong, text in (
        ({"unit_id": ""}, "只能二选一"),
        ({"minutes": "999"}, "应为 0 至 240"),
        ({"unit_id": "", "staff_number": "没有"}, "没有找到“没有”"),
    ):
        assert text in text_of(post(office, path, wanted | {"request_key": "third-key"} | wrong))
    assert session.query(ExamExtension).count() == 2


def test_the_release_of_results_and_keys_may_change_at_any_time(world, session, office, bank):
    exam = world.exam(bank)
    path = f"/admin/exams/{exam.id}/release"
    answer = post(office, path, {"results_policy": "at_time", "results_at": "", "keys_policy": "never"})
    assert "请填写公布时间" in text_of(answer)
    assert (
        post(
            office,
            path,
            {
                "results_policy": "at_time",
                "results_at": "2026-12-01T08:00",
                "keys_policy": "never",
                "keys_at": "2026-12-01T08:00",
            },
        ).status_code
        == 302
    )
    session.expire_all()
    assert (exam.results_policy, exam.results_at.isoformat(), exam.keys_policy, exam.keys_at) == (
        "at_time",
        "2026-12-01T00:00:00+00:00",
        "never",
        None,
    )


def test_a_makeup_starts_after_its_main_exam(world, session, office, bank):
    main = world.exam(bank, title="主考试")
    early = fields(kind="makeup", main_exam_id=main.id, opens_at="2026-11-24T13:00", closes_at="2026-11-24T15:00")
    assert "主考试结束之后" in text_of(post(office, "/admin/exams/new", early))
    assert (
        post(office, "/admin/exams/new", fields(kind="makeup", main_exam_id=main.id, blueprint_id=bank.id)).status_code
        == 302
    )
    makeup = session.query(Exam).filter_by(kind="makeup").one()
    page = text_of(office.get(f"/admin/exams/{makeup.id}"))
    assert "所属主考试" in page
    assert "可以发布" in page


def test_a_unit_admin_sees_the_exams_of_the_unit_and_changes_none(world, session, bank):
    unit, elsewhere = world.unit("本局"), world.unit("别局")
    world.person(unit)
    world.person(elsewhere)
    mine, theirs, draft = (
        world.exam(bank, title="全员"),
        world.exam(bank, title="别局的"),
        world.exam(bank, title="草稿", state="draft"),
    )
    world.save(ExamAudience(exam_id=theirs.id, unit_id=elsewhere.id, ranks=[]))
    client = world.client(world.admin("unit_admin", unit))
    page = text_of(client.get("/admin/exams/"))
    assert "全员" in page
    assert "别局的" not in page
    assert "草稿" not in page
    assert "立即结束考试" not in text_of(client.get(f"/admin/exams/{mine.id}"))
    for exam, path in (
        (theirs, ""),
        (draft, ""),
        (theirs, "/readiness"),
        (mine, "/edit"),
        (mine, "/prolong"),
        (mine, "/extensions"),
        (mine, "/release"),
    ):
        assert client.get(f"/admin/exams/{exam.id}{path}").status_code == 404
    csrf = token(client, "/admin/exams/exemptions/new")
    for what in ("publish", "withdraw", "cancel", "close"):
        assert client.post(f"/admin/exams/{mine.id}/{what}", data={"csrf_token": csrf}).status_code == 404
    assert world.client(world.person()).get("/admin/exams/").status_code == 404


def test_an_office_of_one_subtree_holds_exams_only_for_its_own_people(world, session, bank):
    town, elsewhere = world.unit("某镇"), world.unit("别局")
    world.person(town)
    client = world.client(world.admin("publicity_office", town))
    assert "超出您管理的单位" in text_of(post(client, "/admin/exams/new", fields(blueprint_id=bank.id)))
    assert (
        post(client, "/admin/exams/new", fields(**{"blueprint_id": bank.id, "audience-0-unit_id": town.id})).status_code
        == 302
    )
    own = session.query(Exam).one()
    foreign = world.exam(bank)
    world.save(ExamAudience(exam_id=foreign.id, unit_id=elsewhere.id, ranks=[]))
    for path in ("", "/edit", "/prolong"):
        assert client.get(f"/admin/exams/{foreign.id}{path}").status_code == 404
    assert client.get(f"/admin/exams/{own.id}/edit").status_code == 200
    county_wide = world.exam(bank)
    for what in ("close", "withdraw"):
        assert act(client, county_wide, what).status_code == 404
    assert client.get(f"/admin/exams/{county_wide.id}").status_code == 200


def test_an_exams_page_costs_few_statements(world, session, office, bank, statements):
    for _ in range(3):
        world.person()
    exam = world.exam(bank)
    prepare_papers(session, exam.id, now=clock.now())
    with statements() as seen:
        office.get(f"/admin/exams/{exam.id}")
    assert len(seen) <= 14


def test_an_office_granted_the_county_holds_exams_for_the_whole_roster(world, session, bank):
    county = world.unit("某县", kind="county")
    world.person(world.unit("某镇", parent=county))
    world.unit("教育系统", kind="sector")
    client = world.client(world.admin("publicity_office", county))
    assert post(client, "/admin/exams/new", fields(blueprint_id=bank.id)).status_code == 302
    act(client, session.query(Exam).one(), "publish")
    session.expire_all()
    assert session.query(Exam).one().state == "published"


def test_a_published_exam_whose_bank_has_shrunk_says_why_papers_are_not_made(world, session, office, bank):
    world.person()
    exam = world.exam(bank)
    for question in session.query(BankQuestion):
        question.state = "retired"
    session.flush()
    page = text_of(office.get(f"/admin/exams/{exam.id}"))
    assert "试卷生成停下了" in page
    assert "补足题目后会自动继续" in page
