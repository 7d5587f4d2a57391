"""The invariants of the delivery protocol, checked against the database by code that shares nothing with the application's."""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import psycopg

from tests.faults.ledger import Ledger

MAX_RETRIES = 3
Snapshot = dict[str, Any]


@dataclass(slots=True)
class InvariantFindings:
    """What was found broken, by invariant; `lost` counts acknowledged answers that are not where they must be."""

    broken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    lost: int = 0

    def add(self, invariant: str, text: str) -> None:
        self.broken[invariant].append(text)

    def lines(self) -> list[str]:
        return [f"{name}: {len(found)}× {found[0]}" for name, found in sorted(self.broken.items())]


def check(connection: psycopg.Connection[Any], ledger: Ledger, attempts: list[int]) -> InvariantFindings:
    """Check I1, I2, I4, I6, I7 and I9 for these attempts as they stand (I3 by two snapshots, I5 by `wait_for_grades`, I8 in the browser's tests)."""
    found = InvariantFindings()
    rows = _Rows(connection, attempts)
    _acknowledged_is_stored(found, rows, ledger)
    _replaced_is_in_history(found, rows, ledger)
    _stored_was_sent(found, rows, ledger)
    _one_receipt_and_grade(found, rows, ledger)
    _history_folds(found, rows)
    _digests(found, rows)
    _brought_back_is_there_or_shown(found, rows, ledger)
    for text in ledger.odd:
        found.add("protocol", text)
    return found


class _Rows:
    """Everything that the database holds of these attempts."""

    def __init__(self, connection: psycopg.Connection[Any], attempts: list[int]) -> None:
        def read(query: str) -> list[tuple[Any, ...]]:
            return connection.execute(query, (attempts,)).fetchall()

        self.answers = {
            (a, i): (e, s, r)
            for a, i, e, s, r in read(
                "SELECT attempt_id, item, epoch, seq, response FROM answers WHERE attempt_id = ANY(%s)"
            )
        }
        self.history = read(
            "SELECT attempt_id, person_id, item, epoch, seq, response FROM answer_history WHERE attempt_id = ANY(%s)"
        )
        self.attempts = {
            row[0]: row
            for row in read(
                "SELECT id, person_id, state, response_schema, receipt_number, receipt_sha256, answered, is_forced, paper_id, quarantined_at, submitted_at, deadline_at "
                "FROM attempts WHERE id = ANY(%s)"
            )
        }
        self.grades = defaultdict(list)
        for attempt, points, key_ids, item_points in read(
            "SELECT attempt_id, points, key_ids, item_points FROM grades WHERE is_current AND attempt_id = ANY(%s)"
        ):
            self.grades[attempt].append((points, key_ids, item_points))
        papers = read("SELECT p.id, p.sections FROM papers p JOIN attempts a ON a.paper_id = p.id WHERE a.id = ANY(%s)")
        self.papers = {paper: [item for section in sections for item in section["items"]] for paper, sections in papers}
        ids = [key for graded in self.grades.values() for _, key_ids, _ in graded for key in key_ids.values()]
        self.keys = dict(
            connection.execute("SELECT id, parts FROM answer_keys WHERE id = ANY(%s)", (list(set(ids)),)).fetchall()
        )


def _acknowledged_is_stored(found: InvariantFindings, rows: _Rows, ledger: Ledger) -> None:
    for (attempt, item), acked in ledger.acked.items():
        if attempt not in rows.attempts:
            found.lost += 1
            found.add("I1", f"attempt {attempt} is not in the database")
            continue
        stored = rows.answers.get((attempt, item))
        if stored is None or stored[:2] < acked:
            found.lost += 1
            found.add("I1", f"attempt {attempt} item {item}: acknowledged {acked}, stored {stored and stored[:2]}")
        elif stored[:2] == acked and stored[2] != ledger.sent.get((attempt, item, *acked), stored[2]):
            found.lost += 1
            found.add("I1", f"attempt {attempt} item {item} {acked}: another response is stored than was acknowledged")


def _replaced_is_in_history(found: InvariantFindings, rows: _Rows, ledger: Ledger) -> None:
    """An acknowledged answer that was lost is lost, though its item was answered again since (I1): each stands in the history."""
    there = {(a, i, e, s) for a, _, i, e, s, _ in rows.history}
    for attempt, item, epoch, seq in ledger.stored - there:
        if attempt in rows.attempts and ledger.acked[attempt, item] != (epoch, seq):
            found.lost += 1
            found.add("I1", f"attempt {attempt} item {item}: acknowledged ({epoch}, {seq}) is not in the history")


def _stored_was_sent(found: InvariantFindings, rows: _Rows, ledger: Ledger) -> None:
    stored = [(a, i, e, s, r) for (a, i), (e, s, r) in rows.answers.items()] + [
        (a, i, e, s, r) for a, _, i, e, s, r in rows.history
    ]
    for attempt, item, epoch, seq, response in stored:
        if ledger.sent.get((attempt, item, epoch, seq)) != response:
            found.add("I2", f"attempt {attempt} item {item} ({epoch}, {seq}): {response} was never sent")
    for attempt, person, *_ in rows.history:
        if person != rows.attempts[attempt][1]:
            found.add("I2", f"attempt {attempt}: a change of person {person} in another's history")


def _one_receipt_and_grade(found: InvariantFindings, rows: _Rows, ledger: Ledger) -> None:
    for attempt, row in rows.attempts.items():
        state, number, digest = row[2], row[4], row[5]
        seen = {json.dumps(receipt, sort_keys=True) for receipt in ledger.receipts.get(attempt, ())}
        if len(seen) > 1:
            found.add("I4", f"attempt {attempt}: {len(seen)} different receipts were given")
        for receipt in seen:
            response = json.loads(receipt)
            if state == "in_progress" or (response["number"], response["sha256"]) != (number, digest):
                found.lost += 1
                found.add(
                    "I4",
                    f"attempt {attempt}: receipt {response['number']} was given, the database holds {number} ({state})",
                )
        if state == "graded" and len(rows.grades[attempt]) != 1:
            found.add("I4", f"attempt {attempt}: {len(rows.grades[attempt])} current grades")
        for points, key_ids, item_points in rows.grades[attempt]:
            again = _regrade(rows, attempt, key_ids)
            if again != [Decimal(p) for p in item_points] or sum(again, Decimal(0)) != points:
                found.add(
                    "I4",
                    f"attempt {attempt}: graded {points}, a pure re-grade of the history gives {sum(again, Decimal(0))}",
                )


def _regrade(rows: _Rows, attempt: int, key_ids: dict[str, int]) -> list[Decimal]:
    """Score choices all or nothing, from the history alone."""
    last: dict[int, tuple[int, int, list[str]]] = {}
    for a, _, item, epoch, seq, response in rows.history:
        if a == attempt:
            last[item] = max(last.get(item, (0, 0, [])), (epoch, seq, response))
    marks = []
    for number, (version, part, order, points) in enumerate(rows.papers[rows.attempts[attempt][8]], 1):
        key = rows.keys[key_ids[str(version)]][part]["key"]
        shown = {chr(65 + order.index(letter)) for letter in key} if order else set(key)
        given = set(last[number][2]) if number in last else set()
        marks.append(Decimal(points) if given and given == shown else Decimal(0))
    return marks


def _history_folds(found: InvariantFindings, rows: _Rows) -> None:
    folded: dict[tuple[int, int], tuple[int, int, list[str]]] = {}
    for attempt, _, item, epoch, seq, response in rows.history:
        folded[attempt, item] = max(folded.get((attempt, item), (0, 0, [])), (epoch, seq, response))
    for place in folded.keys() | rows.answers.keys():
        if folded.get(place) != rows.answers.get(place):
            found.add(
                "I6",
                f"attempt {place[0]} item {place[1]}: history {folded.get(place)}, answers {rows.answers.get(place)}",
            )


def _digests(found: InvariantFindings, rows: _Rows) -> None:
    sheets: dict[int, list[list[Any]]] = defaultdict(list)
    for (attempt, item), (_, _, response) in sorted(rows.answers.items()):
        kind, _, size = rows.attempts[attempt][3][3 * item - 3 : 3 * item]
        if len(response) == ord(size) - 48 if kind == "O" else any(part.strip() for part in response):
            is_choice = kind in "SMT"
            sheets[attempt].append([item, sorted(response) if is_choice else response])
    for attempt, row in rows.attempts.items():
        if row[2] == "in_progress":
            continue
        text = json.dumps({"attempt": attempt, "answers": sheets[attempt]}, ensure_ascii=False, separators=(",", ":"))
        if row[5] != hashlib.sha256(text.encode()).hexdigest() or row[6] != len(sheets[attempt]):
            found.add(
                "I7",
                f"attempt {attempt}: the receipt's sha256 does not recompute ({row[6]} answered, {len(sheets[attempt])} stored)",
            )


def _brought_back_is_there_or_shown(found: InvariantFindings, rows: _Rows, ledger: Ledger) -> None:
    """What a returning device had not sent was accepted at its place or under a later epoch, or was shown to its person (I9)."""
    accepted = {
        (a, item, tuple(response)): (epoch, seq)
        for a, _, item, epoch, seq, response in sorted(rows.history, key=lambda row: row[3:5])
    }
    for place, response in ledger.brought_back.items():
        attempt, item, epoch, seq = place
        if attempt not in rows.attempts or place in ledger.shown:
            continue
        if accepted.get((attempt, item, tuple(response)), (0, 0)) < (epoch, seq):
            found.add(
                "I9",
                f"attempt {attempt} item {item} ({epoch}, {seq}): brought back as {response}, neither saved nor shown",
            )


def snapshot(connection: psycopg.Connection[Any], attempts: list[int]) -> Snapshot:
    """Give what a replay must not change (I3)."""

    def read(query: str) -> list[tuple[Any, ...]]:
        return connection.execute(query, (attempts,)).fetchall()

    return {
        "answers": read(
            "SELECT attempt_id, item, epoch, seq, response::text FROM answers WHERE attempt_id = ANY(%s) ORDER BY 1, 2"
        ),
        "history": read(
            "SELECT id, attempt_id, item, epoch, seq, response::text FROM answer_history WHERE attempt_id = ANY(%s) ORDER BY 1"
        ),
        "receipts": read(
            "SELECT id, receipt_number, receipt_sha256, submitted_at, is_forced FROM attempts WHERE id = ANY(%s) ORDER BY 1"
        ),
        "grades": read(
            "SELECT attempt_id, number, is_current, points FROM grades WHERE attempt_id = ANY(%s) ORDER BY 1, 2"
        ),
    }


def compare(found: InvariantFindings, before: Snapshot, after: Snapshot, *, but: tuple[str, ...] = ()) -> None:
    """Compare two snapshots around a replay (I3)."""
    for name in before.keys() - set(but):
        if before[name] != after[name]:
            changed = [pair for pair in zip(before[name], after[name], strict=False) if pair[0] != pair[1]]
            found.add(
                "I3", f"a replay changed {name}: {changed[0] if changed else (len(before[name]), len(after[name]))}"
            )


def wait_for_grades(
    connection: psycopg.Connection[Any], attempts: list[int], *, within_s: float
) -> tuple[float, list[str]]:
    """Wait until every attempt is closed and graded (I5); gives the seconds it took and what is still open at the end."""
    began = time.monotonic()
    query = (
        "SELECT id, state, grading_retry_count FROM attempts WHERE id = ANY(%s) AND quarantined_at IS NULL AND (state = 'submitted' OR "
        "(state = 'in_progress' AND closes_at < clock_timestamp() - interval '30 seconds'))"
    )
    while True:
        still = connection.execute(query, (attempts,)).fetchall()
        waited = time.monotonic() - began
        if not still or waited > within_s:
            return waited, [
                f"attempt {a} is still {state} after {waited:.0f} s ({attempts_made} tries)"
                for a, state, attempts_made in still
            ]
        time.sleep(0.5)
