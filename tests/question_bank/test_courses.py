"""The shipped courses: whole, of a readable length, with cases and charts, every cited article and number there in the cited version, and enough questions."""

from __future__ import annotations

import csv
import re

import pytest

from question_bank import coursetext
from question_bank.coursetext import UnreadableCourseError, read_course, read_courses

COURSES = read_courses()
BANK = [path.read_text("utf-8") for path in sorted((coursetext.FOLDER.parent / "content").glob("*.txt"))]
_MARKUP = re.compile(r"```|[*|#>\-\s]")
_LABEL = "第[零一二三四五六七八九十百千]+条(?:之[一二三四五六七八九十]+)?"
_ARTICLE = re.compile(rf"^({_LABEL})[\s　]+(.*?)(?=^{_LABEL}[\s　]|\Z)", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"[零一二三四五六七八九十百千万]+(?:个月|日|年|元|倍|周岁|小时|公顷|分之[一二三四五六七八九十]+)")
"""Deadlines, sums, shares and ages, as the laws write them."""
_CONSOLIDATED = {"刑法": "刑法修正案（十二）"}
"""Laws whose text in force is at hand with its amendments worked in, by the amendment that gave it its version."""


def test_there_are_at_least_thirty_courses_each_on_another_law_the_constitution_first():
    assert len(COURSES) >= 30
    assert COURSES[0].law == "宪法"
    assert len({course.law for course in COURSES}) == len(COURSES)
    assert len({course.title for course in COURSES}) == len(COURSES)


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.law)
def test_a_course_has_three_to_six_chapters_of_a_readable_length_each_with_an_invented_case_and_a_chart_in_all(course):
    assert 3 <= len(course.chapters) <= 6
    lengths = {chapter.title: len(_MARKUP.sub("", chapter.text)) for chapter in course.chapters}
    assert all(1200 <= length <= 2500 for length in lengths.values()), lengths
    for chapter in course.chapters:
        assert chapter.text.count("**以案释法（虚构案例）**") == 1, chapter.title
        assert "**该做的**" in chapter.text, chapter.title
        assert "**不该做的**" in chapter.text, chapter.title
    assert any("```\n流程图：" in chapter.text for chapter in course.chapters)
    assert course.summary
    assert course.credits > 0


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.law)
def test_every_exercise_draws_eight_of_at_least_twenty_shipped_questions_in_the_version_that_is_taught(course):
    texts = [text for text in BANK if f"@law {course.law}\n" in text]
    assert texts
    assert all(f"@version {course.version_on.isoformat()}\n" in text for text in texts)
    kinds = [kind for text in texts for kind in re.findall(r"^## \S+ (\S+题)", text, re.MULTILINE)]
    drawable = len([kind for kind in kinds if kind != "简答题"])
    for chapter in course.chapters:
        assert 8 <= chapter.exercise_count <= 10
        assert 0 < chapter.pass_count <= chapter.exercise_count
        assert drawable >= 20, "exercises draw anew: so many are wanted that a second try differs"


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.law)
def test_every_cited_article_exists_in_a_version_in_force_and_holds_the_numbers_of_its_chapter(course, laws_folder):
    with (laws_folder / "STATUS.tsv").open(encoding="utf-8") as file:
        rows = {row["law"]: row for row in csv.DictReader(file, delimiter="\t")}
    whole = f"{course.law}({course.version_on})"
    row = rows.get(whole) or rows[_CONSOLIDATED.get(course.law, course.law)]
    assert row["in_force_24_Nov_2026"].startswith("yes")
    assert not row["version_in_file"] or row["version_in_file"] == course.version_on.isoformat()
    paths = [*laws_folder.glob(f"*/{whole}.*"), *laws_folder.glob(f"lawrefbook-md/{course.law}.md")]
    known = max((dict(_ARTICLE.findall(path.read_text("utf-8"))) for path in paths), key=len)
    for chapter in course.chapters:
        assert len(set(chapter.articles)) == len(chapter.articles)
        missing = [label for label in chapter.articles if label not in known]
        assert not missing, f"{chapter.title}: {missing}"
        cited = "".join(known[label] for label in chapter.articles)
        tables = "".join(line for line in chapter.text.splitlines() if line.startswith("|"))
        numbers = set(_NUMBER.findall(tables))
        assert not [number for number in numbers if number not in cited], chapter.title


def test_a_file_that_does_not_keep_the_form_is_named():
    with pytest.raises(UnreadableCourseError, match=r"甲\.md"):
        read_course("# 甲\n法律：宪法\n版本：2018-03-11\n学分：1\n简介：一\n\n## 一章\n没有依据\n", "甲.md")
    with pytest.raises(UnreadableCourseError, match=r"乙\.md"):
        read_course("# 乙\n法律：宪法\n版本：昨天\n学分：1\n简介：一\n", "乙.md")
