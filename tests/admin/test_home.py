"""What stands out on the home page, by role; and a menu that leads only where one has business."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from examapp.delivery.attempts.models import Attempt
from examapp.delivery.exams.models import Exemption
from examapp.delivery.grading.models import Grade
from examapp.jobs.models import JobState
from examapp.learning.courses.models import CourseCompletion
from examapp.organisation.access.rules import MenuEntry
from examapp.organisation.people.models import Account, RosterImport
from examapp.platform.dashboard.rules import (
    HOME,
    MENU_GROUPS,
    entries_for,
    group_links,
    mark_current,
    moment_label,
)
from examapp.platform.notices.models import Feedback
from examapp.web.pages import remaining_time_label
from tests.attempts.candidate_clients import make_exam_with_candidates
from tests.conftest import NOON
from tests.helpers.courses import course


def test_an_outsider_is_led_to_the_sign_in(world):
    world.person()
    assert world.client().get("/").headers["Location"] == "/login"


def test_a_candidate_sees_the_one_exam_that_counts_now(world):
    person = world.person()
    world.exam(title="模拟考试一", kind="mock", attempts_allowed=None)
    world.exam(title="年度学法考试", lasts=timedelta(days=6, hours=7), attempts_allowed=3)
    world.exam(title="以后的考试", opens_in=timedelta(days=30))
    page = world.client(person).get("/").text
    assert "年度学法考试" in page
    assert "还有 6 天" in page and "11月30日 18:00 截止" in page
    assert "60 分钟" in page and "共 3 次，剩余 3 次" in page
    assert "其他考试（2 场）" in page or "admin.my_exams" not in world.app.view_functions
    assert page.index("年度学法考试") < page.index("通知公告")


def test_without_an_exam_the_page_says_so(world):
    assert "目前没有需要您参加的考试" in world.client(world.person()).get("/").text


def test_an_administrator_off_the_roster_is_no_candidate(world):
    world.exam()
    page = world.client(world.admin("system_admin")).get("/").text
    assert "exam-now" not in page.replace("css/", "")
    assert "系统运行" in page


def test_an_upcoming_exam_is_shown_with_its_beginning(world):
    world.exam(title="下月考试", opens_in=timedelta(days=10))
    page = world.client(world.person()).get("/").text
    assert "12月4日 12:00 开始" in page
    assert "开始考试" not in page


@pytest.mark.parametrize("role", ["unit_admin", "publicity_office", "leader"])
def test_an_organiser_sees_the_figures_of_the_units_within_reach(world, role):
    county = world.unit("某县", kind="county")
    bureau = world.unit("财政局", parent=county)
    for _ in range(3):
        world.person(bureau)
    world.person(county)
    exam = world.exam(title="年度学法考试")
    page = world.client(world.admin(role, bureau)).get("/").text
    assert f"{exam.title} · 财政局" in page
    assert "应考" in page and ">3<" in page.replace("</a>", "<")
    assert ("数据截至" in page and "0.00%" in page) or "0%" in page


def test_an_organiser_chooses_among_the_exams_of_now(world, fixed_clock):
    county = world.unit("某县", kind="county")
    world.person(county)
    first, second = world.exam(title="年度考试"), world.exam(title="新任职考试")
    client = world.client(world.admin("publicity_office", county))
    for exam in (first, second):
        page = client.get(f"/?exam={exam.id}").text
        assert f"{exam.title} · 某县" in page and page.count('<a href="/?exam=') == 2
        assert f'<a href="/?exam={exam.id}" aria-current="page">' in page
    token = re.compile(r'name="csrf_token" value="[^"]*"')  # holds the second it was made in
    assert token.sub("", client.get("/?exam=99999999").text) == token.sub("", client.get("/").text)


def test_what_waits_is_counted_within_reach(world, fixed_clock):
    county, other = world.unit("某县", kind="county"), world.unit("别县", kind="county")
    exam = world.exam()
    for unit in (county, other):
        person = world.person(unit)
        world.save(Feedback(person_id=person.id, text="x", created_at=fixed_clock.instant))
        world.save(Exemption(exam_id=exam.id, person_id=person.id, reason="病假", requested_at=fixed_clock.instant))
    page = world.client(world.admin("publicity_office", county)).get("/").text
    assert page.count("1 项") == 2
    assert "免考、缓考申请待审批" in page and "意见建议待答复" in page
    page = world.client(world.admin("unit_admin", county)).get("/").text
    assert "免考、缓考申请等普法办审批" in page and page.count("1 项") == 1
    assert "待办事项" not in world.client(world.admin("leader", county)).get("/").text


def test_a_running_import_is_found_again(world, fixed_clock):
    office = world.admin("publicity_office")
    world.save(
        RosterImport(
            created_by_id=office.id,
            file_name="名册.xlsx",
            state="running",
            lease_expires_at=fixed_clock.instant,
            done=40,
            total=80,
            created_at=fixed_clock.instant,
        )
    )
    world.save(
        RosterImport(
            created_by_id=world.admin().id,
            file_name="别人的.xlsx",
            state="running",
            lease_expires_at=fixed_clock.instant,
            created_at=fixed_clock.instant,
        )
    )
    now, long_name = (
        fixed_clock.instant,
        "青禾县2026年度国家工作人员学法用法考试-青禾县-参考情况通报-本次考试-202612031356.docx",
    )
    world.save(
        RosterImport(created_by_id=office.id, file_name=long_name, state="done", created_at=now, finished_at=now)
    )
    old = fixed_clock.instant - timedelta(days=3)
    world.save(
        RosterImport(created_by_id=office.id, file_name="旧的.xlsx", state="done", created_at=old, finished_at=old)
    )
    page = world.client(office).get("/").text
    assert "名册.xlsx" in page and "40 / 80" in page
    assert "青禾县2026年…" in page and "参考情况通报-本次考试-202612031356.docx" in page, (
        "what a file holds stands last"
    )
    assert "别人的.xlsx" not in page and "旧的.xlsx" not in page


def test_the_home_pages_cost_few_statements(world, statements):
    county = world.unit("某县", kind="county")
    for number in range(8):
        world.exam(title=f"考试{number}", opens_in=timedelta(days=number - 4))
    for person, limit in ((world.person(county), 12), (world.admin("publicity_office", county), 21)):
        client = world.client(person)
        with statements() as seen:
            assert client.get("/").status_code == 200
        assert len(seen) <= limit, "\n".join(seen)


def test_a_new_office_is_led_from_units_to_its_first_exam(world):
    county = world.unit("某县", kind="county")
    office = world.client(world.admin("publicity_office"))
    page = office.get("/").text
    assert "第一场考试之前" in page and "/admin/org/units/import" in page and "在册 0 人" in page
    assert 'href="/admin/content/"' in page, "or everything that ships with the platform at once"
    assert "电话：未填" in page and 'href="/admin/site-texts"' in page
    assert page.count("✓ 已完成") == 1, "the office's own unit is there"
    world.person(world.unit("甲局", parent=county))
    world.admin("publicity_office")
    assert office.get("/").text.count("✓ 已完成") == 3
    assert "第一场考试之前" not in world.client(world.admin("unit_admin", county)).get("/").text
    world.exam()
    assert "第一场考试之前" not in office.get("/").text


def test_an_office_is_told_of_the_drafts_that_it_may_review(world):
    world.question(state="draft")
    office = world.admin("publicity_office")
    page = world.client(office).get("/").text
    assert "试题等我审核" in page and "/admin/questions/review" in page


def test_the_menu_leads_only_where_one_may_go(world):
    for role in ("publicity_office", "unit_admin", "leader", "system_admin", "security_admin", "audit_admin"):
        client = world.client(world.admin(role, world.unit(kind="county")))
        page = client.get("/").text
        menu = page[page.index("site-menu-row") : page.index("</nav>")]
        hrefs = [part.split('"')[0] for part in menu.split('href="')[1:]]
        assert hrefs[0] == "/"
        for href in hrefs:
            assert client.get(href, follow_redirects=True).status_code == 200, (role, href)


def test_the_present_page_is_marked_by_the_longest_address():
    one, two = MenuEntry(label="一"), MenuEntry(label="二")
    found = [(HOME, "/"), (one, "/admin/messages"), (two, "/admin/messages/feedback")]
    marked = {
        path: [entry.label for entry in mark_current(found, path=path) if entry.is_current]
        for path in ("/", "/admin/messages/feedback/7", "/admin/messages", "/admin/messagesx")
    }
    assert marked == {
        "/": ["首页"],
        "/admin/messages/feedback/7": ["二"],
        "/admin/messages": ["一"],
        "/admin/messagesx": [],
    }


def test_an_event_stands_under_the_record_it_belongs_to():
    found = [(MenuEntry(label="学习"), "/study/"), (MenuEntry(label="学法档案"), "/study/record")]
    marked = [entry.label for entry in mark_current(found, path="/study/events/7") if entry.is_current]
    assert marked == ["学法档案"]


def test_the_menu_stands_in_five_groups_where_a_row_does_not_hold_it(app, world):
    page = (
        world.client(world.admin("publicity_office", world.unit("某县", kind="county"))).get("/admin/questions/").text
    )
    menu = page[page.index("site-menu-row") : page.index("</nav>")]
    heads = re.findall(r"<summary[^>]*>([^<]+)</summary>", menu)
    assert heads == ["考试", "题库", "学习", "单位与人员", "普法责任制"]
    assert 'is-current">题库</summary>' in menu and menu.count("aria-current") == 1
    assert menu.index("首页") < menu.index("考试管理") < menu.index("题库") < menu.index("普法责任制")
    known = {entry.group for entry in app.extensions["menu"]}
    assert known <= {*MENU_GROUPS}


def test_few_entries_stand_in_one_row_without_groups():
    found = [(HOME, "/"), *((MenuEntry(label=f"第{n}项", group="考试"), f"/{n}") for n in range(7))]
    assert [group.label for group in group_links(found, path="/")] == ["首页", *(f"第{n}项" for n in range(7))]
    assert [group.label for group in group_links([*found, (MenuEntry(label="八"), "/8")], path="/")] == [
        "首页",
        "八",
        "考试",
    ]


def test_the_head_names_the_county(world):
    county = world.unit("某县", kind="county")
    assert "某县学法" in world.client(world.person(world.unit("甲局", parent=county))).get("/").text
    assert "某县学法" not in world.client(world.person()).get("/").text


def test_menu_entries_for_candidates_need_no_permission(app):
    menu = app.extensions["menu"]
    labels = [entry.label for entry in entries_for(menu, is_candidate=True, may=lambda _: False)]
    assert labels == ["首页", "我的考试", "我的学习", "练习", "错题", "学法档案", "法律法规"]
    assert [entry.label for entry in entries_for(menu, is_candidate=False, may=lambda _: False)] == ["首页"]


def test_a_window_is_said_in_words(fixed_clock):
    now = fixed_clock.instant
    text = {
        hours: remaining_time_label(now + timedelta(hours=hours), now=now) for hours in (0, 0.5, 1.95, 5, 30, 12 * 24)
    }
    assert text == {
        0: "已截止",
        0.5: "还有 30 分钟",
        1.95: "还有 1 小时 57 分钟",
        5: "还有 5 小时",
        30: "还有 30 小时",
        288: "还有 12 天",
    }
    assert moment_label(now) == "11月24日 12:00"


def test_an_attempt_under_way_is_continued_and_a_passed_exam_does_not_urge(world, session, fixed_clock):
    candidate_client = make_exam_with_candidates(world, title="年度学法考试", attempts_allowed=2)
    client = world.client(candidate_client.person)
    page = client.get("/").text
    assert "继续答题" in page and "开始考试" not in page and "最近一次成绩" not in page
    assert "正在作答" in client.get("/exams").text

    assert candidate_client.hand_in((1, 1, ["A"])).status_code == 201
    session.expire_all()
    attempt = session.get(Attempt, candidate_client.attempt["id"])
    session.query(Grade).filter_by(attempt_id=attempt.id).delete()
    page = client.get("/").text
    assert "正在评分" in page and "开始考试" in page and "共 2 次，剩余 1 次" in page

    grade = Grade(
        attempt_id=attempt.id,
        number=1,
        points=Decimal(9),
        points_possible=Decimal(10),
        percent=Decimal(90),
        band="excellent",
        is_passed=True,
        item_points=[],
        key_ids={},
        rules={},
        sheet=b"",
        graded_at=fixed_clock.instant,
    )
    world.save(grade)
    page = client.get("/").text
    assert "9 分" in page and "优秀" in page and "您已合格" in page and "再考一次" in page and "开始考试" not in page
    assert f"/attempts/{attempt.id}/result" in client.get("/exams").text


def test_the_year_in_one_look_says_what_is_missing_and_what_is_there(world, fixed_clock):
    """It comes back for whoever has passed the exam that is still open to the others."""
    candidate_client = make_exam_with_candidates(world, attempts_allowed=2)
    person, client = candidate_client.person, world.client(candidate_client.person)
    done, _ = course(world), course(world)
    earned = {"is_required": True, "credits": Decimal("2.5"), "completed_at": NOON}
    world.save(CourseCompletion(course_id=done.id, person_id=person.id, year=2026, **earned))
    assert candidate_client.hand_in((1, 1, ["A"])).status_code == 201
    values = {
        "points_possible": Decimal(10),
        "item_points": [],
        "key_ids": {},
        "rules": {},
        "sheet": b"",
        "graded_at": NOON,
    }
    for number, points, band, is_shown in ((1, 3, "fail", False), (2, 8, "good", True)):
        world.session.query(Grade).delete()
        values |= {"attempt_id": candidate_client.attempt["id"], "number": number, "points": Decimal(points)}
        world.save(Grade(**values, percent=Decimal(points * 10), band=band, is_passed=points >= 6))
        assert ("year-head" in client.get("/").text) is is_shown
    page = re.sub(r"<[^>]+>|\s", "", client.get("/").text.partition("year-head")[2])
    assert "必修课程1/2还差1门" in page and "学分2.5必修2.5，选修0" in page
    assert "考试8分良好" in page and "证书0张" in page


def test_a_result_that_is_not_out_is_not_shown(world, session, fixed_clock):
    candidate_client = make_exam_with_candidates(world, results_policy="at_close")
    candidate_client.hand_in((1, 1, ["A"]))
    session.query(Grade).delete()
    world.save(
        Grade(
            attempt_id=candidate_client.attempt["id"],
            number=1,
            points=Decimal("7.5"),
            points_possible=Decimal(10),
            percent=Decimal(75),
            band="pass",
            is_passed=True,
            item_points=[],
            key_ids={},
            rules={},
            sheet=b"",
            graded_at=fixed_clock.instant,
        )
    )
    client = world.client(candidate_client.person)
    for path in ("/", "/exams"):
        page = client.get(path).text
        assert "成绩将于" in page and "公布" in page
        assert "7.5" not in page and "您已合格" not in page and 'state-good">合格' not in page
    assert "7.5" not in world.client(world.person()).get("/exams").text


def test_a_file_rejected_for_what_stands_in_it_is_no_failed_task_and_a_job_set_aside_is_one(world):
    operator = world.admin("system_admin")
    client = world.client(operator)

    def failed():
        page = client.get("/").get_data(as_text=True)
        return re.search(r"失败任务.*?(\d+)", re.sub(r"<[^>]+>", " ", page), re.DOTALL).group(1)

    assert failed() == "0", "an empty site"
    job = RosterImport(
        created_by_id=operator.id,
        file_name="名册.docx",
        created_at=NOON,
        state=JobState.FAILED,
        run_count=1,
        message="不是名册",
    )
    world.session.add(job)
    world.session.flush()
    assert failed() == "0"
    job.state = JobState.QUARANTINED
    world.session.flush()
    assert failed() == "1"


def test_elder_mode_has_four_tiles_and_the_year_in_one_look_stands_on_the_other(world):
    person = world.person()
    page = world.client(person).get("/").get_data(as_text=True)
    assert 'class="tile"' not in page
    world.session.query(Account).filter_by(person_id=person.id).one().has_elder_mode = True
    world.session.flush()
    page = world.client(person).get("/").get_data(as_text=True)
    assert page.count('class="tile"') == 4
