"""The shipped courses: whole, of a readable length, every cited article there in the cited version, and enough questions for each exercise."""

from __future__ import annotations

import csv
import re
from collections import Counter

import pytest

from question_bank import coursetext
from question_bank.coursetext import UnreadableCourseError, read_course, read_courses

COURSES = read_courses()
CONTENT = coursetext.FOLDER.parent / "content"
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_ARTICLE = re.compile(r"^(第[零一二三四五六七八九十百千]+条(?:之[一二三四五六七八九十]+)?)[\s　]", re.MULTILINE)


def test_there_are_at_least_twelve_courses_each_on_another_law():
    assert len(COURSES) >= 12
    assert len({course.law for course in COURSES}) == len(COURSES)
    assert len({course.title for course in COURSES}) == len(COURSES)


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.law)
def test_a_course_has_three_to_six_chapters_of_a_readable_length_and_one_invented_case(course):
    assert 3 <= len(course.chapters) <= 6
    lengths = {chapter.title: len(_CHINESE.findall(chapter.text)) for chapter in course.chapters}
    assert all(260 <= length <= 700 for length in lengths.values()), lengths
    cases = sum(chapter.text.count("**以案释法（虚构案例）**") for chapter in course.chapters)
    assert cases == 1
    assert course.summary
    assert course.credits > 0


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.law)
def test_every_exercise_finds_enough_shipped_questions_of_its_law_in_the_version_that_is_taught(course):
    text = (CONTENT / f"{course.law}.txt").read_text("utf-8")
    assert f"@version {course.version_on.isoformat()}" in text, "course and questions stand on one version"
    kinds = Counter(re.findall(r"^## \S+ (\S+题)", text, re.MULTILINE))
    drawable = sum(count for kind, count in kinds.items() if kind != "简答题")
    for chapter in course.chapters:
        assert 0 < chapter.pass_count <= chapter.exercise_count <= 10
        assert drawable >= 4 * chapter.exercise_count, (
            "exercises draw anew: so many are wanted that a second try differs"
        )


@pytest.mark.parametrize("course", COURSES, ids=lambda course: course.law)
def test_every_cited_article_exists_in_the_cited_version_and_that_version_is_in_force(course, laws_folder):
    with (laws_folder / "STATUS.tsv").open(encoding="utf-8") as file:
        row = next(row for row in csv.DictReader(file, delimiter="\t") if row["law"] == course.law)
    assert row["version_in_file"] == course.version_on.isoformat()
    assert row["in_force_24_Nov_2026"].startswith("yes")
    text = next(laws_folder.glob(f"*/{course.law}({course.version_on}).txt")).read_text("utf-8")
    known = set(_ARTICLE.findall(text))
    for chapter in course.chapters:
        assert len(set(chapter.articles)) == len(chapter.articles)
        missing = [label for label in chapter.articles if label not in known]
        assert not missing, f"{chapter.title}: {missing}"


def test_a_file_that_does_not_keep_the_form_is_named():
    with pytest.raises(UnreadableCourseError, match=r"甲\.md"):
        read_course("# 甲\n法律：宪法\n版本：2018-03-11\n学分：1\n简介：一\n\n## 一章\n没有依据\n", "甲.md")
    with pytest.raises(UnreadableCourseError, match=r"乙\.md"):
        read_course("# 乙\n法律：宪法\n版本：昨天\n学分：1\n简介：一\n", "乙.md")
