"""What hangs on a course: live articles that are flagged when they change, files in ranges, editions, audiences by sector, rank and name."""

from __future__ import annotations

import io
import re
from datetime import date
from xml.etree import ElementTree as ET

import pytest
from markupsafe import Markup

from examapp import clock
from examapp.content.laws.models import Law, LawArticle, LawVersion
from examapp.documents.html import clean_html
from examapp.learning.course_contents.render_svg import draw_charts
from examapp.learning.courses.models import ChapterFile, ChapterProgress, Course, CourseEdition
from examapp.learning.courses.rules import body_html
from examapp.platform.audit.models import AuditEvent
from examapp.uploads.actions import kept_path, part_path
from examapp.uploads.models import PendingUpload, StoredFile
from question_bank.coursetext import read_courses
from tests.helpers.courses import CHAPTER, COURSE, bank, begin, course, read, take_exam
from tests.helpers.files import PDF, film, picture
from tests.helpers.forms import post, token


@pytest.fixture
def office(world):
    return world.client(world.admin("publicity_office"))


@pytest.fixture
def learner(world):
    person = world.person()
    client = world.client(person)
    client.person = person
    return client


def law(world, texts, *, name="行政处罚法", year=2021, law_row=None):
    now = clock.now()
    law_row = law_row or world.save(Law(name=name, created_at=now))
    version = world.save(
        LawVersion(law_id=law_row.id, version_on=date(year, 1, 22), effective_on=date(year, 7, 15), created_at=now)
    )
    for position, (label, text) in enumerate(texts.items(), 1):
        world.save(LawArticle(law_version_id=version.id, position=position, label=label, text=text))
    return law_row, version


def written(world, office, session, body):
    """A published course of one chapter that the office has written."""
    bank(world)
    post(office, "/admin/training/new", COURSE)
    row = session.query(Course).one()
    page = f"/admin/training/{row.id}"
    assert post(office, f"{page}/chapters/new", CHAPTER | {"body": body}).status_code == 302
    assert post(office, f"{page}/publish", page=page).status_code == 302
    return session.query(Course).one()


def test_an_article_is_shown_as_it_is_in_force_and_its_chapter_is_flagged_when_it_changes(
    world, session, office, learner
):
    law_row, _ = law(world, {"第一条": "甲文", "第二条": "旧文<b>", "第三条": "丙文"})
    row = written(world, office, session, "请看：\n\n[[《行政处罚法》 第一条至第二条]]\n\n[[没有的法 第九条]]")
    path = f"/study/chapters/{row.chapters[0].id}"
    page = learner.get(path).get_data(as_text=True)
    assert "《行政处罚法》（2021年版）" in page
    assert "旧文&lt;b&gt;" in page
    assert "丙文" not in page
    assert "没有的法》第九条：法律法规中还没有这一条" in page
    overview = f"/admin/training/{row.id}"
    assert "没有的法》第九条法律法规中没有" in office.get(overview).get_data(as_text=True)
    law(world, {"第九条": "刚刚导入的"}, name="没有的法")
    assert "没有的法》第九条" not in office.get(overview).get_data(as_text=True), "no text was seen that could change"
    law(world, {"第一条": "甲文", "第二条": "新文"}, year=2025, law_row=law_row)
    assert "新文" in learner.get(path).get_data(as_text=True)
    flagged = office.get(overview).get_data(as_text=True)
    assert "《行政处罚法》第二条已修改（2025年版）" in flagged
    assert "第一条已修改" not in flagged
    assert post(office, f"{overview}/chapters/{row.chapters[0].id}/confirm", page=overview).status_code == 302
    assert "已修改" not in office.get(overview).get_data(as_text=True)
    law(world, {"第一条": "甲文"}, year=2026, law_row=law_row)
    assert "第二条现行版本中已没有" in office.get(overview).get_data(as_text=True)


def test_a_course_edited_under_study_keeps_progress_and_its_editions(world, session, office, learner):
    row = written(world, office, session, "第一页\n\n---\n\n第二页")
    chapter_id = row.chapters[0].id
    read(learner, row.chapters[0])
    run = begin(learner, row.chapters[0]).location
    page = f"/admin/training/{row.id}/chapters/{chapter_id}"
    shorter = CHAPTER | {"body": "只有一页", "exercise_count": "3", "pass_count": "3"}
    assert post(office, page, shorter).status_code == 302
    assert "只有一页" in learner.get(f"/study/chapters/{chapter_id}").get_data(as_text=True)
    longer = CHAPTER | {"body": "一\n\n---\n\n二\n\n---\n\n三\n\n---\n\n四"}
    assert post(office, page, longer).status_code == 302
    assert "通过了" in take_exam(learner, session, run)
    progress = session.query(ChapterProgress).one()
    assert progress.read_at is not None
    assert progress.passed_at is not None
    editions = session.query(CourseEdition).order_by(CourseEdition.number).all()
    assert [edition.content["chapters"][0]["body"] for edition in editions] == [
        "<p>第一页</p><hr><p>第二页</p>",
        "<p>只有一页</p>",
        "<p>一</p><hr><p>二</p><hr><p>三</p><hr><p>四</p>",
    ]
    assert "第 3 版" in office.get(f"/admin/training/{row.id}").get_data(as_text=True)
    assert office.get(page).get_data(as_text=True).count("---") >= 3


def send(office, base, name, content, *, piece=2000, csrf):
    """Send a file as the page's script does."""
    headers = {"X-CSRFToken": csrf}
    begun = office.post(f"{base}/begin", query_string={"name": name, "size": len(content)}, headers=headers)
    if begun.status_code != 200:
        return begun
    upload = begun.get_json()
    offset = upload["received"]
    while offset < len(content):
        answer = office.put(
            f"{base}/{upload['token']}?offset={offset}", data=content[offset : offset + piece], headers=headers
        )
        assert answer.status_code == 200, answer.get_data(as_text=True)
        offset = answer.get_json()["received"]
    return office.post(f"{base}/{upload['token']}/finish", headers=headers)


def test_a_film_is_sent_in_pieces_and_streamed_in_ranges_to_learners_of_the_course_alone(
    world, session, office, learner
):
    row = written(world, office, session, "看视频")
    chapter_id = row.chapters[0].id
    base = f"/admin/training/{row.id}/chapters/{chapter_id}/files"
    csrf = token(office, f"/admin/training/{row.id}")
    assert send(office, base, "普法.mp4", film(), csrf=csrf).get_json() == {"name": "普法.mp4"}
    file = session.query(StoredFile).one()
    address = f"/study/files/{file.token}"
    page = learner.get(f"/study/chapters/{chapter_id}")
    assert f'<video controls preload="none" src="{address}">' in page.get_data(as_text=True)
    assert "media-src 'self'" in page.headers["Content-Security-Policy"]
    with learner.get(address, headers={"Range": "bytes=4-7"}) as part:
        assert (part.status_code, part.get_data()) == (206, b"ftyp")
    with office.get(address) as whole:
        assert whole.get_data() == film()
    assert world.client(world.admin("unit_admin", world.unit())).get(address).status_code == 404
    row.unit_id = world.unit().id
    session.flush()
    assert learner.get(address).status_code == 404
    assert learner.get("/study/files/" + "0" * 32).status_code == 404
    copied = post(office, f"/admin/training/{row.id}/copy", page=f"/admin/training/{row.id}")
    assert session.query(ChapterFile).count() == 2
    for course_id in (row.id, int(copied.location.rsplit("/", 1)[1])):
        chapter = session.get(Course, course_id).chapters[0]
        path = f"/admin/training/{course_id}/chapters/{chapter.id}"
        assert post(office, f"{path}/files/{file.token}/delete", page=path).status_code == 302
    assert session.query(StoredFile).count() == 0
    assert {"training.attach_file", "training.detach_file"} <= {event.act for event in session.query(AuditEvent)}


def test_an_upload_that_ends_under_a_wrong_chapter_can_be_ended_under_the_right_one(world, session, office):
    """Whatever fails after the file was checked, the pieces are there for the next try: a film, and a picture, which is drawn again."""
    row = written(world, office, session, "看视频")
    right, wrong = (
        f"/admin/training/{row.id}/chapters/{row.chapters[0].id}/files",
        f"/admin/training/{row.id}/chapters/0/files",
    )
    headers = {"X-CSRFToken": token(office, f"/admin/training/{row.id}")}
    for name, content in (("普法.mp4", film()), ("图.png", picture())):
        query = {"name": name, "size": len(content)}
        upload = office.post(f"{right}/begin", query_string=query, headers=headers).get_json()["token"]
        assert office.put(f"{right}/{upload}?offset=0", data=content, headers=headers).status_code == 200
        for _ in range(2):
            assert office.post(f"{wrong}/{upload}/finish", headers=headers).status_code == 404
        again = office.post(f"{right}/begin", query_string=query, headers=headers).get_json()
        assert (again["token"], again["received"]) == (upload, len(content))
        assert office.post(f"{right}/{upload}/finish", headers=headers).get_json() == {"name": name}
        assert not part_path(upload).exists()
    assert session.query(PendingUpload).count() == 0
    for file in session.query(StoredFile):
        assert kept_path(file.token).stat().st_size == file.size


def test_an_upload_whose_bytes_were_lost_begins_again(world, session, office):
    """The folder came back from an older copy, or a crash took what was not on the disk yet."""
    row = written(world, office, session, "看视频")
    base = f"/admin/training/{row.id}/chapters/{row.chapters[0].id}/files"
    csrf = token(office, f"/admin/training/{row.id}")
    headers, query = {"X-CSRFToken": csrf}, {"name": "普法.mp4", "size": len(film())}
    upload = office.post(f"{base}/begin", query_string=query, headers=headers).get_json()["token"]
    assert office.put(f"{base}/{upload}?offset=0", data=film(), headers=headers).status_code == 200
    part_path(upload).unlink()
    rejected = office.post(f"{base}/{upload}/finish", headers=headers)
    assert (rejected.status_code, rejected.get_json()["received"]) == (422, 0)
    assert "继续上传" in rejected.get_json()["message"]
    assert office.post(f"{base}/begin", query_string=query, headers=headers).get_json()["received"] == 0
    assert send(office, base, "普法.mp4", film(), csrf=csrf).get_json() == {"name": "普法.mp4"}


def test_bad_files_are_rejected_early_or_at_the_end_and_leave_nothing(world, session, office):
    row = written(world, office, session, "看视频")
    base = f"/admin/training/{row.id}/chapters/{row.chapters[0].id}/files"
    csrf = token(office, f"/admin/training/{row.id}")
    cut_off = send(office, base, "截断.mp4", film()[:-500], csrf=csrf)
    assert cut_off.status_code == 422
    assert "不完整" in cut_off.get_json()["message"]
    huge = office.post(
        f"{base}/begin", query_string={"name": "大.mp4", "size": 2 * 1024**3}, headers={"X-CSRFToken": csrf}
    )
    assert huge.status_code == 422
    assert "不能超过 500 MB" in huge.get_json()["message"]
    program = office.post(f"{base}/begin", query_string={"name": "a.exe", "size": 5}, headers={"X-CSRFToken": csrf})
    assert "不能上传这种文件" in program.get_json()["message"]
    assert session.query(StoredFile).count() == 0
    assert session.query(PendingUpload).count() == 1
    bureau = world.client(world.admin("publicity_office", world.unit()))
    foreign = bureau.post(
        f"{base}/begin",
        query_string={"name": "a.mp4", "size": 5},
        headers={"X-CSRFToken": token(bureau, "/admin/training/")},
    )
    assert foreign.status_code == 404
    assert office.post(f"{base}/begin", query_string={"name": "a.mp4", "size": 5}).status_code == 403


def test_without_the_script_a_small_file_comes_at_once_and_a_picture_stands_in_the_text(
    world, session, office, learner
):
    row = written(world, office, session, "看图")
    path = f"/admin/training/{row.id}/chapters/{row.chapters[0].id}"
    fields = {"file": (io.BytesIO(picture()), "图.png")}
    assert post(office, f"{path}/files", fields, page=path).status_code == 302
    rejected = post(office, f"{path}/files", {"file": (io.BytesIO(b"x"), "坏.pdf")}, page=path)
    assert "不是 PDF" in office.get(rejected.location).get_data(as_text=True)
    post(office, f"{path}/files", {"file": (io.BytesIO(PDF), "讲义.pdf")}, page=path)
    image = session.query(StoredFile).filter_by(kind="image").one()
    assert f"![图.png](/study/files/{image.token})" in office.get(path).get_data(as_text=True)
    post(office, path, CHAPTER | {"body": f"![图](/study/files/{image.token})"})
    page = learner.get(f"/study/chapters/{row.chapters[0].id}").get_data(as_text=True)
    assert f'<img src="/study/files/{image.token}"' in page
    assert "讲义.pdf" in page
    assert kept_path(image.token).exists()


def test_a_course_is_for_a_sector_for_ranks_and_for_people_named_one_by_one(world, session, office):
    bureau = world.unit("市司法局", kind="sector")
    inside = world.unit("司法所", sector_parent=bureau)
    fits = world.person(inside, rank="四级调研员")
    wrong_rank, elsewhere, named = world.person(inside), world.person(rank="四级调研员"), world.person()
    by_name = world.person(name="欧阳明月")
    bank(world)
    row = course(world)
    page = f"/admin/training/{row.id}"
    settings = COURSE | {"sector_unit_id": str(bureau.id), "ranks": "四级调研员、 三级调研员"}
    assert post(office, f"{page}/edit", settings).status_code == 302
    answer = post(
        office,
        f"{page}/people",
        {"staff_numbers": f"{named.staff_number}\n{by_name.name} {by_name.unit.name}\n没有"},
        page=page,
    )
    assert "没有找到“没有”" in office.get(answer.location).get_data(as_text=True)
    shown = office.get(page).get_data(as_text=True)
    assert "3 人" in shown
    assert "四级调研员、三级调研员" in shown
    seen = [
        "宪法学习" in world.client(person).get("/study/").get_data(as_text=True)
        for person in (fits, wrong_rank, elsewhere, named, by_name)
    ]
    assert seen == [True, False, False, True, True]


def test_a_chapter_without_questions_cannot_be_published_and_the_office_is_told(world, session, office):
    post(office, "/admin/training/new", COURSE)
    row = session.query(Course).one()
    page = f"/admin/training/{row.id}"
    post(office, f"{page}/chapters/new", CHAPTER)
    rejected = post(office, f"{page}/publish", page=page)
    assert "题库中只有 0 题可用" in office.get(rejected.location).get_data(as_text=True)
    assert session.query(Course).one().state == "draft"


def test_a_chart_is_drawn_from_lines_with_every_word_escaped_and_other_code_is_left_alone():
    lines = "流程图：办案<i>\n立案：两人以上\n→ 五日内\n？够不够标准｜不够：说明理由\n＝甲｜乙<b>｜丙"
    page = str(draw_charts(Markup(clean_html(body_html(f"先看：\n\n```\n{lines}\n```\n\n```\n别的代码\n```")))))
    assert "<pre><code>别的代码" in page
    figure = drawn(page)[0]
    assert figure.find("figcaption").text == "办案<i>"
    assert "".join(figure.find("svg").itertext()) == "立案两人以上五日内够不够标准不够：说明理由甲乙<b>丙"
    assert figure.find("svg").get("aria-label") == "立案：两人以上；五日内；够不够标准，不够：说明理由；甲，乙<b>，丙"


def test_every_shipped_chart_keeps_its_words_inside_its_frame():
    for chapter in (chapter for text in read_courses() for chapter in text.chapters):
        for svg in (figure.find("svg") for figure in drawn(str(draw_charts(Markup(body_html(chapter.text)))))):
            width, height = (float(number) for number in svg.get("viewBox").split()[2:])
            for text in svg.iter("text"):
                style, left = text.get("class"), float(text.get("x"))
                wide = len(text.text) * (15 if style == "chart-head" else 13)
                right = left + (wide if style == "chart-label" else wide / 2)
                assert right <= width, (chapter.title, text.text)
                assert float(text.get("y")) < height


def drawn(page):
    """Read the figures of a page."""
    return [ET.fromstring(figure) for figure in re.findall("<figure.*?</figure>", page, re.DOTALL)]
