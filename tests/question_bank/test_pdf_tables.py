"""Headers of two pages, and tables of PDF files with rules and without."""

from examapp.documents.pdf_pages import PageText
from examapp.documents.pdf_tables import PdfGlyph, Rule, TextSpan, lines_of, take_tables, text_of
from question_bank.formats.pdf_text import read_pages


def glyphs(text, left, y, size=10.0):
    return [PdfGlyph(sign, left + size * at, left + size * (at + 1), y, size) for at, sign in enumerate(text)]


def test_header_of_two_pages_is_no_part_of_the_option_above_it():
    first = PageText(["某县学法用法", "1. 谁决定？", "A. 县政府", "B. 乡政府", "- 1 -"])
    second = PageText(["某县学法用法", "C. 村委会", "答案：A", "2. 谁复核？", "A. 甲", "B. 乙", "答案：B", "- 2 -"])
    reading = read_pages([first, second], name="题.pdf")
    assert [one.question.options for one in reading.imported] == [("县政府", "乡政府", "村委会"), ("甲", "乙")]


def test_first_line_of_a_page_that_may_be_a_header_requires_review():
    first = PageText(["1. 谁来决定这一件很重要的事情？", "A. 县政府", "B. 乡政府"])
    second = PageText(["内部资料", "答案：A", "2. 谁复核？", "A. 甲", "B. 乙", "答案：B"])
    reading = read_pages([first, second], name="题.pdf")
    assert [one.question.stem for one in reading.imported] == ["谁复核？"]
    assert "可能是页眉" in reading.needing_review[0].note.reason


def test_equal_answers_at_the_top_of_pages_are_no_header():
    pages = [
        PageText([*(["答案：A"] if at else []), f"{at + 1}. 第{at + 1}题谁决定？", "A. 甲", "B. 乙"]) for at in range(4)
    ]
    pages.append(PageText(["答案：A"]))
    assert [one.question.key for one in read_pages(pages, name="题.pdf").imported] == [("A",)] * 4


def test_signs_of_a_line_stand_as_they_are_seen_whatever_order_they_are_written_in():
    line = [*glyphs("“", 0, 100), *glyphs("”", 40, 100), *glyphs("谁执法", 10, 100), *glyphs("甲", 70, 100)]
    assert [text_of(one) for one in lines_of(line)] == ["“谁执法”  甲"]


def ruled(rows, columns, bottoms, cells):
    rules = [Rule(x, bottoms[-1], x, bottoms[0]) for x in columns]
    rules += [Rule(columns[0], y, columns[-1], y) for y in bottoms]
    return take_tables([glyph for text, left, y in cells for glyph in glyphs(text, left, y)] + rows, rules)


def test_ruled_table_is_read_by_its_cells_over_pages():
    columns = (0.0, 40.0, 200.0, 300.0)
    outside = glyphs("题库", 0, 400)
    _, first = ruled(outside, columns, (360, 340, 300), [("序号", 5, 345), ("题目", 45, 345), ("答案", 205, 345), ("1", 5, 325), ("国家的权力属于人民，对", 45, 325), ("不对？", 45, 310), ("对", 205, 325)])  # fmt: skip
    left, second = ruled([], columns, (760, 740, 720), [("还是错？", 45, 745), ("2", 5, 725), ("法律可以溯及既往。", 45, 725), ("错", 205, 725)])  # fmt: skip
    assert not left and first[0].rows[1] == ["1", "国家的权力属于人民，对\n不对？", "对"]
    first[0].line = 1
    reading = read_pages([PageText(["题库"], tables=first), PageText(tables=second)], name="题.pdf")
    assert [(one.question.stem, one.question.key) for one in reading.imported] == [
        ("国家的权力属于人民，对\n不对？还是错？", ("A",)),
        ("法律可以溯及既往。", ("B",)),
    ]


def test_table_without_rules_is_read_below_its_head():
    head = [TextSpan("序号", 0, 20, 700), TextSpan("题目", 50, 70, 700), TextSpan("答案", 200, 220, 700)]
    rows = [
        [TextSpan("1", 0, 6, 680), TextSpan("国家的一切权力属于", 50, 180, 680)],
        [TextSpan("人民。", 50, 80, 660)],
        [TextSpan("√", 200, 210, 680)],
        [TextSpan("2", 0, 6, 640), TextSpan("法律一律溯及既往。", 50, 180, 640)],
        [TextSpan("×", 200, 210, 640)],
    ]
    spans = [head, *rows]
    page = PageText(["  ".join(one.text for one in line) for line in spans], is_ordered=False, spans=spans)
    reading = read_pages([page], name="题.pdf")
    assert [(one.question.stem, one.question.key) for one in reading.imported] == [
        ("国家的一切权力属于人民。", ("A",)),
        ("法律一律溯及既往。", ("B",)),
    ]
