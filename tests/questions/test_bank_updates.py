"""A yearly edition comes into a running county: previewed, own edits kept and shown beside, withdrawn ones retired only where ticked."""

from __future__ import annotations

import io
import zipfile

import pytest

from examapp import clock
from examapp.content.laws.models import ArticleGist, LawVersion
from examapp.content.question_editing.actions import add_questions, save_question
from examapp.content.questions.models import BankQuestion, QuestionState
from examapp.content.questions.queries import current_key, get_version, stamp_of
from examapp.documents.archives import UnreadableFileError
from examapp.learning.courses.models import Course
from examapp.platform.audit.actions import SYSTEM, ActionContext, Actor
from examapp.platform.bank_updates.models import BankUpdate
from examapp.platform.bank_updates.rules import StoredQuestion, compare_edition, open_edition
from question_bank.model import Citation, Difficulty, Kind, Question

PAGE = "/admin/bank-updates/"
HEAD = "@law 人民调解法\n@version 2010-08-28\n@effective 2011-01-01\n@topic 社会治理与民生\n\n"
COURSE = (
    "# 调解一课\n法律：人民调解法\n版本：2010-08-28\n学分：2\n简介：要点。\n\n"
    "## 第一章\n依据：第四条\n练习：1 题，答对 1 题\n\n不收费。\n"
)


def question(code, stem="调解收费吗？", key="B", explanation="不收费（第四条）。"):
    return Question(
        kind=Kind.SINGLE_CHOICE,
        stem=f"{code}：{stem}",
        options=("收", "不收", "减半收", "败方付"),
        key=(key,),
        explanation=explanation,
        citation=Citation(law="人民调解法", article="第四条", version="2010-08-28"),
        difficulty=Difficulty.EASY,
        knowledge_points=("调解",),
        tags=("社会治理与民生",),
        code=code,
    )


def block(one):
    options = "\n".join(f"{letter}：{text}" for letter, text in zip("ABCD", one.options, strict=True))
    return (
        f"## {one.code} 单选题 易\n条文：第四条\n知识点：调解\n题干：{one.stem}\n{options}\n"
        f"答案：{one.key[0]}\n解析：{one.explanation}\n\n"
    )


def edition(*questions, name="2027 年版"):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        if name:
            archive.writestr("edition.txt", name)
        archive.writestr("questions/人民调解法.txt", HEAD + "".join(map(block, questions)))
        archive.writestr(
            "gists/人民调解法.txt", "@law 人民调解法\n@version 2010-08-28\n@effective 2011-01-01\n第四条：不得收费。\n"
        )
        archive.writestr("courses/人民调解法.md", COURSE)
    return packed.getvalue()


def test_an_edition_is_compared_by_whose_the_questions_are():
    def stored(one, *, is_shipped=True, is_own_edit=False):
        return StoredQuestion(id=1, question=one, is_shipped=is_shipped, is_own_edit=is_own_edit)

    mine = {
        "aa-001": stored(question("aa-001")),
        "aa-002": stored(question("aa-002", "旧的？")),
        "aa-003": stored(question("aa-003", explanation="本县改过的。"), is_own_edit=True),
        "aa-004": stored(question("aa-004")),
        "aa-005": stored(question("aa-005"), is_own_edit=True),
        "own-001": stored(question("own-001"), is_shipped=False),
    }
    found = compare_edition([question(code) for code in ("aa-001", "aa-002", "aa-003", "aa-006")], mine)
    assert (found.same, found.new, found.changed, found.withdrawn) == (1, ["aa-006"], ["aa-002"], ["aa-004"])
    assert [entry["code"] for entry in found.own] == ["aa-003"]
    assert "本县改过的。" in found.own[0]["mine"] and "不收费（第四条）。" in found.own[0]["theirs"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(edition(question("aa-001"), name=""), "没有 edition.txt"), (b"no zip", "压缩包"), (edition(question("aa-001", key="E")), "更新文件有错")],
)  # fmt: skip
def test_a_file_that_is_no_sound_edition_is_rejected_with_the_reason(content, message):
    with pytest.raises(UnreadableFileError, match=message), open_edition(content):
        pass


def test_an_update_is_previewed_and_keeps_what_the_county_has_made(world, session):
    person = world.admin("publicity_office")
    office = world.api(person)
    system = ActionContext(session, SYSTEM, clock.now())
    before = [
        question("aa-001"),
        question("aa-002", "旧的？"),
        question("aa-003"),
        question("aa-004"),
        question("aa-005"),
    ]
    ids = dict(zip("12345", add_questions(system, questions=before, state=QuestionState.ACTIVE), strict=True))
    rows = {number: session.get(BankQuestion, each) for number, each in ids.items()}
    by_person = ActionContext(session, Actor(person_id=person.id), clock.now())
    for number in "35":
        stamp = stamp_of(rows[number], get_version(session, rows[number]))
        text = question(f"aa-00{number}", explanation="本县改过的。")
        save_question(by_person, question_id=ids[number], question=text, read_stamp=stamp)
    file = edition(
        question("aa-001"), question("aa-002", "新的？"), question("aa-003"), question("aa-005"), question("aa-006")
    )
    assert "请选择年度更新文件" in office.post(PAGE, data={}, follow_redirects=True).text
    address = office.post(PAGE, data={"file": (io.BytesIO(file), "2027.zip")}).location
    session.expire_all()
    page = office.get(address).text
    assert all(text in page for text in ("2027 年版", "本县的", "新版的", "本县改过的", "aa-006"))
    assert get_version(session, rows["2"]).number == 1, "nothing is changed by a preview"
    office.post(f"{address}/confirm", data={"overwritten": ["aa-005", "aa-001"], "withdraws": "1"})
    session.expire_all()
    update = session.query(BankUpdate).one()
    assert update.content is None and update.overwritten == ["aa-005"]
    assert "新增 1 题，修改 2 题，停用 1 题，保留本县修改 1 题，相同 1 题" in office.get(address).text
    assert {number: row.state for number, row in rows.items()} == {
        "1": "active", "2": "active", "3": "draft", "4": "retired", "5": "active"
    }  # fmt: skip
    assert "新的？" in get_version(session, rows["2"]).search_text
    kept, taken = (current_key(session, rows[number].current_version_id).parts[0]["explanation"] for number in "35")
    assert "本县改过的" in kept and "不收费" in taken
    assert session.query(ArticleGist).count() == 1 and session.query(Course).one().title == "调解一课"
    assert session.query(LawVersion).count() == 1
    address = office.post(PAGE, data={"file": (io.BytesIO(file), "2027.zip")}).location
    session.expire_all()
    summary = session.query(BankUpdate).order_by(BankUpdate.id.desc()).first().summary
    assert (summary["same"], summary["new"], summary["changed"]) == (4, [], []), "the second time nothing is left to do"
    assert [entry["code"] for entry in summary["own"]] == ["aa-003"]
