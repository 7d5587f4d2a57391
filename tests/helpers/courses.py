"""Courses: rows, the form's fields, and what a learner does in one."""

from __future__ import annotations

from decimal import Decimal

from examapp import clock
from examapp.learning.courses.models import Chapter, Course, PracticeItem
from tests.helpers.forms import post

COURSE = {
    "title": "宪法学习",
    "summary": "",
    "year": "2026",
    "is_required": "y",
    "credits": "20",
    "due_on": "2026-12-01",
    "unit_id": "",
}


CHAPTER = {
    "position": "1",
    "title": "第一章",
    "body": "第一页的话\n\n---\n\n第二页的话",
    "law": "",
    "topic": "",
    "exercise_count": "2",
    "pass_count": "2",
}


def course(world, *, chapters=1, state="published", unit=None, **fields):
    """Make a course of chapters of two pages each with an exercise."""
    now = clock.now()
    row = world.save(
        Course(
            title="宪法学习",
            year=2026,
            credits=Decimal(20),
            unit_id=unit.id if unit else None,
            state=state,
            created_at=now,
            updated_at=now,
            **fields,
        )
    )
    for number in range(1, chapters + 1):
        row.chapters.append(
            Chapter(
                position=number, title=f"第{number}章", body="<p>甲</p><hr><p>乙</p>", exercise_count=2, pass_count=2
            )
        )
    world.session.flush()
    return row


def bank(world, count=6):
    """Make questions whose key is A."""
    for _ in range(count):
        world.question(key=("A",))


def read(client, chapter):
    """Read both pages of a chapter."""
    for page in (1, 2):
        assert client.get(f"/study/chapters/{chapter.id}?page={page}").status_code == 200


def begin(client, chapter):
    """Begin the exercise of a chapter."""
    return post(client, f"/study/chapters/{chapter.id}/exercise", page="/practice/")


def take_exam(client, session, run_path, *, right=True):
    """Answer all items of an exercise or practice; gives the page of its result."""
    while True:
        answer = client.get(run_path)
        if answer.status_code == 200:
            return answer.get_data(as_text=True)
        item = session.get(PracticeItem, int(answer.location.rsplit("/", 1)[1]))
        shown_right = "ABCD"[item.order.index("A")]
        wrong = next(letter for letter in "ABCD" if letter != shown_right)
        assert post(client, answer.location, {"response": shown_right if right else wrong}).status_code == 302
