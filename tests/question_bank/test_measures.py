"""What a machine holds of a whole bank."""

from datetime import date
from pathlib import Path

from question_bank.guessing import MODEL, MODEL_SWAPPED, guess_answers, share_of_absolute_terms
from question_bank.model import Kind, Question
from question_bank.quality import measure_bank

CONTENT = Path(__file__).parents[2] / "question_bank" / "content"
TODAY = date(2026, 11, 24)
QUESTION = (
    "@law 测试法\n@version 2021-01-22\n@effective {effective}\n@topic 行政法\n\n## cs-001 单选题 易\n条文：第一条\n知识点：测试\n"
    "题干：县里由谁作出决定？\nA：甲\nB：乙\nC：丙\nD：丁\n答案：A\n解析：见第一条。\n"
)


def measured(folder, **fields):
    return {each.name: each for each in measure_bank(folder, today=TODAY, **fields)}


def test_bank_that_ships_is_as_it_should_be():
    found = measured(CONTENT)
    assert [str(each) for each in found.values() if not each.is_good] == []
    assert {
        "题量",
        "法律",
        "题型比例",
        "三级难度",
        "专门题组",
        "答案不可猜",
        "多选题正确个数不固定",
        "多选题有错误选项",
        "数字选项按大小排列",
        "绝对化用语不露底",
        "按规则猜题",
        "按字词模型猜题",
        "没有近似题",
        "复核记录",
        "法律已经施行",
    } <= found.keys()


def test_law_not_yet_in_force_a_missing_record_and_an_old_version_are_found(tmp_path):
    (tmp_path / "测试法.txt").write_text(QUESTION.format(effective="2027-01-01"), "utf-8")
    (tmp_path / "测试法2.txt").write_text(QUESTION.format(effective="2021-07-15").replace("cs-001", "cs-002"), "utf-8")
    (tmp_path / "reviews").mkdir()
    record = "编号\t日期\t结论\t说明\ncs-002\t2026-11-24\t通过\t命题者本人第二遍\n"
    (tmp_path / "reviews" / "测试法.tsv").write_text(record, "utf-8")
    laws = tmp_path / "laws"
    laws.mkdir()
    (laws / "STATUS.tsv").write_text(
        "law\tversion_in_file\tin_force_24_Nov_2026\n测试法\t2021-01-22\tNO (superseded)\n测试法\t2025-01-01\tyes\n",
        "utf-8",
    )
    found = measured(tmp_path, laws=laws)
    assert not found["法律已经施行"].is_good and "2027-01-01" in found["法律已经施行"].text
    assert not found["复核记录"].is_good and "cs-001" in found["复核记录"].text
    assert not found["没有近似题"].is_good and not found["版本现行有效"].is_good
    assert found["编号不重复"].is_good and "不评" in found["题量"].text


def test_mix_of_kinds_difficulties_and_keys_is_measured(tmp_path):
    head, block = QUESTION.format(effective="2021-07-15").split("## ")
    blocks = [
        "## "
        + block.replace("cs-001", f"cs-{n:03d}").replace(
            "县里由谁作出决定", f"第{n}件事在第{n * 7}号文里由谁管第{n * 13}项"
        )
        for n in range(220)
    ]
    (tmp_path / "测试法.txt").write_text(head + "\n".join(blocks), "utf-8")
    bad = {name for name, each in measured(tmp_path).items() if not each.is_good}
    assert {"题量", "法律", "题型比例", "三级难度", "答案不可猜"} <= bad


def test_numbers_stand_in_order_and_multiple_choices_have_a_false_option(tmp_path):
    head, block = QUESTION.format(effective="2021-07-15").split("## ")
    block = block.replace("甲", "甲机关").replace("乙", "乙机关")
    blocks = ["## " + block.replace("cs-001", f"cs-{n:03d}").replace("县里由谁", f"第{n}件事由谁") for n in range(220)]

    def is_good(measure, *extra):
        (tmp_path / "测试法.txt").write_text(head + "\n".join((*blocks, *extra)), "utf-8")
        return measured(tmp_path)[measure].is_good

    numbers = "## cs-901 单选题 易\n条文：第二条\n知识点：期限\n题干：最长多久？\nA：{}\nB：{}\nC：百分之五\nD：百分之十\n答案：A\n解析：见第二条。\n"
    assert is_good("数字选项按大小排列", numbers.format("万分之五", "千分之五"))
    assert not is_good("数字选项按大小排列", numbers.format("千分之五", "万分之五"))
    several = "## cs-902 多选题 易\n条文：第二条\n知识点：机关\n题干：哪些机关？\nA：甲机关\nB：乙机关\n答案：{}\n解析：见第二条。\n"
    assert not is_good("多选题有错误选项", several.format("AB"))


def test_second_reading_by_the_author_is_told_apart(tmp_path):
    (tmp_path / "测试法.txt").write_text(QUESTION.format(effective="2021-07-15"), "utf-8")
    (tmp_path / "reviews").mkdir()
    record = "编号\t日期\t结论\t说明\ncs-001\t2026-11-24\t通过\t{}\n"
    (tmp_path / "reviews" / "测试法.tsv").write_text(record.format("命题者本人第二遍"), "utf-8")
    own = measured(tmp_path)["复核记录"]
    assert own.is_good and "1 题是命题者本人读第二遍" in own.text
    (tmp_path / "reviews" / "测试法.tsv").write_text(record.format(""), "utf-8")
    assert "命题者本人" not in measured(tmp_path)["复核记录"].text


def test_tells_are_found_by_rule_and_by_model_and_an_even_bank_has_none():
    def singles(right, wrong):
        return [
            Question(kind=Kind.SINGLE_CHOICE, stem=f"第{n}件事怎样办", options=(f"{right}{n}", *(f"{wrong}{n}{x}" for x in "甲乙丙")), key=("A",))
            for n in range(300)
        ]  # fmt: skip

    def excess(parts, name):
        return next(guess.excess for guess in guess_answers(parts) if guess.rule == name)

    guessable = singles("由主管机关决定", "一律由乡镇")
    assert excess(guessable, MODEL_SWAPPED) > 70
    assert (
        excess(guessable, "避开绝对化用语") > 70 and excess(guessable, "选最长") > 0 and excess(guessable, MODEL) > 70
    )
    assert share_of_absolute_terms(guessable, Kind.SINGLE_CHOICE, right=False) == 1
    assert share_of_absolute_terms(guessable, Kind.SINGLE_CHOICE, right=True) == 0
    even = singles("由主管机关", "由主管机关")
    assert excess(even, "避开绝对化用语") == 0
