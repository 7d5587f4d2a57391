"""What a question file says is imported whole, imported with a named loss, put on review, or refused: never read wrongly in silence."""

import io
import zipfile
from dataclasses import replace

import pytest

from question_bank.formats.registry import detect, read_file, write_file
from question_bank.model import Citation, Kind, ParseResult, Question

SINGLE = Question(kind=Kind.SINGLE_CHOICE, stem="谁作出决定？", options=("县政府", "乡政府", "村委会"), key=("B",))


def read(text: str, name: str = "题库.txt") -> ParseResult:
    """Read a text as a file of that name."""
    return read_file(text.encode(), name)


def imported(result: ParseResult) -> list[Question]:
    """Return the questions that were imported, without review."""
    return [item.question for item in result.imported]


def test_own_text_keeps_law_version_and_topic_of_each_question():
    laws = [
        Citation(law="行政处罚法", article="第九条", version="2021-01-22"),
        None,
        Citation(law="行政许可法", article="第二条"),
    ]
    questions = [replace(SINGLE, citation=law, tags=(tag,)) for law in laws for tag in ("执法", "任前")]
    found = imported(read_file(write_file(questions, "examtext").content, "题库.txt"))
    assert [(one.citation, one.tags) for one in found] == [(one.citation, one.tags) for one in questions]


def test_own_text_with_an_option_left_out_is_rejected_and_its_key_not_moved():
    result = read("## x-1 单选题\n题干：谁？\nA：甲\nC：丙\nD：丁\n答案：C\n")
    assert imported(result) == [] and [note.code for note in result.rejected] == ["option_missing"]


def test_own_text_reads_tags_and_a_range_as_key():
    (found,) = imported(read("## x-1 多选题\n题干：谁？\nA：甲\nB：乙\nC：丙\nD：丁\n答案：A至C\n标签：新法；重点\n"))
    assert (found.key, found.tags) == (("A", "B", "C"), ("新法", "重点"))


CHOICES = "1. 行政处罚的种类有（ ）\nA. 警告\nB. 罚款\nC. 表扬\n答案：{}\n"


@pytest.mark.parametrize("name", ["案例分析题.txt", "简答题.txt", "填空题.txt", "判断题.txt", "单选题.txt"])
def test_name_of_a_file_does_not_make_choices_questions_of_another_kind(name):
    (found,) = imported(read(CHOICES.format("B"), name))
    assert (found.kind, found.key, found.options) == (Kind.SINGLE_CHOICE, ("B",), ("警告", "罚款", "表扬"))
    (found,) = imported(read("题干,选项A,选项B,选项C,答案\n甲乙丙何为,一,二,三,B\n", name.replace("txt", "csv")))
    assert (found.kind, found.key) == (Kind.SINGLE_CHOICE, ("B",))


def test_name_that_the_content_contradicts_or_leaves_alone_to_decide_is_said():
    result = read("题干,选项A,选项B,答案\n谁,一,二,B\n", "简答题.csv")
    assert [note.code for note in result.imported[0].dropped] == ["kind_by_content"]
    result = read("题干,选项A,选项B,答案\n谁,一,二,B\n", "多选题.csv")
    assert [note.code for note in result.imported[0].dropped] == ["kind_by_name"]
    assert imported(result)[0].kind is Kind.MULTIPLE_CHOICE
    (found,) = imported(read("题干,答案\n应当公开,对\n", "单选题.csv"))
    assert (found.kind, found.key) == (Kind.TRUE_FALSE, ("A",))


def test_heading_does_not_turn_choices_into_short_answers():
    (found,) = imported(read(f"一、简答题\n{CHOICES.format('AB')}"))
    assert (found.kind, found.key) == (Kind.MULTIPLE_CHOICE, ("A", "B"))


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        *((answer, "ABCD") for answer in ("A——D", "A…D", "A……D", "A~D", "A～D", "A--D", "A至D", "A到D", "A──D", "A-D")),
        *((answer, "ABC") for answer in ("A--C", "A——C", "A…C", "A至C")),
        ("A至B、D", "ABD"),
        ("A-B-D", "ABD"),
        ("A-C", None),
        ("A—C", None),
        ("A-C、D", None),
        ("D~A", None),
    ],
)
def test_range_is_a_range_or_put_on_review(answer, key):
    result = read(f"1. 谁\nA. 一\nB. 二\nC. 三\nD. 四\n答案：{answer}\n")
    listed = read(f"1. 谁\nA. 一\nB. 二\nC. 三\nD. 四\n\n2. 谁又\nA. 一\nB. 二\n\n答案\n1. {answer} 2. A\n")
    found = {"".join(question.key) for question in imported(listed) if question.stem == "谁"}
    assert [("".join(question.key)) for question in imported(result)] == ([key] if key else []) and found <= {key}


@pytest.mark.parametrize("answer", ["F", "K", "②", "T", "①②", "6", "B、C", "乙"])
def test_key_of_options_that_were_not_recognised_is_put_on_review(answer):
    result = read(f"1. 下列说法正确的是（ ）\n甲、一\n乙、二\n答案：{answer}\n")
    assert imported(result) == [] and result.needing_review[0].note.code == "options_missing"
    result = read(f"题干,答案\n下列说法正确的是____。甲、一；乙、二,{answer}\n", "题.csv")
    assert imported(result) == [] or answer == "6"


def test_true_and_false_letters_make_a_bank_only_together():
    result = read("题干,答案\n应当公开,T\n可以收费,F\n", "题.csv")
    assert [(question.kind, question.key) for question in imported(result)] == [
        (Kind.TRUE_FALSE, ("A",)),
        (Kind.TRUE_FALSE, ("B",)),
    ]
    assert imported(read("题干,答案\n应当公开,E\n可以收费,F\n", "题.csv")) == []


def choice(number: int, stem: str) -> str:
    """Return the lines of a question with two options and no key."""
    return f"{number}. {stem}\nA. 一\nB. 二\n\n"


KEYS = "答案：\n1.A 2.B 3.A\n"


@pytest.mark.parametrize(
    "heading", ["二、行政许可法", "《行政许可法》", "（二）《行政许可法》（10题）", "第二章 《行政许可法》"]
)
def test_heading_that_names_a_law_is_the_law_of_its_questions_and_no_option_s_end(heading):
    text = f"{choice(1, '甲说')}{heading}\n\n{choice(2, '乙说')}{choice(3, '丙说')}{KEYS}"
    found = imported(read(text))
    assert [one.options for one in found] == [("一", "二")] * 3
    assert [one.citation and one.citation.law for one in found] == [None, "行政许可法", "行政许可法"]
    assert [one.options for one in imported(read(text.replace(f"\n\n{heading}", f"\n{heading}")))] == [("一", "二")] * 3


def test_law_below_a_kind_ends_with_the_next_kind_and_a_law_above_kinds_holds_on():
    kinds = f"一、单选题\n《行政许可法》\n{choice(1, '甲说')}二、多选题\n{choice(2, '乙说')}答案：1.A 2.AB\n"
    assert [(one.kind, one.citation and one.citation.law) for one in imported(read(kinds))] == [
        (Kind.SINGLE_CHOICE, "行政许可法"),
        (Kind.MULTIPLE_CHOICE, None),
    ]
    laws = f"《行政许可法》\n一、单选题\n{choice(1, '甲说')}二、多选题\n{choice(2, '乙说')}答案：1.A 2.AB\n"
    assert {one.citation.law for one in imported(read(laws)) if one.citation} == {"行政许可法"}


def test_text_between_two_questions_is_part_of_neither_and_both_say_so():
    text = f"{choice(1, '甲说')}下面是某县的一起纠纷。\n\n{choice(2, '乙说')}{choice(3, '丙说')}{KEYS}"
    result = read(text)
    assert [one.stem for one in imported(result)] == ["丙说"]
    assert [(one.note.code, one.question.options) for one in result.needing_review] == [
        ("stray_text", ("一", "二"))
    ] * 2
    keyed = text.replace("B. 二\n", "B. 二\n答案：A\n").split("答案：\n")[0]
    assert {one.note.code for one in read(keyed).needing_review} <= {"stray_text"}
    assert all("纠纷" not in one.explanation for one in imported(read(keyed)))


def test_text_that_says_whom_it_serves_goes_to_its_questions():
    text = f"{choice(1, '甲说')}某县有一起纠纷。\n请回答2-3题：\n\n{choice(2, '乙说')}{choice(3, '丙说')}{KEYS}"
    assert [one.stem.startswith("某县有一起纠纷") for one in imported(read(text))] == [False, True, True]


def test_question_without_a_number_is_a_question_of_its_own():
    text = f"{choice(1, '甲说')}谁应当公开\nA. 一\nB. 二\n\n{choice(3, '丙说')}"
    found = read(text)
    assert [one.question.stem for one in found.needing_review] == ["甲说", "谁应当公开", "丙说"]


def test_number_glued_to_a_stem_that_begins_with_digits_is_a_number():
    text = "1.应当公开。（ ）\n2.24小时内应当送达。（√）\n3.18周岁以下不处罚。（×）\n4.对不对。（√）\n"
    result = read(text)
    assert [(one.code, one.key) for one in imported(result)] == [("2", ("A",)), ("3", ("B",)), ("4", ("A",))]
    assert [one.question.stem for one in result.needing_review] == ["应当公开。（ ）"]


def test_decimal_at_the_beginning_of_a_line_is_no_number():
    text = "1. 罚款不得超过\n2.5万元的情形有\nA. 一\nB. 二\n答案：A\n2. 乙说\nA. 一\nB. 二\n答案：B\n"
    assert [one.key for one in imported(read(text))] == [("A",), ("B",)]


def test_number_that_is_left_out_is_said_at_both_neighbours():
    answered = [
        text.replace("B. 二\n", "B. 二\n答案：A\n")
        for text in (choice(1, "甲"), choice(2, "乙"), choice(5, "丙"), choice(6, "丁"), choice(7, "戊"))
    ]
    result = read("".join(answered))
    assert [[note.code for note in one.dropped] for one in result.imported] == [
        [],
        ["number_gap"],
        ["number_gap"],
        [],
        [],
    ]


def test_two_keys_of_a_question_without_options_are_put_on_review():
    result = read("1. 应当公开。\n答案：√\n答案：×\n\n2. 应当收费。\n答案：×\n")
    assert [one.stem for one in imported(result)] == ["应当收费。"] and result.needing_review[0].note.code == "two_keys"


def codes(result: ParseResult) -> list[str]:
    """Return the codes of the reasons for review."""
    return [item.note.code for item in result.needing_review]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("谁决定,县政府,村委会,乡政府决定，并报上一级人民政府备案后才可以施行,A", "long_option"),
        ("谁决定,县政府,乡政府 报上一级人民政府备案后才可以决定施行,村委会,A", "long_option"),
        ('"谁决定\n3. 谁复议",县政府,乡政府,村委会,A', "number_inside"),
        ('谁决定,县政府,"乡政府\n2. 谁复议",村委会,A', "number_inside"),
        ("谁决定,县政府,乡政府 C. 村委会,居委会,A", "letter_inside"),
        ("谁决定,县政府,乡政府C.村委会,居委会,A", "letter_inside"),
        ("谁决定 答案：A,县政府,乡政府,村委会,A", "answer_in_stem"),
    ],
)
def test_what_looks_read_wrongly_is_put_on_review_without_its_key(row, code):
    result = read(f"题干,选项A,选项B,选项C,答案\n{row.replace('，', '、')}\n谁监督,县政府,乡政府,村委会,C\n", "题.csv")
    assert [one.key for one in imported(result)] == [("C",)]
    assert codes(result) == [code] and result.needing_review[0].question.key == ()


def test_enumeration_in_a_stem_and_a_mark_in_texts_need_no_review():
    rows = '"下列说法正确的有\n1. 依法\n2. 公开",只有维生素B,维生素C、D,都不对,A'
    assert codes(read(f"题干,选项A,选项B,选项C,答案\n{rows}\n", "题.csv")) == []


def test_equal_questions_with_different_keys_are_put_on_review_by_the_options_words():
    head = "题干,选项A,选项B,答案\n"
    assert codes(read(f"{head}谁决定,县政府,乡政府,A\n谁决定,乡政府,县政府,B\n", "题.csv")) == []
    assert (
        codes(read(f"{head}谁决定,县政府,乡政府,A\n谁决定,乡政府,县政府,A\n", "题.csv")) == ["same_stem_other_key"] * 2
    )
    assert codes(read(f"{head}谁决定,县政府,乡政府,A\n谁决定,市政府,村委会,B\n", "题.csv")) == []


def test_own_format_is_held_to_its_keys_too():
    block = "## x-{} 判断题\n题干：应当公开。\n答案：{}\n\n"
    assert codes(read(block.format(1, "正确") + block.format(2, "错误"))) == ["same_stem_other_key"] * 2


def packed(parts: dict[str, bytes]) -> bytes:
    """Return a zip of these files, not compressed."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target.getvalue()


def test_what_a_file_is_follows_from_its_parts_not_from_bytes_somewhere_in_it():
    book, document = (write_file([SINGLE], form).content for form in ("excel", "docx"))
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert detect(packed(parts | {"word/embeddings/附件.xlsx": book}), "题库.docx") == "docx"
    package = write_file([SINGLE], "qti-2.1").content
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        items = {name: archive.read(name) for name in archive.namelist()}
    assert detect(packed(items | {"附件.xlsx": book, "附件.docx": document}), "题库.zip") in {"qti", "qti-2.1"}
    assert (detect(book, "a"), detect(document, "a")) == ("excel", "docx")


def test_sign_of_another_family_inside_does_not_hide_the_questions_of_a_file():
    text = "::甲:: 应当公开。{T}\n\n::乙:: 谁？{=县 ~乡}\n\n::丙:: 首都是 {1:SA:=北京} 吗\n"
    result = read(text)
    assert result.format == "gift" and result.found == 3
    assert [one.stem for one in imported(result)][:2] == ["应当公开。", "谁？"]


def test_call_of_a_function_in_a_stem_is_no_blank():
    (found,) = imported(read("题干,题型,答案\n调用clear()后列表长度为____,填空题,0\n", "题.csv"))
    assert (found.kind, found.blanks) == (Kind.FILL_BLANK, (("0",),))


@pytest.mark.parametrize(
    "text",
    [
        "（1）谁决定？\n（A）县政府　　（B）乡政府\n（2）谁复议？\n（A）县政府　　（B）乡政府\n参考答案\n1.A　2.B\n",
        "【第1题】谁决定？\nA，县政府\nB，乡政府\n【答　案】A\n【第2题】谁复议？\nA，县政府\nB，乡政府\n【答　案】B\n",
        "１．谁决定？\nＡ 县政府　　Ｂ 乡政府\n答案∶Ａ\n２．谁复议？\nＡ 县政府　　Ｂ 乡政府\n答案∶Ｂ\n",
        "题型：单选题\n题目：谁决定？\n选项A：县政府\n选项B：乡政府\n答案：A\n\n题型：单选题\n题目：谁复议？\n选项A：县政府\n选项B：乡政府\n答案：B\n",
        "1.谁决定？（单选题）\nA.县政府\nB.乡政府\n答案为：A\n2.谁复议？（单选题）\nA.县政府\nB.乡政府\n答案为：B\n",
        "1、谁决定？\nA、县政府  B、乡政府  [A]\n2、谁复议？\nA、县政府  B、乡政府  [B]\n",
        "1.<单选>谁决定？\nA.县政府\nB.乡政府\n答案：[A]\n2.<单选>谁复议？\nA.县政府\nB.乡政府\n答案：[B]\n",
    ],
)
def test_spellings_of_numbers_options_and_answers_that_offices_use(text):
    found = read_file(text.encode(), "题.txt")
    assert [(one.question.stem.rstrip("（ ）"), one.question.options, one.question.key) for one in found.imported] == [
        ("谁决定？", ("县政府", "乡政府"), ("A",)),
        ("谁复议？", ("县政府", "乡政府"), ("B",)),
    ]


def test_judgement_before_the_number_belongs_to_its_question_and_a_section_without_questions_is_said():
    text = "一、单选题\n1.谁决定？（A）\nA.甲\nB.乙\n二、判断题\n（否）2.2小时内应当录像。\n【√】3.2日内送达决定书。\n"
    found = read_file(text.encode(), "题.txt")
    assert [one.question.key for one in found.imported] == [("A",), ("B",), ("A",)]
    assert found.imported[2].question.stem.startswith("2日内")
    for line in ("应当录像，是吗", "（否）（2）2小时内应当录像。\n【√】3.2日内送达决定书。"):
        left = read_file(f"一、单选题\n1.谁决定？（A）\nA.甲\nB.乙\n二、判断题\n{line}\n".encode(), "题.txt")
        assert [note.code for note in left.remarks] == ["text_left_out"]


def test_key_of_several_letters_in_brackets_begins_no_options():
    text = "1.有【A、B】情形的，从轻处罚\nA、甲\nB、乙\n2.应当【A】。\n（A）警告  （B）罚款  （C）拘留\n"
    found = read_file(text.encode(), "题.txt")
    assert [(one.question.options, one.question.key) for one in found.imported] == [
        (("甲", "乙"), ("A", "B")),
        (("警告", "罚款", "拘留"), ("A",)),
    ]


def test_dash_between_two_letters_needs_review_where_dashes_part_the_letters_of_others():
    rows = "题型,题干,A,B,C,D,答案\n多选题,哪些对？,甲,乙,丙,丁,A-B-D\n多选题,哪些错？,甲,乙,丙,,A-C\n"
    found = read_file(rows.encode(), "题.csv")
    assert [one.note.code for one in found.needing_review] == ["two_readings"] and len(found.imported) == 1


def test_numbers_that_begin_every_stem_of_a_table_are_no_part_of_it():
    rows = "题型,题干,A,B,答案\n单选题,1、谁决定？,甲,乙,A\n单选题,2、24小时内谁到场？,甲,乙,B\n单选题,3、谁复议？,甲,乙,A\n"
    found = read_file(rows.encode(), "题.csv")
    assert [one.question.stem for one in found.imported] == ["谁决定？", "24小时内谁到场？", "谁复议？"]
    rows = rows.replace("2、", "").replace("3、", "")
    assert read_file(rows.encode(), "题.csv").imported[0].question.stem == "1、谁决定？"
