"""Papers are frozen, rendered without a key, and made in bulk."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from examapp import clock
from examapp.content.blueprints.actions import make_paper, make_papers
from examapp.content.blueprints.models import Paper
from examapp.content.blueprints.queries import get_paper, items_of, load_pool, option_order, render_paper
from examapp.content.blueprints.rules import BankTooSmallError
from examapp.content.questions.models import QuestionVersion
from examapp.errors import NotFoundError
from question_bank.model import Kind


def _bank(world):
    for _ in range(4):
        world.question()
        world.question(Kind.MULTIPLE_CHOICE, key=("A", "B"), options=5)
    world.question(Kind.TRUE_FALSE, key=("B",))
    world.question(Kind.FILL_BLANK, blanks=(("三十日",), ("六十日",)))
    world.question(Kind.CASE, parts=[(Kind.SINGLE_CHOICE, ("A",), 4), (Kind.TRUE_FALSE, ("A",), 2)])
    return world.blueprint(
        (
            (Kind.SINGLE_CHOICE, 2, "2"),
            (Kind.MULTIPLE_CHOICE, 3, "1.5"),
            (Kind.TRUE_FALSE, 1, "1"),
            (Kind.FILL_BLANK, 1, "3"),
            (Kind.CASE, 1, "2.5"),
        )
    )


def test_a_stored_paper_is_rendered_as_the_protocol_writes_it_and_shows_no_key(world, session, statements):
    blueprint = _bank(world)
    paper = make_paper(session, blueprint=blueprint, seed=7, now=clock.now())
    with statements() as first:
        shown = render_paper(session, paper)
    with statements() as again:
        assert render_paper(session, paper) == shown
    assert (len(first), len(again)) == (1, 0)
    items = [item for section in shown["sections"] for item in section["items"]]
    assert [item["item"] for item in items] == list(range(1, 10))
    assert paper.total_points == 2 * 2 + 3 * 1.5 + 1 + 3 + 2 * 2.5
    assert paper.response_schema == "S41S41M55M55M55T21B02S41T21"
    assert [item["blanks"] for item in items] == [None] * 6 + [2, None, None]
    assert {item["material"] for item in items[-2:]} == {"材料"}
    assert [[option["text"] for option in items[i]["options"]] for i in (5, 8)] == [["正确", "错误"]] * 2
    assert items[2]["points"] == "1.50"
    text = json.dumps(shown, ensure_ascii=False)
    assert "理由" not in text
    assert not any(word in text for word in ('"explanation"', "三十日", "version"))


def test_display_keys_lead_back_to_the_stored_options(world, session):
    paper = make_paper(session, blueprint=_bank(world), seed=3, now=clock.now())
    shown = [item for section in render_paper(session, paper)["sections"] for item in section["items"]]
    for item, seen in zip(items_of(paper), shown, strict=True):
        stored = session.get(QuestionVersion, item.version_id).content["parts"][item.part]["options"]
        letters = option_order(item)
        assert [option["text"] for option in seen["options"]] == [
            stored["ABCDE".index(letters[o["key"]])] for o in seen["options"]
        ]


def test_papers_made_in_bulk_come_in_the_order_of_their_seeds_in_few_statements(world, session, statements):
    blueprint = _bank(world)
    with statements() as seen:
        ids = make_papers(session, blueprint=blueprint, seeds=[11, 12, 13, 11], now=clock.now())
    assert len(seen) <= 4
    papers = [session.get(Paper, paper_id) for paper_id in ids]
    assert papers[0].sections == papers[3].sections != papers[1].sections
    used = session.scalars(select(QuestionVersion.id).where(QuestionVersion.used_at.is_not(None))).all()
    assert set(used) == {item.version_id for paper in papers for item in items_of(paper)}


def test_only_active_questions_are_drawn(world, session):
    for state in ("draft", "reviewed", "retired"):
        world.question(state=state)
    blueprint = world.blueprint(((Kind.SINGLE_CHOICE, 1, "1"),))
    with pytest.raises(BankTooSmallError):
        make_paper(session, blueprint=blueprint, seed=1, now=clock.now())
    world.question()
    assert make_paper(session, blueprint=blueprint, seed=1, now=clock.now()).response_schema == "S41"


def test_filters_cut_the_pool(world, session):
    wanted = world.question(law="民法典", topic="民法", difficulty="hard", knowledge_points=("合同",))
    for fields in ({"law": "刑法"}, {"law": "民法典", "topic": "别的"}, {"law": "民法典", "topic": "民法"}):
        world.question(**fields)
    blueprint = world.blueprint(((Kind.SINGLE_CHOICE, 1, "1"),))
    section = blueprint.sections[0]
    section.laws, section.topics, section.knowledge_points, section.difficulties = (
        ["民法典"],
        ["民法"],
        ["合同"],
        {"hard": 1},
    )
    (group,) = load_pool(session, blueprint).groups
    assert [question.question_id for question in group.candidates] == [wanted.id]


def test_a_paper_that_is_not_there_is_not_found(session):
    with pytest.raises(NotFoundError):
        get_paper(session, 10**9)
