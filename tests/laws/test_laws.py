"""The law library: texts in, articles out, each with its anchor."""

import csv
import io
import zipfile
from datetime import date

import docx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from examapp import clock
from examapp.content.law_texts.rules import (
    UnreadableLawError,
    article_labels,
    chinese_number,
    law_name,
    number_of,
    read_law_text,
)
from examapp.content.laws.actions import ensure_law_version, import_law_text, load_gists
from examapp.content.laws.models import LawArticle, LawVersion
from examapp.platform.audit.actions import SYSTEM, ActionContext
from examapp.platform.audit.models import AuditEvent
from question_bank.gists import LawGists

TEXT = """中华人民共和国测试法

公布/修正日期：2021-01-22
施行日期：2021-07-15
版本日期：2021-01-22

第一章 总则

第一条　为了测试，制定本法。
第二条　应当测试：
　　（一）第一条规定的<b>情形</b>；
　　（二）其他。
第一百二十条之一　资助测试的，处罚。
"""
MARKDOWN = """# 测试条例

2022年1月24日 审议批准
2022年2月25日 发布

2022年5月1日 施行

<!-- INFO END -->

## 序言

有序言。

## 第一章  总则

### 第一节 目的

第一条 目的。

第二款。

## 第二章

第二条 本条例自2022年5月1日起施行。
"""


def load(session, text=TEXT, name="测试法(2021-01-22).txt"):
    return import_law_text(ActionContext(session, SYSTEM, clock.now()), text=read_law_text(text.encode(), name))


def test_plain_text_gives_title_dates_chapters_and_articles():
    law = read_law_text(TEXT.encode("gb18030"), "x.txt")
    assert (law.name, law.version_on, law.effective_on) == ("测试法", date(2021, 1, 22), date(2021, 7, 15))
    assert [(a.label, a.heading) for a in law.articles] == [
        ("第一条", "第一章 总则"),
        ("第二条", "第一章 总则"),
        ("第一百二十条之一", "第一章 总则"),
    ]
    assert law.articles[1].text == "应当测试：\n（一）第一条规定的<b>情形</b>；\n（二）其他。"


def test_markdown_gives_preamble_and_sections():
    law = read_law_text(MARKDOWN.encode(), "y.md")
    assert (law.name, law.version_on, law.effective_on, law.preamble) == (
        "测试条例",
        date(2022, 2, 25),
        date(2022, 5, 1),
        "有序言。",
    )
    assert [(a.label, a.heading, a.text) for a in law.articles] == [
        ("第一条", "第一章 总则 / 第一节 目的", "目的。\n第二款。"),
        ("第二条", "第二章", "本条例自2022年5月1日起施行。"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        "没有条文的文件\n2021年1月1日 通过".encode(),
        b"\xff\xfe\x00",
        "标题\n第一条 有条文，没有日期。".encode(),
    ],
)
def test_file_without_articles_or_date_is_rejected(content):
    with pytest.raises(UnreadableLawError):
        read_law_text(content, "x.txt")


def test_effective_day_before_the_version_is_not_believed():
    law = read_law_text(TEXT.replace("施行日期：2021-07-15", "施行日期：1996-10-01").encode(), "x.txt")
    assert law.effective_on is None and "首次施行" in law.remarks[0]


def test_effective_day_is_asked_for_only_where_the_version_has_none(session):
    undated = TEXT.replace("施行日期：2021-07-15", "施行日期：1996-10-01")
    assert any("请补填" in remark for remark in load(session, undated).remarks)
    load(session)
    assert not any("请补填" in remark for remark in load(session, undated).remarks)


@given(st.integers(min_value=1, max_value=9999))
def test_chinese_numbers_read_back(value):
    assert number_of(chinese_number(value)) == value == number_of(str(value))


@pytest.mark.parametrize("number", ["9" * 5000, "千" * 40, "九千九百九十九千", "二万", "99999", "一二三四五六"])
def test_article_with_a_number_that_no_law_has_breaks_nothing(number):
    text = TEXT + f"\n第{number}条　某种规定。\n第一条之{number} 又一种规定。\n条目{'九' * 30}百 某项"
    law = read_law_text(text.encode(), "x.txt")
    assert all(0 < article.position < 2**31 and len(article.label) < 30 for article in law.articles)
    assert all(len(label) < 30 for label in article_labels(text))


def test_numbers_written_sign_by_sign_are_read():
    assert article_labels("第一二〇条、第一百二〇条") == ["第一百二十条"]


def test_names_have_one_spelling():
    assert law_name("《中华人民共和国行政处罚法》（2021修订）") == "行政处罚法"
    assert article_labels("第32条、第三十三条第二款和第１２０条之一，第32条") == [
        "第三十二条",
        "第三十三条",
        "第一百二十条之一",
    ]
    assert chinese_number(1205) == "一千二百零五" and chinese_number(110) == "一百一十" and chinese_number(15) == "十五"


def test_importing_again_adds_nothing_and_corrects_what_changed(session):
    assert (load(session).added, load(session).added) == (3, 0)
    again = load(session, TEXT.replace("为了测试", "为了规范测试"))
    assert (again.added, again.changed, again.total) == (0, 1, 3)
    assert (
        session.scalars(select(LawArticle.text).where(LawArticle.label == "第一条")).one() == "为了规范测试，制定本法。"
    )


def test_version_that_a_question_made_receives_its_text(session):
    made = ensure_law_version(session, law="测试法", version_on=date(2021, 1, 22), topic="行政法", now=clock.now())
    assert load(session).version_id == made.id
    session.expire_all()
    assert (made.law.topic, made.effective_on) == ("行政法", date(2021, 7, 15))


def test_signed_in_person_reads_an_article_by_its_anchor(world, session):
    load(session)
    client = world.client(world.person())
    page = client.get("/laws/测试法/2021-01-22/").get_data(as_text=True)
    assert 'id="第一百二十条之一"' in page and "&lt;b&gt;情形&lt;/b&gt;" in page and "<b>情形" not in page
    assert "测试法" in client.get("/laws/?q=测试").get_data(as_text=True)
    assert [
        client.get(path).status_code
        for path in ("/laws/测试法/2020-01-01/", "/laws/无此法/2021-01-22/", "/laws/测试法/x/")
    ] == [404] * 3
    assert world.client().get("/laws/测试法/2021-01-22/").status_code == 302


def upload(world, office, *files):
    """Upload law files, run their job, and give the page of its summary."""
    answer = office.post("/admin/laws/import", data={"files": [(io.BytesIO(content), name) for name, content in files]})
    address = answer.headers["Location"]
    world.app.extensions["celery"].tasks["jobs.run"].apply(args=[int(address.rpartition("/")[2])])
    return office.get(address).get_data(as_text=True)


def test_office_imports_texts_and_a_bad_file_harms_no_other(world, session):
    office = world.api(world.admin("publicity_office"))
    page = upload(world, office, ("测试法(2021-01-22).txt", TEXT.encode()), ("坏文件.txt", b"nothing"))
    assert "共 2 个文件：导入 1 个版本，新增 3 条，更正 0 条；没有导入 1 个文件。" in page
    assert "坏文件.txt" in page and "没有找到法律条文" in page
    assert "请选择法律文本文件" in office.post("/admin/laws/import", data={}, follow_redirects=True).get_data(
        as_text=True
    )
    assert session.scalars(select(AuditEvent.act).where(AuditEvent.act == "laws.import_law_text")).all()
    candidate = world.api(world.person())
    assert candidate.get("/admin/laws/").status_code == 404
    assert candidate.post("/admin/laws/import", data={}).status_code == 404


def test_archive_with_chinese_names_tells_of_gaps_wrong_names_and_two_texts_of_one_version(world, session):
    packed = io.BytesIO()
    texts = {
        "法律/测试法(2021-01-22).txt": TEXT,
        "法律/另一份(2021-01-22).txt": TEXT.replace("为了测试", "为了规范"),
        "法律/行政许可法(2019-04-23).txt": MARKDOWN.replace("第二条 本条例", "第五条 本条例"),
    }
    with zipfile.ZipFile(packed, "w") as archive:
        for number, (name, text) in enumerate(texts.items()):
            archive.writestr(str(number) * len(name.encode("gbk")), text)
        archive.writestr("readme.pdf", b"not a law")
    content = packed.getvalue()
    for number, name in enumerate(texts):
        content = content.replace(str(number).encode() * len(name.encode("gbk")), name.encode("gbk"))
    page = upload(world, world.api(world.admin("publicity_office")), ("laws.zip", content))
    assert "共 3 个文件：导入 2 个版本" in page and "readme.pdf" not in page
    assert "缺少第二条至第四条" in page and "文件名写的是《行政许可法》" in page
    assert "两个文件是同一个版本，条文有 1 条不同（第一条），以后读的“另一份(2021-01-22).txt”为准" in page


def test_two_files_of_one_version_that_say_the_same_are_no_correction_and_a_hole_is_shown(world, session):
    office = world.api(world.admin("publicity_office"))
    quoted = TEXT.replace("为了测试", "为了“测试”")
    spaced = quoted.replace("制定本法", " 制定本法 ").replace("第一章 总则", "## 第一章　总　则")
    spaced = spaced.replace("“", '"').replace("”", '"')
    files = ("测试法(2021-01-22).txt", quoted.encode()), ("测试法(2021-01-22).md", spaced.encode())
    page = upload(world, office, *files)
    to_check, _, read = page.partition("全部读入的法律")
    assert "新增 3 条，更正 0 条" in page and "条文相同" in read and "条文相同" not in to_check
    page = office.get("/laws/测试法/2021-01-22/").get_data(as_text=True)
    assert "这里缺第三条至第一百一十九条" in page and page.count("这里缺") == 1


def test_office_sets_the_days_of_a_version(world, session):
    version_id = load(session).version_id
    office = world.api(world.admin("publicity_office"))
    path = f"/admin/laws/versions/{version_id}/dates"
    assert office.get(path).status_code == 200
    assert (
        office.post(
            path, data={"effective_on": "2021-08-01", "repealed_on": "2026-08-15", "version_on": "1999-01-01"}
        ).status_code
        == 302
    )
    version = session.get_one(LawVersion, version_id, populate_existing=True)
    assert (version.effective_on, version.repealed_on, version.version_on) == (
        date(2021, 8, 1),
        date(2026, 8, 15),
        date(2021, 1, 22),
    )
    assert office.post(path, data={"effective_on": "2021-08-01", "repealed_on": "2020-01-01"}).status_code == 400
    assert office.get("/admin/laws/versions/999999/dates").status_code == 404


def test_office_takes_a_text_back_and_the_gists_stay(world, session):
    version_id = load(session).version_id
    gists = LawGists(
        law="测试法",
        version_on=date(2021, 1, 22),
        effective_on=date(2021, 7, 15),
        reviewed_on=None,
        by_label={"第一条": "测试要点。"},
    )
    load_gists(session, [gists], now=clock.now())
    office = world.api(world.admin("publicity_office"))
    assert "撤下原文" in office.get(f"/admin/laws/versions/{version_id}/dates").text
    page = office.post(f"/admin/laws/versions/{version_id}/withdraw", follow_redirects=True).text
    assert "原文 3 条已撤下" in page and "现行有效" in page and "已撤下</span>" not in page
    law = office.get("/laws/测试法/2021-01-22/").text
    assert "测试要点。" in law and "应当测试" not in law
    assert "撤下原文" not in office.get(f"/admin/laws/versions/{version_id}/dates").text
    assert session.scalar(select(AuditEvent.details).where(AuditEvent.act == "laws.withdraw_text")) == {"removed": 3}


def test_reader_is_told_that_a_newer_version_is_in_force(world, session):
    load(session)
    load(
        session, TEXT.replace("2021-01-22", "2025-06-27").replace("2021-07-15", "2026-01-01"), "测试法(2025-06-27).txt"
    )
    client = world.client(world.person())
    old, new = (client.get(f"/laws/测试法/{day}/").get_data(as_text=True) for day in ("2021-01-22", "2025-06-27"))
    assert "已被新版本代替" in old and "已被新版本代替" not in new and "现行有效" in new
    assert client.get("/laws/").get_data(as_text=True).count("已被新版本代替") == 1


def test_command_line_imports_a_folder(app, session, tmp_path):
    (tmp_path / "测试法(2021-01-22).txt").write_text(TEXT, "utf-8")
    (tmp_path / "y.md").write_text(MARKDOWN, "utf-8")
    answer = app.test_cli_runner().invoke(args=["laws", "import", str(tmp_path)])
    assert answer.exit_code == 0 and "共 3 条" in answer.output and "测试条例（2022-02-25）" in answer.output
    assert "共 2 个文件：导入 2 个版本，新增 5 条" in answer.output


def test_real_texts_agree_with_the_known_counts(laws_folder):
    """STATUS.tsv gives the number of articles of every text that was checked."""
    with (laws_folder / "STATUS.tsv").open(encoding="utf-8") as file:
        known = {
            (row["law"], row["version_in_file"]): int(row["articles"])
            for row in csv.DictReader(file, delimiter="\t")
            if row["articles"].isdigit()
        }
    seen = {}
    for path in sorted([*laws_folder.glob("required/*.txt"), *laws_folder.glob("extra/*.txt")]):
        law = read_law_text(path.read_bytes(), path.name)
        seen[law.name, str(law.version_on)] = len(law.articles)
        assert [a.position for a in law.articles] == sorted(a.position for a in law.articles), path.name
    assert seen == {place: count for place, count in known.items() if place in seen} and len(seen) >= 80


def test_parts_of_the_civil_code_make_one_law(session, laws_folder):
    for path in sorted((laws_folder / "lawrefbook-md" / "民法典").glob("*.md")):
        done = load(session, path.read_text("utf-8"), path.name)
    assert (done.name, done.total) == ("民法典", 1260)
    criminal = read_law_text((laws_folder / "lawrefbook-md" / "刑法.md").read_bytes(), "刑法.md")
    assert (len(criminal.articles), criminal.version_on) == (505, date(2023, 12, 29)) and "第一百二十条之一" in {
        a.label for a in criminal.articles
    }
    constitution = read_law_text((laws_folder / "lawrefbook-md" / "宪法.md").read_bytes(), "宪法.md")
    assert (len(constitution.articles), constitution.version_on) == (
        143,
        date(2018, 3, 11),
    ) and constitution.preamble.startswith("中国是世界上历史最悠久")


def word(*paragraphs, heads=()):
    document = docx.Document()
    for text in paragraphs:
        paragraph = document.add_paragraph()
        for n, piece in enumerate(text.split("\n")):
            run = paragraph.add_run(piece)
            run.bold = text in heads
            if n < text.count("\n"):
                run.add_break()
    kept = io.BytesIO()
    document.save(kept)
    return kept.getvalue()


NATIONAL = (
    "中华人民共和国",
    "测试处罚法",
    (
        "（1996年3月17日第八届全国人民代表大会第四次会议通过　根据2009年8月27日第十一届全国人民代表大会常务委员会第十次会议"
        "《关于修改部分法律的决定》第一次修正　2021年1月22日第十三届全国人民代表大会常务委员会第二十五次会议修订　自2021年7月15日起施行）"
    ),
    "目　　录",
    "第一章　总　　则\t1",
    "第二章　处罚的种类",
    "第一节　一般规定",
    "附　　则",
    "第一章　总　　则",
    "　　第一条　为了规范处罚，制定本法。",
    "　　第二条　处罚由下列机关决定：\n（一）县级人民政府；",
    "　　（二）第三条规定的机关。",
    "第二章　处罚的种类",
    "第一节　一般规定",
    "第三条  第一款的内容。",
    "第二款的内容，适用",
    "第一条规定的除外，也是第二款。",
    "第三条之一　资助他人的，处罚。",
    "第四条　本法第三条之一所称资助，包括出资。",
    "附　　则",
    "第五条本法自1996年10月1日起施行。",
    "附件一：表格",
    "第六条　附件里的内容。",
)


def test_word_file_of_the_national_database_gives_note_chapters_and_branch_articles():
    law = read_law_text(word(*NATIONAL), "中华人民共和国测试处罚法_20210122.docx")
    assert (law.name, law.version_on, law.effective_on) == ("测试处罚法", date(2021, 1, 22), date(2021, 7, 15))
    assert law.note == NATIONAL[2] and law.preamble == ""
    assert [(a.label, a.heading, a.text) for a in law.articles] == [
        ("第一条", "第一章 总则", "为了规范处罚，制定本法。"),
        ("第二条", "第一章 总则", "处罚由下列机关决定：\n（一）县级人民政府；\n（二）第三条规定的机关。"),
        (
            "第三条",
            "第二章 处罚的种类 / 第一节 一般规定",
            "第一款的内容。\n第二款的内容，适用\n第一条规定的除外，也是第二款。",
        ),
        ("第三条之一", "第二章 处罚的种类 / 第一节 一般规定", "资助他人的，处罚。"),
        ("第四条", "第二章 处罚的种类 / 第一节 一般规定", "本法第三条之一所称资助，包括出资。"),
        ("第五条", "附则", "本法自1996年10月1日起施行。"),
    ]
    assert any("附件没有导入" in remark for remark in law.remarks)


def test_dates_of_a_word_file_come_from_its_note_where_the_name_says_none():
    law = read_law_text(word(*NATIONAL), "下载.docx")
    assert (law.version_on, law.effective_on) == (date(2021, 1, 22), date(2021, 7, 15))
    council = (
        "测试条例",
        "（2019年10月8日国务院第66次常务会议通过",
        "　2019年10月22日中华人民共和国国务院令第722号公布　自2020年1月1日起施行）",
        "第一条　目的。",
    )
    law = read_law_text(word(*council), "x.docx")
    assert (law.name, law.version_on, law.effective_on) == ("测试条例", date(2019, 10, 22), date(2020, 1, 1))
    assert law.note.startswith("（2019年10月8日") and law.note.endswith("施行）")


def test_preamble_of_a_word_file_stands_before_its_articles():
    parts = (
        "中华人民共和国测试宪法",
        "（1982年12月4日第五届全国人民代表大会第五次会议通过　根据2018年3月11日《修正案》修正）",
        "目　　录",
        "序　　言",
        "第一章　总　　纲",
        "序　　言",
        "序言第一段。",
        "序言第二段，1949年。",
        "第一章　总　　纲",
        "第一条　国体。",
    )
    law = read_law_text(word(*parts), "x.docx")
    assert law.preamble == "序言第一段。\n序言第二段，1949年。"
    assert [(a.heading, a.text) for a in law.articles] == [("第一章 总纲", "国体。")]
    assert law.version_on == date(2018, 3, 11)


def test_office_imports_a_word_file_and_candidates_read_its_note(world, session):
    office = world.api(world.admin("publicity_office"))
    named = ("中华人民共和国测试处罚法_20210122.docx", word(*NATIONAL))
    answer = upload(world, office, named, ("坏.docx", b"PK\x03\x04bad"))
    assert "新增 6 条" in answer and "<td>坏.docx</td>" in answer
    page = world.client(world.person()).get("/laws/测试处罚法/2021-01-22/").get_data(as_text=True)
    assert 'id="第三条之一"' in page and "第二十五次会议修订" in page
    assert "新增 0 条，更正 0 条" in upload(world, office, named)
