"""Exams that are sat and graded: right answers, wrong keys, and their correction."""

from __future__ import annotations

from sqlalchemy import text

from examapp.content.blueprints.queries import get_paper, items_of
from examapp.content.questions.models import AnswerKey, BankQuestion, QuestionVersion
from examapp.delivery.attempts.models import Attempt
from examapp.delivery.grading import tasks as grading_tasks
from examapp.delivery.grading.models import Correction
from examapp.delivery.grading.queries import newest_keys
from examapp.delivery.grading.rules import shown_key
from question_bank.kinds.registry import kind_of
from tests.attempts.candidate_clients import CandidateClient
from tests.conftest import NOON


def right_answers(world, candidate_client):
    """Read the keys from the database, as the candidate cannot, in the letters this person sees."""

    attempt = world.session.get(Attempt, candidate_client.attempt["id"])
    items = items_of(get_paper(world.session, attempt.paper_id))
    keys = newest_keys(world.session, [item.version_id for item in items])
    return [(item.item, 100 + item.item, right_response(item, keys[item.version_id])) for item in items]


def let_rows_change(session, table):
    """Take the guard off what grades are made of, for what a test makes up; the rollback puts it on again."""
    session.flush()
    session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER reject_change"))


def right_response(item, key):
    """The right response in the letters that the person sees."""
    shown = shown_key(key, item.part, kind_of(item.kind), order=item.order, points=str(item.points))
    return list(shown.key) or [variants[0] for variants in shown.blanks]


def take_exam(world, exam, *, right, unit=None, by=None):
    """Somebody who answers the items whose key is this letter, the rest not at all; by the keys of now, or by other ones of some versions."""
    candidate_client = CandidateClient(world, exam, world.person(unit))
    candidate_client.start()
    attempt = world.session.get(Attempt, candidate_client.attempt["id"])
    items = items_of(get_paper(world.session, attempt.paper_id))
    keys = newest_keys(world.session, [item.version_id for item in items]) | (by or {})
    for item in items:
        if keys[item.version_id].parts[0]["key"] == [right]:
            candidate_client.save((item.item, 1, right_response(item, keys[item.version_id])))
    candidate_client.hand_in()
    grading_tasks.sweep_once()
    return candidate_client


def applied_correction(world, exam, *, at):
    """A correction of an exam's rules as it stands once it was applied; the grades that it made are the test's."""
    exam.result_version += 1
    people = [world.admin("publicity_office").id for _ in range(2)]
    return world.save(
        Correction(
            kind="rules", change={}, exam_ids=[exam.id], reason="理由", public_reason="", is_published=False, fingerprint="", summary={},
            attempt_ids=[], state="applied", asked_by_id=people[0], approved_by_id=people[1], asked_at=at, decided_at=at,
        )
    )  # fmt: skip


def wrong_question(world):
    """The question whose key says A, where B would be right."""
    (row,) = [row for row in world.session.query(BankQuestion) if key_of(world, row) == ["A"]]
    world.session.get(QuestionVersion, row.current_version_id).used_at = NOON
    world.session.flush()
    return row


def key_of(world, question):
    keys = world.session.query(AnswerKey).filter_by(question_version_id=question.current_version_id)
    return keys.order_by(AnswerKey.number.desc()).first().parts[0]["key"]


def ask_correction(client, address, form):
    """Try a correction out on its page and ask for it; gives what the dry run said, and the correction's page."""
    tried = client.post(address, data=form)
    assert tried.status_code == 200 and "试算结果" in tried.text, tried.text
    made = client.post(address, data={**form, "ask": "1", "fingerprint": fingerprint_in(tried.text)})
    assert made.status_code == 302, made.text
    return tried.text, made.headers["Location"]


def fingerprint_in(page):
    return page.split('name="fingerprint"')[1].split('value="')[1].split('"')[0]


def correct(offices, question, *exams, letter="B"):
    """Let three of the office correct the key of a used question, in these exams or in the bank alone."""
    form = {"treatment": "key", "key-key": letter, "exam_ids": [exam.id for exam in exams], "reason": "条文为准"}
    _, page = ask_correction(offices[0], f"/admin/corrections/questions/{question.id}", form)
    offices[1].post(f"{page}/check")
    assert "已全部更正" in offices[2].post(f"{page}/approve", follow_redirects=True).text
    return page


def press(client, request, act="approve"):
    return client.post(f"/admin/approvals/{request.id}/{act}", follow_redirects=True).text
