"""Practice questions and what units do not know."""

from __future__ import annotations

from functools import partial

from examapp.learning.courses.models import PracticeItem
from examapp.learning.spaced_repetition.models import UnitWeakness
from tests.helpers import forms

post = partial(forms.post, page="/practice/")


def weakness(world, exam, unit, *, name="监察法", kind="law", right, candidate_count=5):
    """Store how many answers of a unit's candidates to a law or knowledge point were right."""
    world.save(
        UnitWeakness(
            exam_id=exam.id,
            unit_id=unit.id,
            kind=kind,
            name=name,
            candidate_count=candidate_count,
            asked=10,
            right_count=right,
        )
    )


def draw(client, session, **wanted):
    """Draw a practice question; gives the item and its address."""
    answer = post(client, "/practice/", wanted)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return session.get(PracticeItem, int(answer.location.rsplit("/", 1)[1])), answer.location


def right_response(item, key):
    """Give the letters under which the key's options are shown in this item."""
    return sorted("ABCDEFGH"[item.order.index(letter)] for letter in key)
