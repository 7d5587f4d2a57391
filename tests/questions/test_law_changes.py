"""A law changes: the questions on what it changed wait for a reviewer, all others go on."""

import csv
import io
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from examapp import clock
from examapp.content.blueprints.queries import iter_pool
from examapp.content.blueprints.rules import Section
from examapp.content.law_texts.rules import LawText, ReadArticle, read_law_text
from examapp.content.laws.actions import ensure_law_version, import_law_text, set_dates, withdraw_text
from examapp.content.laws.models import Law, LawVersion
from examapp.content.laws.queries import find_version_in_force, list_versions
from examapp.content.laws.rules import bare_text
from examapp.content.question_law_changes.actions import check_laws, check_next_law
from examapp.content.questions.models import QuestionCitation, QuestionFlag, QuestionVersion
from examapp.platform.audit.actions import SYSTEM, ActionContext
from question_bank.model import Kind
from tests.helpers.law_changes import LAW, NEW, OLD, add, bring_in, on


def pool(session):
    section = Section(
        title="",
        instructions="",
        kind=Kind.SINGLE_CHOICE,
        count=1,
        points_each=Decimal(1),
        laws=frozenset(),
        topics=frozenset(),
        knowledge_points=frozenset(),
        difficulties={},
    )
    return {question.question_id for question in iter_pool(session, [section])}


@pytest.fixture
def reviewer(world):
    return world.api(world.admin("publicity_office", name="李四"))


@pytest.fixture
def changed(session):
    bring_in(session, OLD, "2012-10-26")
    questions = add(session, *(on(label) for label in OLD))
    assert pool(session) == {question.id for question in questions}
    bring_in(session, NEW, "2025-06-27")
    session.expire_all()
    return dict(zip(OLD, questions, strict=True))


def flag_of(session, question):
    return session.scalars(select(QuestionFlag).where(QuestionFlag.question_id == question.id)).one()


def cited(session, question):
    row = session.scalars(
        select(QuestionCitation).where(QuestionCitation.question_version_id == question.current_version_id)
    ).one()
    return session.get_one(LawVersion, row.law_version_id).version_on.isoformat(), row.articles


def test_questions_on_changed_moved_and_repealed_articles_are_kept_out_of_new_papers(changed, session):
    assert [question.law_change for question in changed.values()] == ["", "changed", "moved", "repealed"]
    assert pool(session) == {changed["第一条"].id}
    assert flag_of(session, changed["第三条"]).articles == [
        {"old": "第三条", "new": "第五条", "change": "moved", "similarity": "100"}
    ]


def test_question_that_comes_later_with_the_old_law_is_flagged_too(changed, session):
    late, fresh, loose = add(session, on("第二条", 1), on("第二条", 2, day="2025-06-27"), on("第九条", 3))
    assert (late.law_change, fresh.law_change, loose.law_change) == ("changed", "", "unknown")
    assert flag_of(session, late).new_version_id is not None


def test_flags_follow_the_library_when_texts_come_in_the_other_order(session):
    questions = add(session, *(on(label) for label in OLD))
    bring_in(session, NEW, "2025-06-27")
    assert {question.law_change for question in questions} == {"unknown"}
    bring_in(session, OLD, "2012-10-26")
    session.expire_all()
    assert [question.law_change for question in questions] == ["", "changed", "moved", "repealed"]
    assert [
        flag.decision
        for flag in session.scalars(select(QuestionFlag).where(QuestionFlag.question_id == questions[0].id))
    ] == ["withdrawn"]


def test_a_version_imported_by_mistake_is_taken_back_and_comes_back_with_the_right_text(changed, session):
    context = ActionContext(session, SYSTEM, clock.now())
    wrong = session.scalars(select(LawVersion).where(LawVersion.version_on == date(2025, 6, 27))).one()
    assert withdraw_text(context, version_id=wrong.id) == len(NEW)
    check_laws(session, now=clock.now())
    session.expire_all()
    assert {question.law_change for question in changed.values()} == {""}
    assert pool(session) == {question.id for question in changed.values()}
    rows = {str(row.version_on): row for row in list_versions(session, law=LAW)}
    assert rows["2025-06-27"].is_withdrawn and rows["2012-10-26"].replaced_on is None
    assert find_version_in_force(session, law=LAW, on=clock.today()).version_on == date(2012, 10, 26)
    bring_in(session, NEW, "2025-06-27")
    session.expire_all()
    assert [question.law_change for question in changed.values()] == ["", "changed", "moved", "repealed"]


def test_repeal_of_a_law_flags_all_its_questions(session):
    bring_in(session, OLD, "2012-10-26")
    (question,) = add(session, on("第一条"))
    version = session.scalars(select(LawVersion).where(LawVersion.version_on == date(2012, 10, 26))).one()
    set_dates(
        ActionContext(session, SYSTEM, clock.now()),
        version_id=version.id,
        effective_on=None,
        repealed_on=date(2026, 8, 15),
    )
    check_laws(session, now=clock.now())
    session.expire_all()
    assert question.law_change == "law_repealed" and pool(session) == set()


def test_laws_are_checked_one_by_one_so_that_no_import_waits_for_all(session):
    for law in (LAW, "消防测试法"):
        import_law_text(ActionContext(session, SYSTEM, clock.now()), text=LawText(name=law, version_on=date(2012, 10, 26), effective_on=None, articles=[ReadArticle("第一条", 0, "", "条文。")]))  # fmt: skip
    due = select(func.count()).select_from(Law).where(Law.unchecked_since.is_not(None))
    before = session.scalar(due)
    assert check_next_law(session, now=clock.now()) == 0
    assert session.scalar(due) == before - 1
    assert check_laws(session, now=clock.now()) == 0
    assert session.scalar(due) == 0
    assert check_next_law(session, now=clock.now()) is None


def test_reviewer_sees_old_and_new_and_keeps_with_the_new_citation(changed, reviewer, session):
    question = changed["第二条"]
    page = reviewer.get(f"/admin/questions/{question.id}/law-change").get_data(as_text=True)
    assert ">删</span>五百" in page and ">增</span>一千" in page and 'value="第二条"' in page
    flag = flag_of(session, question)
    rejected = reviewer.post(
        f"/admin/questions/{question.id}/law-change/keep", data={f"articles-{flag.id}": "第八十条"}
    )
    assert "新版本里没有第八十条" in rejected.get_data(as_text=True) and question.law_change == "changed"
    answer = reviewer.post(f"/admin/questions/{question.id}/law-change/keep", data={f"articles-{flag.id}": "第2条"})
    session.expire_all()
    assert answer.status_code == 302 and (question.law_change, question.state) == ("", "active")
    assert cited(session, question) == ("2025-06-27", ["第二条"]) and question.id in pool(session)
    assert flag_of(session, question).decision == "keep"


def test_paper_that_holds_a_kept_question_keeps_its_old_citation(changed, reviewer, session):
    question = changed["第三条"]
    used = session.get_one(QuestionVersion, question.current_version_id)
    used.used_at = clock.now()
    session.flush()
    reviewer.post(
        f"/admin/questions/{question.id}/law-change/keep", data={f"articles-{flag_of(session, question).id}": "第五条"}
    )
    session.expire_all()
    assert question.current_version_id != used.id and cited(session, question) == ("2025-06-27", ["第五条"])
    assert session.scalars(
        select(QuestionCitation.articles).where(QuestionCitation.question_version_id == used.id)
    ).one() == ["第三条"]
    assert session.get_one(QuestionVersion, question.current_version_id).content == used.content


def test_only_questions_whose_articles_merely_moved_are_kept_in_one_go(changed, reviewer, session):
    page = reviewer.get("/admin/questions/law-changes/").get_data(as_text=True)
    assert page.count('name="ids"') == 1 and "3 道题" in page
    answer = reviewer.post(
        "/admin/questions/law-changes/keep-moved",
        data={"ids": [question.id for question in changed.values()]},
        follow_redirects=True,
    )
    session.expire_all()
    assert "1 道题已按新条号保留" in answer.get_data(as_text=True)
    assert [question.law_change for question in changed.values()] == ["", "changed", "", "repealed"]


def test_edit_and_retirement_settle_the_flag(changed, reviewer, session):
    form = reviewer.get(f"/admin/questions/{changed['第二条'].id}/edit?under=new").get_data(as_text=True)
    assert 'value="2025-06-27"' in form
    fields = dict(re.findall(r'name="([^"]+)"[^>]*value="([^"]*)"', form)) | {
        "parts-0-stem": "改过的题？",
        "parts-0-options-0": "甲",
        "parts-0-options-1": "乙",
        "parts-0-key": "A",
        "parts-0-articles": "第二条",
        "act": "save",
        "difficulty": "easy",
        "topic": "",
    }
    assert reviewer.post(f"/admin/questions/{changed['第二条'].id}/edit", data=fields).status_code == 302
    reviewer.post(f"/admin/questions/{changed['第四条'].id}/law-change/retire")
    session.expire_all()
    assert (changed["第二条"].state, changed["第二条"].law_change) == ("draft", "")
    assert (changed["第四条"].state, changed["第四条"].law_change) == ("retired", "")
    assert [flag_of(session, changed[label]).decision for label in ("第二条", "第四条")] == ["edit", "retire"]


def test_who_may_not_review_decides_nothing(changed, world, session):
    other = world.api(world.admin("leader", world.unit()))
    question = changed["第二条"]
    assert other.post(f"/admin/questions/{question.id}/law-change/keep").status_code in {403, 404}
    assert other.post(f"/admin/questions/{question.id}/law-change/retire").status_code in {403, 404}
    session.expire_all()
    assert (question.law_change, question.state) == ("changed", "active")


def test_law_without_its_text_flags_nothing(session):
    bring_in(session, OLD, "2012-10-26")
    (question,) = add(session, on("第二条"))
    ensure_law_version(session, law=LAW, version_on=date(2025, 6, 27), now=clock.now())
    assert check_laws(session, now=clock.now()) == 0 and question.law_change == ""


def test_new_version_flags_on_the_day_it_takes_effect_and_not_at_its_import(session, fixed_clock):
    bring_in(session, OLD, "2012-10-26")
    questions = add(session, *(on(label) for label in OLD))
    text = LawText(
        name=LAW,
        version_on=date(2026, 10, 28),
        effective_on=date(2027, 1, 1),
        articles=[ReadArticle(label, n, "", text) for n, (label, text) in enumerate(NEW.items())],
    )
    import_law_text(ActionContext(session, SYSTEM, clock.now()), text=text)
    assert check_laws(session, now=clock.now()) == 0 and len(pool(session)) == 4
    late = add(session, on("第二条", 1))[0]
    assert late.law_change == ""
    fixed_clock.at(datetime(2026, 12, 31, 15, 59, tzinfo=UTC))
    assert check_laws(session, now=clock.now()) == 0
    fixed_clock.at(datetime(2026, 12, 31, 16, 0, tzinfo=UTC))
    assert check_laws(session, now=clock.now()) == 4
    session.expire_all()
    assert [question.law_change for question in questions] == ["", "changed", "moved", "repealed"]
    assert late.law_change == "changed" and pool(session) == {questions[0].id}
    assert session.scalars(select(Law.unchecked_since).where(Law.name == LAW)).one() is None


def test_repeal_still_to_come_flags_on_its_day(session, fixed_clock):
    bring_in(session, OLD, "2012-10-26")
    (question,) = add(session, on("第一条"))
    version = session.scalars(select(LawVersion).where(LawVersion.version_on == date(2012, 10, 26))).one()
    set_dates(
        ActionContext(session, SYSTEM, clock.now()),
        version_id=version.id,
        effective_on=None,
        repealed_on=date(2027, 3, 1),
    )
    assert check_laws(session, now=clock.now()) == 0 and question.law_change == ""
    fixed_clock.at(datetime(2027, 3, 1, 1, 0, tzinfo=UTC))
    check_laws(session, now=clock.now())
    session.expire_all()
    assert question.law_change == "law_repealed"


PAIRS = [
    ("治安管理处罚法", "2012-10-26", "2025-06-27"),
    ("网络安全法", "2016-11-07", "2025-10-28"),
    ("反间谍法", "2014-11-01", "2023-04-26"),
    ("保守国家秘密法", "2010-04-29", "2024-02-27"),
    ("立法法", "2015-03-15", "2023-03-13"),
    ("统计法", "2009-06-27", "2024-09-13"),
    ("国务院组织法", "1982-12-10", "2024-03-11"),
]
"""The pairs of versions of which both texts are at hand."""
TEXTS = Path(__file__).parent / "texts"


def pairs_table(laws_folder):
    rows = csv.DictReader(io.StringIO((laws_folder / "VERSION-PAIRS.tsv").read_text("utf-8-sig")), delimiter="\t")
    return {(row["law"], row["old_version"], row["new_version"]): row for row in rows}


def text_of(laws_folder, law, day):
    """The text of a law's version: from the folder of laws, or from what stands beside this test."""
    paths = [path for folder in (laws_folder, TEXTS) for path in sorted(folder.rglob(f"{law}({day}).*"))]
    assert paths, f"{law}({day}) is in neither folder"
    return read_law_text(paths[0].read_bytes(), paths[0].name)


def test_all_pairs_of_versions_whose_old_text_is_at_hand_are_tested(laws_folder):
    old_texts = {path.name for folder in (laws_folder, TEXTS) for path in folder.rglob("*(*).*")}
    at_hand = [pair for pair in pairs_table(laws_folder) if any(f"{pair[0]}({pair[1]})" in name for name in old_texts)]
    assert sorted(at_hand) == sorted(PAIRS)


@pytest.mark.parametrize(("law", "old", "new"), PAIRS)
def test_new_version_of_a_real_law_flags_exactly_the_questions_on_changed_and_moved_articles(
    session, laws_folder, law, old, new
):
    before, after = text_of(laws_folder, law, old), text_of(laws_folder, law, new)
    import_law_text(ActionContext(session, SYSTEM, clock.now()), text=before)
    labels = [article.label for article in before.articles]
    questions = add(session, *(on(label, law=law, day=old) for label in labels))
    import_law_text(ActionContext(session, SYSTEM, clock.now()), text=after)
    check_laws(session, now=clock.now())
    session.expire_all()
    row = pairs_table(laws_folder)[law, old, new]
    same = {a.label: bare_text(a.text) for a in after.articles}
    unchanged = [a.label for a in before.articles if same.get(a.label) == bare_text(a.text)]
    marked = {label: question.law_change for label, question in zip(labels, questions, strict=True)}
    assert len(labels) == int(row["articles_old"]) and len(unchanged) == int(row["same_number_same_text"])
    assert [label for label in labels if not marked[label]] == unchanged
    assert list(marked.values()).count("moved") == int(row["text_moved_to_another_number"])
    assert len(pool(session)) == len(unchanged)


def test_command_line_flags_without_a_worker(changed, app, session):
    session.execute(update(Law).values(unchecked_since=clock.now()))
    add(session, on("第二条", 5))
    done = app.test_cli_runner().invoke(args=["bank", "check-laws"])
    assert done.exit_code == 0 and f"{LAW}（2012-10-26 → 2025-06-27）：4 处待处理" in done.output
