"""A candidate at an exam, as tests see one: a client of the protocol."""

from __future__ import annotations

import hashlib
import json

from question_bank.model import Kind

KINDS = (
    (Kind.SINGLE_CHOICE, 2, "2"),
    (Kind.MULTIPLE_CHOICE, 1, "3"),
    (Kind.TRUE_FALSE, 1, "1"),
    (Kind.FILL_BLANK, 1, "4"),
)
"""The paper of these tests: items 1 and 2 single, 3 multiple, 4 true/false, 5 fill-in with one blank; twelve points."""


def make_bank(world) -> None:
    for key in ("A", "B", "C"):
        world.question(Kind.SINGLE_CHOICE, key=(key,))
    world.question(Kind.MULTIPLE_CHOICE, key=("A", "C"))
    world.question(Kind.TRUE_FALSE, key=("B",))
    world.question(Kind.FILL_BLANK)


class CandidateClient:
    """Somebody who sits an exam over HTTP."""

    def __init__(self, world, exam, person) -> None:
        self.person = person
        self.exam, self.exam_id = exam, exam.id
        self.api = world.api(person)

    def start(self):
        answer = self.api.post(f"/api/v1/exams/{self.exam_id}/attempts")
        self.attempt = answer.get_json()
        return answer

    def url(self, rest: str = "") -> str:
        return f"/api/v1/attempts/{self.attempt['id']}{rest}"

    def save(self, *changes, epoch=1):
        body = {
            "epoch": epoch,
            "changes": [{"item": item, "seq": seq, "response": response} for item, seq, response in changes],
        }
        return self.api.put(self.url("/answers"), json=body)

    def hand_in(self, *answers, epoch=1):
        body = {
            "epoch": epoch,
            "answers": [{"item": item, "seq": seq, "response": response} for item, seq, response in answers],
        }
        return self.api.post(self.url("/submission"), json=body)

    def look(self):
        return self.api.get(self.url()).get_json()

    def answers(self):
        return {entry["item"]: entry["response"] for entry in self.look()["answers"]}

    def paper(self):
        return self.api.get(self.url("/paper")).get_json()

    def result(self):
        return self.api.get(self.url("/result"))


def make_exam_with_candidates(world, **exam_fields) -> CandidateClient:
    """Somebody who has started an exam of five items."""
    make_bank(world)
    exam = world.exam(world.blueprint(KINDS), **exam_fields)
    candidate_client = CandidateClient(world, exam, world.person())
    candidate_client.start()
    return candidate_client


def sheet_digest(attempt_id: int, answered: list) -> str:
    text = json.dumps({"attempt": attempt_id, "answers": answered}, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
