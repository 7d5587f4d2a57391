"""`flask bank import | export | check` on the command line."""

import json
import re

import pytest
from sqlalchemy import select

from examapp import clock
from examapp.content.question_editing.actions import add_question
from examapp.content.questions.models import BankQuestion, QuestionImport, QuestionState
from examapp.platform.audit.actions import SYSTEM, ActionContext
from question_bank.formats import registry
from question_bank.formats.registry import read_file
from tests.helpers.questions import picture

AIKEN = "谁作出决定？\nA. 县政府\nB. 县公安局\nANSWER: B\n\n谁复核？\nA. 甲\nB. 乙\nANSWER: A\n"
OURS = (
    "## x-0001 填空题 易\n题干：应当在____内。\n答案1：三十日|30日\n解析：见条文。\n\n"
    "## x-0002 判断题 易\n题干：对吗？\n答案：错误\n\n"
    "## x-0003 案例题 难\n材料：某县。\n### 1 单选题\n题干：谁？\nA：甲\nB：乙\n答案：A\n### 2 多选题\n题干：哪些？\nA：甲\nB：乙\nC：丙\n答案：AC\n\n"
    "## x-0004 简答题 中\n题干：为什么？\n参考答案：因为。\n\n"
    "## x-0005 单选题\n题干：缺答案？\nA：甲\nB：乙\n"
)


COUNTS = re.compile(r"已导出 (\d+) 题到 \S+?(?:，(\d+) 题该格式写不下、没有写入)?，有 (\d+) 处内容该格式无法表示。")
STEMS = ("应当在", "对吗", "某县", "为什么", "没有答案", "按先后排列", "谁决定", "哪些机关可以")


def run(app, *arguments):
    return app.test_cli_runner().invoke(args=["bank", *map(str, arguments)])


def files(answer):
    return json.loads(answer.stdout)["files"]


def test_dry_run_prints_keys_by_kind_and_stores_nothing(app, session, tmp_path):
    (tmp_path / "ours.txt").write_text(OURS, "utf-8")
    answer = run(app, "import", tmp_path / "ours.txt", "--dry-run", "--json")
    (file,) = files(answer)
    assert answer.exit_code == 0
    assert (file["format"], file["found"], file["imported"], len(file["refused"])) == ("examtext", 5, 4, 1)
    assert file["refused"][0]["code"] == "no_key" and "行" in file["refused"][0]["where"]
    keys = [question["key"] for question in file["questions"]]
    assert keys == [[["三十日", "30日"]], ["B"], [], ["因为。"]]
    assert [part["key"] for part in file["questions"][2]["parts"]] == [["A"], ["A", "C"]]
    assert session.scalars(select(BankQuestion)).all() == []


def test_import_is_idempotent_and_says_what_the_bank_had(app, session, tmp_path, alone):
    (tmp_path / "a.txt").write_text(AIKEN, "utf-8")
    (first,) = files(run(app, "import", tmp_path, "--json", "--state", "active"))
    (second,) = files(run(app, "import", tmp_path, "--json", "--state", "active"))
    assert (first["stored"], first["existing"], second["stored"], second["existing"]) == (2, 0, 0, 2)
    assert {q.state for q in session.scalars(select(BankQuestion))} == {"active"}


def test_unreadable_file_is_an_entry_with_its_error_and_exit_code_one(app, session, tmp_path):
    (tmp_path / "a.txt").write_text(AIKEN, "utf-8")
    (tmp_path / "b.bin").write_bytes(b"\x00\x01\x02")
    answer = run(app, "import", tmp_path, "--dry-run", "--json")
    good, bad = files(answer)
    assert answer.exit_code == 1 and "error" not in good and "请" in bad["error"] and bad["imported"] == 0


def test_answers_in_a_second_file_are_found_by_its_name(app, session, tmp_path):
    (tmp_path / "三月题目.txt").write_text(
        "1. 谁作出决定？\nA. 县政府\nB. 县公安局\n\n2. 谁复核？\nA. 甲\nB. 乙\n", "utf-8"
    )
    (tmp_path / "三月答案.txt").write_text("1-2 BA\n", "utf-8")
    entries = {
        entry["path"].rsplit("/", 1)[1]: entry for entry in files(run(app, "import", tmp_path, "--dry-run", "--json"))
    }
    assert [q["key"] for q in entries["三月题目.txt"]["questions"]] == [["B"], ["A"]]
    assert "error" not in entries["三月答案.txt"]


def test_same_words_with_another_key_go_to_the_review_list(app, session, tmp_path, alone):
    (tmp_path / "a.txt").write_text(AIKEN, "utf-8")
    run(app, "import", tmp_path, "--state", "active")
    (tmp_path / "a.txt").write_text(AIKEN.replace("ANSWER: B", "ANSWER: A"), "utf-8")
    (again,) = files(run(app, "import", tmp_path, "--json", "--state", "active"))
    assert (again["stored"], again["existing"]) == (1, 1)
    needing_review = session.scalars(select(BankQuestion).where(BankQuestion.review_note != "")).one()
    assert needing_review.state == "draft" and "核对" in needing_review.review_note


def test_export_then_import_finds_every_question_again(app, session, world, tmp_path, alone):
    source = tmp_path / "in"
    source.mkdir()
    (source / "ours.txt").write_text(OURS.rsplit("## x-0005", 1)[0], "utf-8")
    run(app, "import", source, "--state", "active")
    for name, out in (("excel", "bank.xlsx"), ("examtext", "bank.txt")):
        answer = run(app, "export", "--format", name, tmp_path / out)
        assert answer.exit_code == 0, answer.output
        (again,) = files(run(app, "import", tmp_path / out, "--json"))
        assert (again["found"], again["stored"], again["existing"]) == (4, 0, 4), again


EVERY_KIND = (
    OURS + "\n## x-0006 排序题 中\n题干：按先后排列。\nA：立案\nB：调查\nC：决定\n答案：ABC\n解析：见条文。\n"
    "\n## x-0007 单选题 易\n题干：谁决定？\nA：甲\nB：乙\n答案：A\n解析：见条文。\n"
    "\n## x-0008 多选题 易\n题干：哪些机关可以？\nA：甲\nB：乙\nC：丙\n答案：AC\n解析：见条文。\n"
)


@pytest.mark.parametrize("form", registry.writable(), ids=lambda form: form.name)
def test_export_counts_what_it_wrote_and_names_each_question_that_it_could_not(app, session, tmp_path, form):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ours.txt").write_text(EVERY_KIND, "utf-8")
    (tmp_path / "in" / "more.txt").write_text("1. 没有答案的题（ ）。\nA. 甲\nB. 乙\n", "utf-8")
    stored = sum(entry["stored"] for entry in files(run(app, "import", tmp_path / "in", "--json")))
    out = tmp_path / f"bank{form.suffix}"
    first, *named = run(app, "export", "--format", form.name, out).output.splitlines()
    written, missing, dropped = (int(number or 0) for number in COUNTS.fullmatch(first).groups())
    assert (written + missing, missing + dropped) == (stored, len(named)) and stored == 8
    again = read_file(out.read_bytes(), out.name, form.name)
    assert again.found == written, (again.found, first, named)
    stems = [one.question.stem for one in again.imported] + [one.question.stem for one in again.needing_review]
    lost = [one for one in STEMS if not any(stem.startswith(one) for stem in stems)]
    assert len(lost) >= missing and [one for one in lost if not any(one in line for line in named)] == [], (lost, named)


def test_check_prints_a_line_a_finding(app, session, tmp_path):
    (tmp_path / "x.txt").write_text(OURS, "utf-8")
    answer = run(app, "check", tmp_path)
    assert answer.exit_code == 1 and "x-0002：没有解析" in answer.output


def test_picture_survives_moodle_export(app, session, world, tmp_path):
    from question_bank import model

    image = model.Image(name="a.png", media_type="image/png", content=picture())
    add_question(
        ActionContext(session, SYSTEM, clock.now()),
        state=QuestionState.ACTIVE,
        question=model.Question(
            kind=model.Kind.SINGLE_CHOICE,
            stem='<p>图</p><img src="bank:a.png">',
            options=("甲", "乙"),
            key=("A",),
            is_html=True,
            images=(image,),
        ),
    )
    run(app, "export", "--format", "moodle-xml", tmp_path / "bank.xml")
    (again,) = files(run(app, "import", tmp_path / "bank.xml", "--json"))
    assert (again["stored"], again["existing"]) == (0, 1), again


def test_activation_at_once_is_rejected_without_the_setting_of_lone_offices(app, session, tmp_path):
    (tmp_path / "a.txt").write_text(AIKEN, "utf-8")
    answer = run(app, "import", tmp_path, "--state", "active")
    assert answer.exit_code == 2 and "REVIEW_ALONE" in answer.output
    assert session.scalars(select(BankQuestion)).all() == []
    run(app, "import", tmp_path)
    assert [q.state for q in session.scalars(select(BankQuestion))] == ["draft", "draft"]


def test_import_on_the_command_line_is_listed_and_undone_as_one_act(app, session, tmp_path):
    (tmp_path / "a.txt").write_text(AIKEN, "utf-8")
    (entry,) = files(run(app, "import", tmp_path, "--json"))
    assert session.scalars(select(QuestionImport.message)).one() == "已导入 2 题。"
    done = run(app, "undo", entry["import"])
    assert done.exit_code == 0 and "删除 2 题" in done.output
    session.expire_all()
    assert session.scalars(select(BankQuestion)).all() == []
    assert "删除 0 题" in run(app, "undo", entry["import"]).output
    assert run(app, "undo", 999999).exit_code == 1


def test_check_measures_the_whole_bank_and_holds_articles_against_their_law(app, tmp_path):
    law = "@law 测试法\n@version 2021-01-22\n@effective 2021-07-15\n@topic 行政法\n\n"
    question = "## cs-001 判断题 易\n条文：第九条\n知识点：测试\n题干：县政府可以决定。\n答案：正确\n解析：见第九条。\n"
    (tmp_path / "测试法.txt").write_text(law + question, "utf-8")
    laws = tmp_path / "laws"
    laws.mkdir()
    (laws / "测试法(2021-01-22).txt").write_text("测试法\n\n第一条　目的。\n第二条　县政府可以决定。\n", "utf-8")
    answer = run(app, "check", tmp_path, "--laws", laws)
    assert answer.exit_code == 1 and "cs-001：《测试法》（2021-01-22）没有第九条" in answer.output
    assert "合格　法律已经施行" in answer.output and "检查完毕，1 处问题" in answer.output
    (tmp_path / "测试法.txt").write_text(law + question.replace("第九条", "第二条"), "utf-8")
    assert run(app, "check", tmp_path, "--laws", laws).exit_code == 0


def test_check_names_the_articles_that_an_explanation_leans_on_and_the_question_does_not_cite(app, tmp_path):
    head = "@law 测试法\n@version 2021-01-22\n@effective 2021-07-15\n@topic 行政法\n\n## cs-001 判断题 易\n"
    body = "条文：{}\n知识点：测试\n题干：县政府可以决定。\n答案：正确\n解析：决定权见第二条；期限按本法第七条第一款和第八条；《别法》第九条、行政处罚法第十条另有规定。\n"
    (tmp_path / "测试法.txt").write_text(head + body.format("第二条"), "utf-8")
    answer = run(app, "check", tmp_path)
    assert [line for line in answer.output.splitlines() if "解析提到" in line] == [
        f"测试法.txt：cs-001：解析提到{label}，条文没有写" for label in ("第七条", "第八条")
    ]
    (tmp_path / "测试法.txt").write_text(head + body.format("第二条、第七条、第八条"), "utf-8")
    assert run(app, "check", tmp_path).exit_code == 0
