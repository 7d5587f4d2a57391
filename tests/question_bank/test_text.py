import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from examapp.documents.archives import UnreadableFileError
from question_bank.formats import docx, text
from question_bank.model import Kind
from tests.helpers.drawn_examples import some_of

NAMES = {
    Kind.SINGLE_CHOICE: "SINGLE",
    Kind.MULTIPLE_CHOICE: "MULTIPLE",
    Kind.TRUE_FALSE: "JUDGE",
    Kind.FILL_BLANK: "BLANK",
    Kind.SHORT_ANSWER: "SHORT",
}
TWO = "A. 一\nB. 二\n"
FOUR = "A. 一\nB. 二\nC. 三\nD. 四\n"


def read(wording, answers=None, name="题库.txt"):
    return text.read(wording.encode(), name=name, answers=(answers.encode(), "答案.txt") if answers else None)


def brief(reading):
    """`1 SINGLE A` for each imported question, `1 SINGLE ?code` for a doubtful one, in order of the places."""
    lines = [
        (one.where, f"{one.question.code} {NAMES[one.question.kind]} {answer(one.question)}")
        for one in reading.imported
    ]
    lines += [
        (f"第 {99_999} 行", f"{one.question.code} {NAMES[one.question.kind]} ?{one.note.code}")
        for one in reading.needing_review
    ]
    return [line for _, line in sorted(lines, key=lambda pair: int(pair[0].split()[1]))]


def answer(question):
    if question.kind is Kind.TRUE_FALSE:
        return {"A": "对", "B": "错"}[question.key[0]]
    if question.kind is Kind.FILL_BLANK:
        return "；".join(blank[0] for blank in question.blanks)
    return "".join(question.key)


@pytest.mark.parametrize(
    ("wording", "expected"),
    [
        (
            "1. 甲。（对）\n2. 乙（错）。\n3. 丙(√)\n4. 丁（×）\n5. 戊。√\n",
            ["1 JUDGE 对", "2 JUDGE 错", "3 JUDGE 对", "4 JUDGE 错", "5 JUDGE 对"],
        ),
        (
            "1.甲（AB）A.一 B.二 C.三\n2.乙（A,B）A.一 B.二 C.三\n3.丙（A B）A.一 B.二 C.三\n4.丁 A.一 B.二 C.三 答案：A、C\n",
            ["1 MULTIPLE AB", "2 MULTIPLE AB", "3 MULTIPLE AB", "4 MULTIPLE AC"],
        ),
        (f"1下列正确的是（A）\n{TWO}2下列错误的是（B）\n{TWO}", ["1 SINGLE A", "2 SINGLE B"]),
        (
            f"1. 甲\n{FOUR}答案：A-D\n2. 乙\n{TWO}答案：全选\n3. 丙\n{FOUR}答案：A至C\n",
            ["1 MULTIPLE ABCD", "2 MULTIPLE AB", "3 MULTIPLE ABC"],
        ),
        (
            "1. 甲\n（A）一（B）二（C）三\n答案：C\n2. 乙\nA）一\nB）二\n答案：b\n3. 丙\nＡ．一　Ｂ．二\n答案：Ｂ\n4. 丁\nA：一；B：二\n答案：A\n5. 戊\nA 一\nB 二\n【答案】B\n6. 己\nA.30B.40C.50\n答案：C",
            ["1 SINGLE C", "2 SINGLE B", "3 SINGLE B", "4 SINGLE A", "5 SINGLE B", "6 SINGLE C"],
        ),
        (
            f"（B）1. 下列说法中正确的一项是\n{TWO}（√）2. 行政机关应当依法行政。\n（ ）3. 下列说法中错误的一项是\n{TWO}答案：A\n",
            ["1 SINGLE B", "2 JUDGE 对", "3 SINGLE A"],
        ),
        (
            "**1. 甲乙丙？**\n- A. 一\n- B. 二\n**答案：B**\n2. 正确的有（AB）\nA甲\nB乙\nC丙\n",
            ["1 SINGLE B", "2 MULTIPLE AB"],
        ),
        (f"1.（B）是国家根本法。\n{TWO}2. 种类有（ ABD ）。\n{FOUR}", ["1 SINGLE B", "2 MULTIPLE ABD"]),
    ],
)
def test_options_and_keys_in_their_many_forms(wording, expected):
    assert brief(read(wording)) == expected


@pytest.mark.parametrize(
    "answers",
    [
        "参考答案\n1-5 ABBA D\n",
        "参考答案：\n1-5：A B B A D\n",
        "参考答案\n1.A 2.B 3.B 4.A 5.D\n",
        "答案\n1A2B3B4A5D\n",
        "答案\n1、A\n2、B\n3、B\n4、A\n5、D\n",
        "参考答案及解析\n1.【答案】A\n【解析】因为\n2.【答案】B\n3.【答案】B\n4.【答案】A\n5.【答案】D\n",
        "答案\n题号 1 2 3 4 5\n答案 A B B A D\n",
        "答案\n题号\t1\t2\t3\t4\t5\n答案\tA\tB\tB\tA\tD\n",
        "附：参考答案\n1~3 ABB 4-5 AD\n",
        "参考答案\n1.（A）\n2.（B）\n3. 答案（B）\n4. 正确答案：A\n第5题：D\n",
        "参考答案\n1. A 解析：甲\n2. B 解析：乙\n3. B\n4. A\n5. D\n",
    ],
)
def test_answers_at_the_end_or_in_a_second_file(answers):
    questions = "一、单选题\n" + "".join(f"{n}. 题目{n}\n{FOUR}" for n in range(1, 6))
    expected = ["1 SINGLE A", "2 SINGLE B", "3 SINGLE B", "4 SINGLE A", "5 SINGLE D"]
    assert brief(read(questions + "\n" + answers)) == expected
    assert brief(read(questions, answers)) == expected


def test_sections_that_number_again_get_their_own_answers():
    wording = f"一、单选题\n1. 甲\n{TWO}2. 乙\n{TWO}二、判断题\n1. 丙\n2. 丁\n"
    for answers in ("一、单选题\n1-2 AB\n二、判断题\n1.√ 2.×\n", "单选：1-2 AB\n判断：1.√ 2.×\n"):
        assert brief(read(f"{wording}参考答案\n{answers}")) == ["1 SINGLE A", "2 SINGLE B", "1 JUDGE 对", "2 JUDGE 错"]
    assert {one.note.code for one in read(wording, "1.A").needing_review} >= {"two_readings"}


def test_answers_that_do_not_match_their_range_all_need_review():
    reading = read(f"1. 甲\n{TWO}2. 乙\n{TWO}3. 丙\n{TWO}", "1-3: A B")
    assert [one.note.code for one in reading.needing_review] == ["answers_do_not_match"] * 3


@pytest.mark.parametrize(
    ("wording", "code"),
    [
        (f"1. 甲（A）\n{TWO}答案：B\n", "two_keys"),
        (f"1. 甲\n{TWO}答案：C\n", "key_outside_options"),
        ("1. 甲\nA. 一\nB.\nC. 三\n答案：A\n", "blank_option"),
        (f"1. 甲\n{TWO}答案：A或B\n", "key_unreadable"),
        ("1. 甲\nA. 一\nC. 三\n答案：A\n", "option_missing"),
        ("1. 甲\nA：一,A：二\nB：三,B：四\n答案：A\n", "repeated_option"),
        (f"1. 甲\n{TWO}", "no_key"),
        ("判断题\n1. 甲。\n答案：A\n", "two_readings"),
        (f"1. 甲\n{TWO}参考答案\n1.A\n1.B\n", "two_keys"),
    ],
)
def test_a_key_that_needs_review_is_never_guessed(wording, code):
    reading = read(wording)
    assert [one.note.code for one in reading.needing_review] == [code]
    assert not reading.needing_review[0].question.key


def test_sections_give_their_kind_and_stay_out_of_the_stems():
    wording = f"一、单选题（每题2分，共2分）\n1. 甲\n{TWO}答案：A\n二、多选题\n1. 乙\n{TWO}答案：AB\n三、判断题\n1. 丙\n答案：正确\n四、填空题\n1. 首都是____。\n答案：北京\n五、简答题\n1. 简述丁。\n参考答案：\n1. 子；\n2. 丑。\n"
    reading = read(wording)
    assert brief(reading) == ["1 SINGLE A", "1 MULTIPLE AB", "1 JUDGE 对", "1 BLANK 北京", "1 SHORT 1. 子；\n2. 丑。"]
    assert [one.question.stem for one in reading.imported] == ["甲", "乙", "丙", "首都是____。", "简述丁。"]


def test_sections_without_numbers():
    wording = "一、单选题\n甲。【答案：B】\nA. 一\nB. 二\n\n二、多选题\n乙。（ABC）\nA. 一\nB. 二\nC. 三\n三、判断题\n丙。（对）\n丁。（错）\n"
    assert brief(read(wording)) == ["None SINGLE B", "None MULTIPLE ABC", "None JUDGE 对", "None JUDGE 错"]


def test_a_shared_stem_goes_to_its_own_questions_only():
    reading = read(
        f"根据以下材料，回答 1-2 题：\n某县材料。\n\n1. 甲\n{TWO}答案：A\n2. 乙\n{TWO}答案：B\n3. 丙\n{TWO}答案：B\n"
    )
    assert [one.question.stem for one in reading.imported] == ["某县材料。\n甲", "某县材料。\n乙", "丙"]


def test_kinds_that_are_not_sat_are_rejected_by_name():
    reading = read(
        f"一、连线题\n1. 连起来\n{TWO}答案：A\n二、单选题\n1.【匹配题】甲\n答案：ABC\n2.【单选题】乙\n{TWO}答案：B\n"
    )
    assert [(note.code, note.where) for note in reading.rejected] == [
        ("kind_not_sat", "第 2 行"),
        ("kind_not_sat", "第 7 行"),
    ]
    assert reading.found == 3


def test_enumerations_in_stems_answers_and_explanations_open_no_question():
    wording = f"1. 下列说法：\n1. 子\n2. 丑\n正确的是\n{FOUR}答案：C\n解析：1. 先看\n2. 再查\n3. 最后\n2. 简述乙。\n答：（1）子；\n（2）丑。\n3. 丙\n{TWO}答案：A\n"
    assert brief(read(wording)) == ["1 SINGLE C", "2 SHORT （1）子；\n（2）丑。", "3 SINGLE A"]


def test_code_in_stems_is_neither_key_nor_option():
    wording = f"1. if (A) then run() 表示？\n{TWO}答案：B\n2. 语句 A.append(value) 与 A.id, B.name, C.value 的含义是？\n答案：成员访问\n3. 计算\n1.0 + 2.0\n的结果\n答案：3.0\n"
    reading = read(wording)
    assert brief(reading) == ["1 SINGLE B", "2 SHORT 成员访问", "3 SHORT 3.0"]
    assert reading.imported[0].question.stem == "if (A) then run() 表示？"


def test_page_numbers_and_endings_are_left_out():
    reading = read("1. 甲（A）\nA. 一\nB. 二\n第 1 页 共 2 页\nC. 三\n2. 乙（B）\nA. 一\n- 2 -\nB. 二\n考试结束\n")
    assert [one.question.options for one in reading.imported] == [("一", "二", "三"), ("一", "二")]


def test_a_text_without_questions_says_so():
    with pytest.raises(UnreadableFileError, match="没有认出任何题目"):
        read("这是一段文字。\n没有题目。\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
def test_every_usual_encoding_is_read(encoding):
    content = f"1. 行政处罚的种类有（A）\r\n{TWO}".encode(encoding)
    assert text.looks_like(content, "a.txt")
    assert brief(text.read(content, name="a.txt")) == ["1 SINGLE A"]


def test_direction_marks_and_zero_width_signs_are_taken_out():
    question = read(f"1. 甲\u202e乙\u200b丙（A）\n{TWO}").imported[0].question
    assert question.stem == "甲乙丙（ ）"


signs = st.text(
    st.sampled_from("一二甲乙AＡBCD1234567890.．、：:（）()【】答案解析题目选判断\n\t —-~√×_；，。？ abc\u3000"),
    max_size=300,
)


@settings(max_examples=some_of(200), suppress_health_check=[HealthCheck.too_slow])
@given(signs)
def test_no_text_crashes_and_no_key_leaves_its_options(wording):
    try:
        reading = read(wording)
    except UnreadableFileError:
        return
    for one in reading.imported:
        question = one.question
        if question.kind in {Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE}:
            assert question.key
            assert all("ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(letter) < len(question.options) for letter in question.key)
        elif question.kind is Kind.TRUE_FALSE:
            assert question.key in {("A",), ("B",)}


def fixtures():
    root = os.environ.get("EXAMAPP_FIXTURES")
    if not root:
        pytest.skip("EXAMAPP_FIXTURES is not set: the real files are not at hand")
    return Path(root) / "banks"


def number_of(question):
    return int(question.code or 0)


def problems_of(question, wanted):
    """What of a question is not as the regression set expects."""
    given_answer = [answer(question)] if question.kind is Kind.FILL_BLANK else list(question.key)
    if question.kind is Kind.TRUE_FALSE:
        given_answer = [{"A": "正确", "B": "错误"}[letter] for letter in question.key]
    checks = {
        "type": NAMES[question.kind] == wanted.get("type", NAMES[question.kind]),
        "stem": wanted.get("stemContains", "") in question.stem,
        "stem not": not any(wording in question.stem for wording in wanted.get("stemNotContains", [])),
        "options": question.kind is Kind.TRUE_FALSE
        or len(question.options) == wanted.get("optionCount", len(question.options)),
        "texts": list(question.options[: len(wanted.get("options", []))]) == list(wanted.get("options", {}).values()),
        "answer": [one for one in given_answer if one] == wanted.get("answer", [one for one in given_answer if one]),
        "answer text": wanted.get("answerTextContains", "") in "".join(given_answer),
        "analysis": wanted.get("analysisContains", "") in question.explanation,
        "blanks": not wanted.get("blankAnswers")
        or [list(blank) for blank in question.blanks] == wanted["blankAnswers"],
    }
    return [name for name, right in checks.items() if not right]


def test_every_case_of_the_parser_regression_set_is_met():
    root = fixtures() / "shiroha-parser-regression"
    wrong, seen = {}, 0
    for case in json.loads((root / "manifest.json").read_text(encoding="utf-8"))["cases"]:
        sample = root / case.get("sample", case.get("questionSample"))
        if not (root / case["expected"]).exists() or not sample.exists():
            continue
        expected = json.loads((root / case["expected"]).read_text(encoding="utf-8"))["expected"]
        second = (root / case["answerSample"]).read_bytes() if case["mode"] == "dual" else None
        reading = text.read(sample.read_bytes(), name=sample.name, answers=(second, "答案.txt") if second else None)
        everything: list[Any] = [*reading.imported, *reading.needing_review]
        questions = sorted((one.question for one in everything), key=number_of)
        found = [] if len(questions) == expected["questionCount"] == reading.found else ["count"]
        kinds = sorted(NAMES[question.kind] for question in questions)
        if "typeCounts" in expected and kinds != sorted(
            name for name, count in expected["typeCounts"].items() for _ in range(count)
        ):
            found.append("types")
        by_number = {question.code: question for question in questions}
        for wanted in expected.get("questions", []):
            question = by_number.get(wanted["number"])
            found += problems_of(question, wanted) if question else ["missing"]
        forbidden = [*expected.get("mustNotCreateQuestionFrom", []), *expected.get("stemMustNotContain", [])]
        found += [wording for wording in forbidden if any(wording in question.stem for question in questions)]
        seen += 1
        if found:
            wrong[case["id"]] = found
    assert seen > 0
    assert wrong == {}


def records(content):
    """The real bank's records by code: key and options as they stand in the file, read in another way."""
    lines = content.decode("gbk").replace("\r\n", "\n").strip().split("\n")
    found, current = {}, None
    for line in lines:
        first = line.split("\t")[0]
        if first.isdigit() and "\t" in line:
            current = first
            found[current] = line
        elif current:
            found[current] += line
    return {code: line.split("正确答案：")[1][0] for code, line in found.items()}


@pytest.mark.parametrize(
    ("name", "found", "needing_review"),
    [("danxuan_data.txt", 727, 9), ("panduan_data.txt", 1000, 10), ("单选题.docx", 727, 9), ("判断题.docx", 1000, 10)],
)
def test_the_real_bank_is_read_whole_with_its_swapped_items_for_review(name, found, needing_review):
    root = next(fixtures().glob("fanpink*"))
    content = (root / name).read_bytes()
    module = docx if name.endswith(".docx") else text
    reading = module.read(content, name=name)
    assert (reading.found, len(reading.needing_review), reading.rejected, reading.remarks) == (
        found,
        needing_review,
        [],
        [],
    )
    source = "panduan_data.txt" if found == 1000 else "danxuan_data.txt"
    keys = records((root / source).read_bytes())
    assert [one.question.code for one in reading.imported if one.question.key != (keys[one.question.code],)] == []
    codes = {one.note.code for one in reading.needing_review}
    assert codes == ({"swapped_true_false"} if found == 1000 else {"repeated_option"})


def test_a_bank_of_another_name_is_held_against_its_neighbours_too():
    root = next(fixtures().glob("fanpink*"))
    reading = text.read((root / "panduan_data.txt").read_bytes(), name="未命名.txt")
    assert {one.note.code for one in reading.needing_review} == {"swapped_true_false"}
    assert len(reading.needing_review) == 10
