"""The protocol under loss, kills, doubling, reordering, reloads, device changes, clock jumps, conflicts and sweeps, against a model in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from examapp.delivery.attempts.models import AnswerChange
from examapp.delivery.grading import tasks as grading_tasks
from examapp.delivery.grading.models import Grade
from tests.attempts.candidate_clients import KINDS, CandidateClient, make_bank
from tests.conftest import NOON

DEADLINE = NOON + timedelta(hours=1)
GRACE = timedelta(seconds=60)
ITEMS = {
    1: [[], ["A"], ["B"], ["D"]],
    2: [["A"], ["C"]],
    3: [["A", "C"], ["B"]],
    4: [["A"], ["B"]],
    5: [[""], ["三十日"], ["二十日"]],
}
REJECTED = {
    (1, "Z"): "unknown_option",
    (3, "A", "A"): "repeated_option",
    (4, "A", "B"): "too_many_options",
    (5,): "wrong_count",
}
CHANGES = st.sampled_from(
    [(item, response) for item, responses in ITEMS.items() for response in responses]
    + [(item, list(response)) for item, *response in REJECTED]
)


class SimulatedTab:
    """A tab of the page: its epoch, its counter, its queue, and all it ever sent."""

    def __init__(self, epoch: int) -> None:
        self.epoch, self.seq = epoch, 0
        self.queue: dict[int, tuple[int, list[str]]] = {}
        self.sent: list[list[tuple[int, int, list[str]]]] = []
        self.acked: list[tuple[int, int]] = []

    def change(self, item: int, response: list[str]) -> None:
        self.seq += 1
        self.queue[item] = (self.seq, response)

    def batch(self) -> list[tuple[int, int, list[str]]]:
        return [(item, seq, response) for item, (seq, response) in self.queue.items()]


class AttemptMachine(RuleBasedStateMachine):
    world: Any
    fixed_clock: Any
    exam: Any

    @initialize()
    def begin(self) -> None:
        self.fixed_clock.at(NOON)
        self.candidate_client = CandidateClient(self.world, self.exam, self.world.person())
        assert self.candidate_client.start().status_code == 201
        self.now = NOON
        self.devices = [SimulatedTab(1)]
        self.answers: dict[int, tuple[int, int, list[str]]] = {}
        self.unsure: list[int] = []
        self.receipt: str | None = None
        self.is_forced = False

    # What the server should do with a batch, in a few lines.

    def is_live(self) -> bool:
        if self.receipt is None and not self.is_forced and self.now >= DEADLINE + GRACE:
            self.is_forced = True
        return self.receipt is None and not self.is_forced

    def take(self, epoch: int, batch) -> None:
        for item, seq, response in batch:
            known = self.answers.get(item)
            if (item, *response) in REJECTED:
                continue
            if known is None or known[:2] < (epoch, seq):
                self.answers[item] = (epoch, seq, response)

    def send(self, device: SimulatedTab, batch) -> None:
        live = self.is_live()
        answer = self.candidate_client.save(*batch, epoch=device.epoch)
        if not live:
            assert answer.status_code == 409
            assert answer.get_json()["error"] in {"already_submitted", "deadline_passed"}
        elif device.epoch < self.devices[-1].epoch:
            assert (answer.status_code, answer.get_json()["error"]) == (409, "taken_over")
        else:
            assert answer.status_code == 200
            self.take(device.epoch, batch)
            good = [(item, seq) for item, seq, response in batch if (item, *response) not in REJECTED]
            assert answer.get_json()["acked"] == {str(item): self.answers[item][1] for item, _ in good}
            assert answer.get_json()["refused"] == {
                str(item): REJECTED[item, *response] for item, _, response in batch if (item, *response) in REJECTED
            }
            device.acked += good
        self.last_status = answer.status_code

    @rule(change=CHANGES, index=st.integers(0, 9))
    def answer_a_question(self, change, index) -> None:
        self.devices[index % len(self.devices)].change(*change)

    @rule(
        index=st.integers(0, 9),
        outcome=st.sampled_from(
            ["arrives", "arrives", "request lost", "reply lost", "doubled", "killed before its commit"]
        ),
    )
    def flush(self, index, outcome) -> None:
        device = self.devices[index % len(self.devices)]
        batch = device.batch()
        if outcome == "request lost":
            return
        device.sent.append(batch)
        if outcome == "killed before its commit":
            with self.killed():
                self.candidate_client.save(*batch, epoch=device.epoch)
            return
        self.send(device, batch)
        if outcome == "doubled":
            self.send(device, batch)
        if outcome != "reply lost":
            device.queue = {
                item: entry
                for item, entry in device.queue.items()
                if self.last_status == 200 and entry not in [(s, r) for _, s, r in batch]
            }

    @contextmanager
    def killed(self) -> Iterator[None]:
        """What a process does that dies before it commits: it worked, and nothing of it is there."""
        self.world.session.commit()
        point = self.world.session.get_bind().begin_nested()
        yield
        self.world.session.rollback()
        point.rollback()

    @precondition(lambda self: self.answers)
    @rule(data=st.data())
    def a_counter_is_used_twice(self, data) -> None:
        item = data.draw(st.sampled_from(sorted(self.answers)))
        epoch, seq, response = self.answers[item]
        other = next(choice for choice in ITEMS[item] if choice != response)
        live = self.is_live()
        answer = self.candidate_client.save((item, seq, other), epoch=epoch)
        if live and epoch == self.devices[-1].epoch:
            assert answer.get_json()["refused"] == {str(item): "seq_conflict"}
            assert not answer.get_json()["acked"]
        else:
            assert answer.status_code == 409

    @rule(index=st.integers(0, 9), unsure=st.sets(st.integers(1, 5)))
    def marks_are_sent(self, index, unsure) -> None:
        device, live = self.devices[index % len(self.devices)], self.is_live()
        body = {"epoch": device.epoch, "unsure": sorted(unsure)}
        answer = self.candidate_client.api.put(self.candidate_client.url("/marks"), json=body)
        is_taken = live and device.epoch == self.devices[-1].epoch
        assert answer.status_code == (204 if is_taken else 409)
        if is_taken:
            self.unsure = sorted(unsure)

    @precondition(lambda self: any(device.sent for device in self.devices))
    @rule(data=st.data())
    def an_old_request_arrives_late(self, data) -> None:
        device = data.draw(st.sampled_from([device for device in self.devices if device.sent]))
        self.send(device, data.draw(st.sampled_from(device.sent)))

    @rule()
    def another_device_takes_over(self) -> None:
        live = self.is_live()
        answer = self.candidate_client.api.post(self.candidate_client.url("/epoch"))
        if live:
            self.devices.append(SimulatedTab(self.devices[-1].epoch + 1))
            assert answer.get_json() == {"epoch": self.devices[-1].epoch}
        else:
            assert answer.status_code == 409

    @rule(seconds=st.sampled_from([60, 300, 1200, -5]))
    def time_passes_or_the_clock_steps_back(self, seconds) -> None:
        self.is_live()
        if seconds > 0 or self.receipt or self.is_forced or self.now < DEADLINE:
            self.now += timedelta(seconds=seconds)
        self.fixed_clock.at(self.now)

    @rule(index=st.integers(0, 9), is_doubled=st.booleans(), is_killed=st.booleans())
    def hand_in(self, index, is_doubled, is_killed) -> None:
        device = self.devices[index % len(self.devices)]
        if is_killed:
            with self.killed():
                self.candidate_client.hand_in(*device.batch(), epoch=device.epoch)
        for _ in range(1 + is_doubled):
            live = self.is_live()
            batch = device.batch()
            answer = self.candidate_client.hand_in(*batch, epoch=device.epoch)
            if live and device.epoch < self.devices[-1].epoch:
                assert (answer.status_code, answer.get_json()["error"]) == (409, "taken_over")
                continue
            if live:
                self.take(device.epoch, batch)
            assert answer.status_code == (201 if live else 200)
            receipt = answer.get_json()["receipt"]
            assert self.receipt in {None, str(receipt)}
            self.receipt = str(receipt)
            assert receipt["forced"] is self.is_forced
            assert receipt["answered"] == sum(
                1 for _, _, response in self.answers.values() if any(part.strip() for part in response)
            )

    @rule()
    def the_sweep_comes(self) -> None:
        grading_tasks.sweep_once()
        self.is_live()

    @rule()
    def the_page_is_reloaded(self) -> None:
        state = self.candidate_client.look()
        assert (state["state"] == "in_progress") == self.is_live()
        assert state["unsure"] == self.unsure

    @invariant()
    def stored_answers_are_the_models(self) -> None:
        stored = {
            entry["item"]: (entry["epoch"], entry["seq"], entry["response"])
            for entry in self.candidate_client.look()["answers"]
        }
        assert stored == self.answers

    @invariant()
    def every_acknowledged_change_is_there_or_superseded(self) -> None:
        for device in self.devices:
            assert all(self.answers[item][:2] >= (device.epoch, seq) for item, seq in device.acked)

    def teardown(self) -> None:
        changes = self.world.session.query(AnswerChange).filter_by(attempt_id=self.candidate_client.attempt["id"])
        folded = {
            change.item: (change.epoch, change.seq, change.response)
            for change in changes.order_by(AnswerChange.epoch, AnswerChange.seq)
        }
        assert folded == self.answers
        self.fixed_clock.at(DEADLINE + timedelta(hours=5))
        grading_tasks.sweep_once()
        assert (
            self.world.session.query(Grade)
            .filter_by(attempt_id=self.candidate_client.attempt["id"], is_current=True)
            .count()
            == 1
        )


def run(world, fixed_clock, *, examples: int, steps: int) -> None:
    make_bank(world)
    AttemptMachine.world, AttemptMachine.fixed_clock = world, fixed_clock
    AttemptMachine.exam = world.exam(world.blueprint(KINDS), lasts=timedelta(days=1))
    quick = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(AttemptMachine, settings=quick)


@pytest.fixture(autouse=True)
def without_rate_limit(monkeypatch):
    """The machine saves faster than people; the pace has tests of its own."""
    monkeypatch.setattr("examapp.security.rate_limits.check", lambda _attempt_id: None)


def test_protocol_agrees_with_the_model(world, fixed_clock):
    run(world, fixed_clock, examples=12, steps=25)


@pytest.mark.slow
@pytest.mark.begins
def test_protocol_agrees_with_the_model_at_length(world, fixed_clock):
    run(world, fixed_clock, examples=30, steps=40)
