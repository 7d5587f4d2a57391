"""The main job end to end on a real deployment: set-up, import, exam, attempt on a phone, grading by a worker, figures, the exported file; and what it leaves behind."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from playwright.sync_api import Page, expect

from examapp import clock
from examapp.organisation.people.rules import id_check_character
from question_bank.formats.csv_table import columns
from tests.browser import traces
from tests.browser.deployment import Deployment, Visitors, deployed

pytestmark = pytest.mark.browser

_ROOT = Path(__file__).parents[2]
_LONG_MS = 60_000
_PASSWORD = "Qinghe-2026-xuefa"
_OFFICE, _SECURITY, _SYSTEM = ("PF001", "李普法"), ("SA001", "孙安全"), ("SY001", "周系统")
_AUDIT = ("AU001", "钱审计")
_ROSTER = (
    ("100001", "张建国", "司法局", "科员", "一级科员"),
    ("100002", "王复核", "司法局", "副局长", "四级主任科员"),
    ("100003", "赵联络", "司法局", "办公室主任", "一级科员"),
    ("100004", "周长林", "财政局", "会计", "二级科员"),
    ("100005", "吴秀英", "财政局", "局长", "一级主任科员"),
)
_LATE = ("100006", "郑免之", "司法局", "科员", "二级科员")
_BAD_ID = "430527199001011231"
_RIGHT = {
    "公民对行政处罚决定不服，一般应当自知道之日起多少日内申请行政复议？": ["六十日"],
    "执法人员当场作出行政处罚决定，对公民罚款的数额以多少为限？": ["二百元以下"],
    "下列哪些属于行政处罚的种类？": ["警告", "罚款", "行政拘留"],
    "国家工作人员就职时应当公开进行宪法宣誓。": ["正确"],
}
_WRONG = {"任何国家机关都可以设定行政拘留。": "正确"}
_WRITTEN = {"情节复杂的行政处罚，由行政机关____决定。": "负责人集体讨论"}


def _id_number(serial: int) -> str:
    digits = f"43052719900101{serial:03d}"
    return digits + id_check_character(digits)


_NUMBERS = {person[0]: (_id_number(711 + n), f"1391234567{n}") for n, person in enumerate((*_ROSTER, _LATE))}
"""ID number and mobile by staff number."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("job")
    (folder / "tmp").mkdir()
    with deployed(folder, DEMO="0", TMPDIR=str(folder / "tmp"), LOG_LEVEL="INFO") as running:
        yield running


@pytest.fixture
def visitors(chromium, site):
    made = Visitors(chromium, site.url)
    yield made
    print(made.issues, made.text())  # shown where the test fails
    made.close()


@pytest.mark.begins
def test_a_county_holds_its_exam_from_set_up_to_export(site, visitors, tmp_path):
    with traces.Listener(site.site.environment["REDIS_URL"]) as listener:
        passwords = hold_the_years_exam(site, visitors, tmp_path)
    assert visitors.issues == []
    nothing_personal_is_left_behind(site, visitors, passwords, listener.recorded)


def test_the_search_for_traces_sees_through_escapes_base64_and_archives(tmp_path):
    message = base64.b64encode(json.dumps({"name": "张建国"}).encode()).decode()
    (tmp_path / "a.log").write_text(f'{{"body": "{message}"}}')
    (tmp_path / "b.log").write_bytes("\\xe5\\xbc\\xa0建国 13912345670".encode())
    workbook(tmp_path / "c.xlsx", [["张建国"]])
    found = traces.found_in_files(traces.files_of(tmp_path, of_database=False), ["张建国", "13912345670"])
    assert sorted(one.rpartition("/")[2] for one in found) == [
        "a.log: 张建国",
        "b.log: 13912345670",
        "b.log: 张建国",
        "c.xlsx: 张建国",
    ]


def hold_the_years_exam(site: Deployment, visitors: Visitors, tmp_path: Path) -> dict[str, str]:
    """Do the whole job; gives the first passwords by login name."""
    office = visitors.visitor()
    system_password, security_password = set_up(office, site)
    sign_in(office, _OFFICE[0], _PASSWORD)
    add_units(office, site, tmp_path)
    import_roster(office, tmp_path)
    passwords = take_first_passwords(office)
    grant_roles(visitors, security_password, system_password)
    import_questions(office, tmp_path)
    review_questions(office, visitors, passwords)
    make_blueprint(office)
    exam_id = hold_exam(office)
    result = take_exam(visitors, passwords, exam_id)
    report(visitors, passwords, exam_id, result)
    find_by_number(office)
    search_the_log(visitors, site)
    return passwords | {_SYSTEM[0]: system_password, _SECURITY[0]: security_password}


def find_by_number(page: Page) -> None:
    """A person is found by what only they have, and the address does not tell it."""
    staff_number, name = _ROSTER[0][:2]
    for number in _NUMBERS[staff_number]:
        page.goto("/admin/people/")
        page.get_by_label("姓名、工号、手机号或身份证号").fill(number)
        page.get_by_role("button", name="查找").click()
        expect(page.get_by_role("link", name=name)).to_be_visible()


def search_the_log(visitors: Visitors, site: Deployment) -> None:
    """The audit administrator, whom the console made, looks for what a person did and takes it away."""
    command = [
        sys.executable,
        "-m",
        "flask",
        "--app",
        "wsgi",
        "add-administrator",
        "audit_admin",
        *_AUDIT,
        "--unit",
        "QH",
    ]
    made = subprocess.run(command, env=site.site.environment, cwd=_ROOT, capture_output=True, text=True, check=True)
    page = visitors.visitor()
    sign_in_first(page, _AUDIT[0], re.search(r"初始密码 ([^（]+)", made.stdout)[1])
    page.goto("/admin/audit/")
    page.get_by_label("人员（姓名、工号或登录名）").fill(_ROSTER[0][1])
    page.get_by_role("button", name="查看").click()
    expect(page.get_by_role("cell", name="登录", exact=True).first).to_be_visible()
    assert _ROSTER[0][1] in download(page, re.compile("导出为 CSV")).decode("utf-8-sig")


def nothing_personal_is_left_behind(
    site: Deployment, visitors: Visitors, passwords: dict[str, str], recorded: str
) -> None:
    """Logs, messages, Valkey, addresses and files hold no name, number, password or answer; the database's own files no number and no password."""
    numbers = [number for pair in _NUMBERS.values() for number in pair] + [_BAD_ID]
    secrets = [*numbers, *passwords.values(), _PASSWORD]
    names = [person[1] for person in (*_ROSTER, _LATE, _OFFICE, _SECURITY, _SYSTEM, _AUDIT)]
    answers = [text for texts in _RIGHT.values() for text in texts if len(text) > 2] + list(_WRITTEN.values())
    folder, redis_url = site.site.settings.data_path, site.site.environment["REDIS_URL"]
    files = list(traces.files_of(folder, of_database=False))
    logs = {path.name for path in files if path.suffix == ".log" and path.stat().st_size}
    assert logs >= {"postgres.log", "valkey.log"}
    assert {"web.log", "grading.log", "imports.log", "reports.log", "beat.log", "sweeper.log"} <= {
        path.name for path in files
    }
    assert traces.found_in_files(files, [*secrets, *names, *answers]) == []
    messages = recorded
    sent = {name for name in ("jobs.run", "grading.grade_attempt") if name in messages}
    assert len(sent) == 2, f"the messages were not heard: {sent}"
    in_queue = messages + traces.kept_in_valkey(redis_url)
    assert [word for word in (*secrets, *names, *answers) if word in in_queue] == []
    assert [address for address in visitors.addresses for word in (*secrets, *names, *answers) if word in address] == []
    assert traces.found_in_files(traces.files_of(folder, of_database=True), secrets) == []


def sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/login")
    page.get_by_label("登录名").fill(name)
    page.get_by_label("密码").fill(password)
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.get_by_role("button", name="退出登录")).to_be_visible()


def sign_in_first(page: Page, name: str, first_password: str) -> None:
    """Sign in with a first password; nothing opens before it is changed."""
    sign_in(page, name, first_password)
    expect(page.get_by_role("heading", name="请设置自己的密码")).to_be_visible()
    page.goto("/exams")
    expect(page.get_by_role("heading", name="请设置自己的密码")).to_be_visible()
    page.get_by_label("新密码", exact=True).fill(_PASSWORD)
    page.get_by_label("再输一次新密码").fill(_PASSWORD)
    page.get_by_role("button", name="保存新密码").click()
    expect(page.get_by_text("密码已修改")).to_be_visible()


def workbook(path: Path, rows: Sequence[Any]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def rows_of(content: bytes) -> list[list[Any]]:
    return [list(row) for row in openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)]


def download(page: Page, name: str | re.Pattern[str], role: Any = "link") -> bytes:
    with page.expect_download() as started:
        page.get_by_role(role, name=name).click()
    return Path(started.value.path()).read_bytes()


def set_up(page: Page, site: Deployment) -> list[str]:
    """The first set-up with the code of the installation; gives the first passwords of the system and the security administrator."""
    page.goto("/setup")
    answers = {
        "设置码": site.setup_code,
        "县（区、市）名称": "青禾县",
        "单位编码": "QH",
        "您的姓名": _OFFICE[1],
        "您的登录名": _OFFICE[0],
        "系统管理员姓名": _SYSTEM[1],
        "系统管理员登录名": _SYSTEM[0],
        "安全管理员姓名": _SECURITY[1],
        "安全管理员登录名": _SECURITY[0],
    }
    for label, text in answers.items():
        page.get_by_label(re.compile(f"^{re.escape(label)}")).fill(text)
    page.get_by_label("密码", exact=True).fill(_PASSWORD)
    page.get_by_label("再输一次密码").fill(_PASSWORD)
    for shipped in page.get_by_role("checkbox").all():  # this county brings its own questions
        shipped.uncheck()
    page.get_by_role("button", name="建立本县和账号").click()
    expect(page.get_by_role("heading", name="设置完成")).to_be_visible()
    return page.locator(".handed").all_inner_texts()


def add_units(page: Page, site: Deployment, folder: Path) -> None:
    """One unit by the page, one from a workbook by the command."""
    page.locator(".site-menu-group > summary", has_text="单位与人员").click()
    page.get_by_role("link", name="单位", exact=True).click()
    page.get_by_role("link", name="新增单位").click()
    page.get_by_label("单位名称").fill("司法局")
    page.get_by_label("单位编码").fill("QH-01")
    page.get_by_label("上级单位（按层级）").select_option(label="QH　青禾县")
    page.get_by_role("button", name="保存单位").click()
    expect(page.locator(".notice-success")).to_be_visible()
    file = workbook(folder / "units.xlsx", [["单位编码", "单位名称", "上级单位编码"], ["QH-02", "财政局", "QH"]])
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "org", "import-units", str(file)]
    done = subprocess.run(command, env=site.site.environment, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "已新增 1 个单位，更新 0 个。"), done.stderr


def import_roster(page: Page, folder: Path) -> None:
    """A file with a bad row comes back with the reason beside it; mended, it is taken over whole."""
    head = ["序号", "工号", "姓名", "单位名称", "职务", "职级", "身份证号码", "手机号"]
    good = [[number, *person, *_NUMBERS[person[0]]] for number, person in enumerate(_ROSTER, 1)]
    title = ["青禾县国家工作人员名册（2026年）"]
    file = workbook(folder / "名册.xlsx", [title, head, *good, [6, *_LATE, _BAD_ID, ""]])
    upload_roster(page, file)
    expect(page.get_by_role("heading", name="有问题的行")).to_be_visible(timeout=_LONG_MS)
    problem = page.locator(".problem-cells tbody tr")
    expect(problem).to_have_count(1)
    expect(problem).to_contain_text("第 8 行")
    expect(problem).to_contain_text("校验位")
    returned = rows_of(download(page, "下载检查结果"))
    assert [bool(row[-1]) for row in returned[2:]].count(True) == len(returned[2:])
    assert "校验位" in returned[7][-1]
    assert returned[2][1:4] == ["100001", "张建国", "司法局"]
    page.get_by_role("button", name="只导入没有问题的 5 行").click()
    expect(page.get_by_text("导入完成，有 1 行没有导入")).to_be_visible(timeout=_LONG_MS)
    upload_roster(page, workbook(folder / "名册-改.xlsx", [title, head, *good, [6, *_LATE, *_NUMBERS[_LATE[0]]]]))
    page.get_by_role("button", name="导入全部 1 行").click(timeout=_LONG_MS)
    expect(page.get_by_text("全部导入完成")).to_be_visible(timeout=_LONG_MS)


def upload_roster(page: Page, file: Path) -> None:
    page.goto("/admin/people/imports")
    page.get_by_label("名册文件").set_input_files(file)
    page.get_by_label(re.compile("^单位")).select_option(label="QH　青禾县")
    page.get_by_role("button", name="上传并检查").click()


def take_first_passwords(page: Page) -> dict[str, str]:
    """Export the first passwords of the whole county; gives them by login name."""
    page.goto("/admin/people/passwords")
    page.get_by_label(re.compile("^单位")).select_option(label="QH　青禾县")
    page.get_by_role("button", name="查看").click()
    rows = rows_of(download(page, "导出 Excel", "button"))
    head = next(index for index, row in enumerate(rows) if "初始密码" in row and "登录名" in row)
    name, password = rows[head].index("登录名"), rows[head].index("初始密码")
    found = {str(row[name]): str(row[password]) for row in rows[head + 1 :] if row[name] and row[password]}
    assert set(found) >= {person[0] for person in (*_ROSTER, _LATE)}
    assert len(set(found.values())) == len(found)
    return found


def grant_roles(visitors: Visitors, first_password: str, system_password: str) -> None:
    """The security administrator asks for a second person of the office and a unit admin; the system administrator approves."""
    page = visitors.visitor()
    sign_in_first(page, _SECURITY[0], first_password)
    for name, role, unit in (("王复核", "普法办", "QH　青禾县"), ("赵联络", "单位管理员", "QH-01　司法局")):
        page.goto("/admin/people/")
        page.get_by_label("姓名、工号、手机号或身份证号").fill(name)
        page.get_by_role("button", name="查找").click()
        page.get_by_role("link", name=name).click()
        page.get_by_role("link", name="角色").click()
        page.get_by_label("角色", exact=True).select_option(label=role)
        choose_unit(page, unit)
        page.get_by_role("button", name="提交授权申请").click()
        expect(page.locator(".notice-success")).to_be_visible()
    page = visitors.visitor()
    sign_in_first(page, _SYSTEM[0], system_password)
    for _ in range(2):
        page.goto("/admin/approvals/")
        page.once("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="同意", exact=True).first.click()
        expect(page.locator(".notice-success")).to_be_visible()


def choose_unit(page: Page, text: str) -> None:
    select = page.get_by_label("管理范围")
    label = next(one for one in select.locator("option").all_inner_texts() if one.strip() == text or text in one)
    select.select_option(label=label.strip())


def import_questions(page: Page, folder: Path) -> None:
    """Our own shape, with one row whose key names no option: rejected or in doubt by name, the others taken over as drafts."""
    heads = columns()
    wrong = {"甲": "三十日", "乙": "九十日", "丙": "一年"}
    questions = [
        ("单选题", next(iter(_RIGHT)), ["三十日", "六十日", "九十日", "一年"], "B"),
        ("单选题", list(_RIGHT)[1], ["五十元以下", "一百元以下", "二百元以下", "五百元以下"], "C"),
        ("多选题", list(_RIGHT)[2], ["警告", "罚款", "记过", "行政拘留"], "ABD"),
        ("判断题", list(_RIGHT)[3], [], "正确"),
        ("判断题", next(iter(_WRONG)), [], "错误"),
        ("填空题", *next(iter(_WRITTEN.items()))),
        ("单选题", "这一行的答案没有对应的选项。", list(wrong.values()), "F"),
    ]
    rows: list[Sequence[object]] = [heads]
    for kind, stem, *options, key in questions:
        cells = {
            "题型": kind,
            "题干": stem,
            "答案": key,
            "难度": "易",
            "解析": "见法律原文。",
            "法律": "行政处罚法",
            "条文": "第九条",
        }
        cells |= {
            f"选项{letter}": option for letter, option in zip("ABCD", options[0] if options else [], strict=False)
        }
        rows.append([cells.get(head, "") for head in heads])
    page.goto("/admin/questions/imports/")
    page.get_by_label("题库文件").set_input_files(workbook(folder / "试题.xlsx", rows))
    page.get_by_role("button", name="上传并预览").click()
    expect(page.get_by_text("文件中共 7 题")).to_be_visible(timeout=_LONG_MS)
    bad = page.get_by_role("row").filter(has_text=re.compile("8 ?行|G8|第 8"))
    expect(bad.first).to_be_visible()
    page.get_by_role("button", name=re.compile(r"^导入 \d 题$")).click()
    page.get_by_role("link", name="查看导入的题目").click(timeout=_LONG_MS)
    expect(page.get_by_role("link", name=re.compile("宪法宣誓"))).to_be_visible()


def review_questions(office: Page, visitors: Visitors, passwords: dict[str, str]) -> None:
    """Who brought the questions in may not review them; a second person does, and puts them in use."""
    set_states(office, "审核通过")
    expect(office.get_by_text("由另一位有审核权限的同事审核")).to_be_visible()
    second = visitors.visitor()
    sign_in_first(second, "100002", passwords["100002"])
    second.goto("/admin/questions/?kind=&state=draft")
    set_states(second, "审核通过")
    expect(second.get_by_text("6 道题已改为“已审核”")).to_be_visible()
    second.goto("/admin/questions/?state=reviewed")
    set_states(second, "启用")
    expect(second.get_by_text("6 道题已改为“启用”")).to_be_visible()


def set_states(page: Page, act: str) -> None:
    for box in page.locator("input[name=ids]").all():
        box.check()
    page.get_by_role("button", name=act, exact=True).click()


def make_blueprint(page: Page) -> None:
    page.goto("/admin/papers/new")
    page.get_by_label("规则名称").fill("年度考试")
    for number, (kind, count, points) in enumerate(
        (("判断题", 2, 10), ("单选题", 2, 10), ("多选题", 1, 40), ("填空题", 1, 20))
    ):
        if number:
            page.get_by_role("button", name="添加一个部分").click()
        section = page.locator("#sections .section").nth(number)
        section.get_by_label("名称", exact=True).fill(kind)
        section.get_by_label("题型").select_option(label=kind)
        section.get_by_label("题数", exact=True).fill(str(count))
        section.get_by_label("每题分值").fill(str(points))
    expect(page.locator("#points-total")).to_have_text("100")
    page.get_by_role("button", name="保存组卷规则").click()
    expect(page.get_by_text("组卷规则已保存")).to_be_visible()


def hold_exam(page: Page) -> int:
    """Create and publish an exam for all; a worker draws each paper ahead."""
    opens = clock.local(clock.now())
    page.goto("/admin/exams/new")
    page.get_by_label("考试名称").fill("青禾县2026年度学法考试")
    page.get_by_label(re.compile("^组卷规则")).select_option(label="年度考试")
    page.locator("#opens_at").fill(f"{opens - timedelta(minutes=5):%Y-%m-%dT%H:%M}")
    page.locator("#closes_at").fill(f"{opens + timedelta(days=2):%Y-%m-%dT%H:%M}")
    page.get_by_label("作答时长（分钟）").fill("30")
    page.locator("#results_policy").select_option(label="评分后立即公布")
    page.get_by_role("button", name="保存考试设置").click()
    page.get_by_role("button", name="发布考试").click()
    expect(page.get_by_text("6 / 6 人的试卷已备好")).to_be_visible(timeout=_LONG_MS)
    return int(page.url.rpartition("/")[2])


def take_exam(visitors: Visitors, passwords: dict[str, str], exam_id: int) -> dict[str, object]:
    """A candidate on a phone: first password, the whole paper with a reload in between, hand-in, result. Gives the API's result."""
    page = visitors.visitor(width=360, height=740, has_touch=True, is_mobile=True)
    sign_in_first(page, "100001", passwords["100001"])
    page.get_by_role("link", name="开始考试").first.click()
    start = page.get_by_role("link", name="开始考试")
    if page.locator(".before-start").is_visible():
        start.click()
    expect(page.locator("#overlay")).to_be_hidden()
    for number in range(1, 7):
        if number == 4:
            page.reload()
            expect(page.locator("#overlay")).to_be_hidden()
        go_to(page, number)
        answer(page, number)
    expect(page.locator("#saved")).to_have_text(re.compile("^已保存"))
    page.get_by_role("button", name="交卷", exact=True).click()
    page.get_by_role("button", name="确认交卷").click()
    expect(page.locator("#receipt-number")).to_have_text(re.compile(r"\S{6,}"))
    receipt = page.locator("#receipt-number").inner_text()
    page.get_by_role("link", name="查看成绩").click()
    expect(page.locator(".verdict")).to_have_text("优秀", timeout=_LONG_MS)
    expect(page.locator(".score b")).to_have_text("90")
    attempt_id = int(re.search(r"/attempts/(\d+)/", page.url)[1])
    page.goto(f"/attempts/{attempt_id}/receipt")
    expect(page.locator(".receipt-number")).to_have_text(receipt)
    result = page.request.get(f"/api/v1/attempts/{attempt_id}/result").json()
    assert (result["points"], result["points_possible"], result["passed"]) == ("90.00", "100.00", True)
    return result


def go_to(page: Page, number: int) -> None:
    while not page.locator(f"#item-{number}").is_visible():
        page.get_by_role("button", name="下一题").click()


def answer(page: Page, number: int) -> None:
    item = page.locator(f"#item-{number}")
    stem = item.locator(".stem").inner_text().strip()
    if (written := next((text for asked, text in _WRITTEN.items() if stem.startswith(asked[:8])), None)) is not None:
        item.locator(".text").fill(written)
        return
    for text in _RIGHT.get(stem) or [_WRONG[stem]]:
        item.locator(".option").filter(has=page.locator(".option-text", has_text=re.compile(f"^{text}$"))).click()


def report(visitors: Visitors, passwords: dict[str, str], exam_id: int, result: dict[str, object]) -> None:
    """The unit admin sees who took part and who did not; screen, exported file and API agree."""
    page = visitors.visitor()
    sign_in_first(page, "100003", passwords["100003"])
    page.locator(".site-menu-group > summary", has_text="考试").click()
    page.get_by_role("link", name="参考情况", exact=True).click()
    page.get_by_role("link", name="青禾县2026年度学法考试").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("司法局")
    shown = figures_on(page)
    page.get_by_role("link", name="3", exact=True).first.click()
    expect(page.get_by_text("共 3 人")).to_be_visible()
    absent = page.locator("main table tbody tr td:nth-child(2)").all_inner_texts()
    assert absent == ["王复核", "赵联络", "郑免之"]
    page.go_back()
    exported = export_scores(page)
    assert {row["姓名"]: row["情况"] for row in exported} == {
        "张建国": "已交卷",
        "王复核": "未开始",
        "赵联络": "未开始",
        "郑免之": "未开始",
    }
    attempts = next(row for row in exported if row["姓名"] == "张建国")
    assert (Decimal(str(attempts["成绩"])), attempts["等次"]) == (Decimal(str(result["points"])), "优秀")
    unit_id = own_unit(page, exam_id)
    rows = page.request.get(f"/api/v1/exams/{exam_id}/participation?unit={unit_id}").json()["rows"]
    assert (rows[0]["eligible"], rows[0]["participated"], rows[0]["passed"]) == (4, 1, 1)
    assert (rows[0]["participation_rate"], rows[0]["mean_points"]) == ("25.00", "90.00")
    assert shown == {
        "应考": "4",
        "参考": "1",
        "未参考": "3",
        "参考率": f"{rows[0]['participation_rate']}%",
        "合格率": "100.00%",
    }
    assert len(exported) == rows[0]["eligible"]


def figures_on(page: Page) -> dict[str, str]:
    figures = page.locator(".figure").all()
    return {one.locator(".figure-label").inner_text(): one.locator(".figure-value").inner_text() for one in figures}


def own_unit(page: Page, exam_id: int) -> int:
    page.goto(f"/admin/reports/exams/{exam_id}")
    return int(re.search(r"/units/(\d+)", page.url)[1])


def export_scores(page: Page) -> list[dict[str, object]]:
    """Ask for the scores, wait for the worker, open the file: its rows by head."""
    page.locator("#content").select_option(value="scores")
    page.locator("#format").select_option(value="xlsx")
    page.get_by_role("button", name="导出", exact=True).click()
    expect(page.get_by_role("link", name="下载文件")).to_be_visible(timeout=_LONG_MS)
    rows = rows_of(download(page, "下载文件"))
    head = next(index for index, row in enumerate(rows) if "工号" in row and "姓名" in row)
    return [dict(zip(rows[head], row, strict=True)) for row in rows[head + 1 :] if row[0] and row[1]]
