"""What a save and a hand-in may say, and what a receipt is made of; pure functions over the delivery protocol."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from examapp.errors import BadRequestError
from question_bank.kinds import response_schema

MAX_CHANGES = 200
MAX_SAVE_BYTES = 64 * 1024
MAX_SHEET_ITEMS = 1000
MAX_SHEET_BYTES = 1024 * 1024
MAX_TEXT = 4000
MAX_EVENTS = 200
MAX_EVENTS_KEPT = 2000
"""So many events of an attempt are kept; what comes after them is dropped."""
EVENTS_AFTER_HAND_IN = timedelta(minutes=5)
"""So long after the hand-in events still arrive, of a page that was offline before it."""
MAX_QUARANTINED_ROWS = 50
MAX_QUARANTINED_BYTES = 256 * 1024
"""The most bytes of quarantined changes of one attempt, as JSON."""
_MAX_INT = 2**31 - 1
MAX_SEQ = 2**53 - 1
FOCUS_LOSS = "focus_loss"
EVENT_TYPES = frozenset({FOCUS_LOSS, "screen_off", "offline", "resume"})
_NO_LETTER = 99
GIVEN_UP_AFTER = timedelta(seconds=60)
"""Who stands in the queue before the start and has not called for so long has given up the place."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of an answer as a client sent it: the item, the client's counter, the response."""

    item: int
    seq: int
    response: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event of the exam page; `client_at` is the device's clock, informative only."""

    n: int
    type: str
    client_at: str | None
    duration_ms: int | None


def read_changes(body: Mapping[str, Any], name: str, *, most: int) -> tuple[int, list[Change]]:
    """Read epoch and changes of a save (`changes`) or a hand-in (`answers`); raises BadRequestError for a wrong shape."""
    epoch = whole_number(body.get("epoch"), least=1, most=_MAX_INT)
    listed = body.get(name)
    if not isinstance(listed, list) or len(listed) > most:
        raise BadRequestError
    return epoch, [_read_change(entry) for entry in listed]


def _read_change(entry: Any) -> Change:
    if not isinstance(entry, dict):
        raise BadRequestError
    response = entry.get("response")
    if not isinstance(response, list) or not all(isinstance(part, str) for part in response):
        raise BadRequestError
    item = whole_number(entry.get("item"), least=0, most=_MAX_INT)
    return Change(item, whole_number(entry.get("seq"), least=1, most=MAX_SEQ), response)


def whole_number(value: Any, *, least: int, most: int) -> int:
    """Take a whole number within bounds; true, "1" and 1.5 are none; raises BadRequestError."""
    if type(value) is not int or not least <= value <= most:
        raise BadRequestError
    return value


def read_unsure(body: Mapping[str, Any]) -> tuple[int, list[int]]:
    """Read epoch and the items marked unsure; raises BadRequestError."""
    epoch = whole_number(body.get("epoch"), least=1, most=_MAX_INT)
    listed = body.get("unsure")
    if not isinstance(listed, list) or len(listed) > MAX_SHEET_ITEMS:
        raise BadRequestError
    return epoch, sorted({whole_number(item, least=0, most=_MAX_INT) for item in listed})


def read_events(body: Mapping[str, Any]) -> list[Event]:
    """Read the page's events; raises BadRequestError."""
    listed = body.get("events")
    if not isinstance(listed, list) or len(listed) > MAX_EVENTS or not all(isinstance(entry, dict) for entry in listed):
        raise BadRequestError
    return [_read_event(entry) for entry in listed]


def _read_event(entry: Mapping[str, Any]) -> Event:
    kind, client_at, duration = entry.get("type"), entry.get("client_at"), entry.get("duration_ms")
    if (
        not isinstance(kind, str)
        or kind not in EVENT_TYPES
        or not (client_at is None or (isinstance(client_at, str) and len(client_at) <= 40))
    ):
        raise BadRequestError
    return Event(
        n=whole_number(entry.get("n"), least=0, most=MAX_SEQ),
        type=kind,
        client_at=client_at,
        duration_ms=None if duration is None else whole_number(duration, least=0, most=MAX_SEQ),
    )


def rounds(changes: Iterable[Change]) -> Iterator[list[Change]]:
    """Split changes so that no round holds an item twice, lower counters first; nearly always one round.

    Each goes by item: two saves at the same moment lock the answers that they share in the same order.
    """
    waiting = sorted(changes, key=lambda change: change.seq)
    while waiting:
        taken: dict[int, Change] = {}
        rest: list[Change] = []
        for change in waiting:
            if change.item in taken:
                rest.append(change)
            else:
                taken[change.item] = change
        yield [taken[item] for item in sorted(taken)]
        waiting = rest


def describe(change: Change) -> dict[str, Any]:
    """Say of a response what the database compares with the paper's response schema, so that one statement can judge and save it."""
    response = change.response
    is_bad = any(_is_bad_text(part) for part in response)
    return {
        "item": change.item,
        "seq": change.seq,
        "response": None if is_bad else response,
        "is_bad": is_bad,
        "is_long": any(len(part) > MAX_TEXT for part in response),
        "is_repeated": len(set(response)) < len(response),
        "size": len(response),
        "top": max((_letter(part) for part in response), default=0),
    }


def _letter(text: str) -> int:
    return ord(text) - 64 if len(text) == 1 and "A" <= text <= "Z" else _NO_LETTER


def _is_bad_text(text: str) -> bool:
    return not text.isprintable() and any(
        (code < 32 and code not in {9, 10, 13}) or 127 <= code < 160 for code in map(ord, text)
    )


def is_same(schema: str, item: int, one: list[str], other: list[str]) -> bool:
    """Tell whether two responses to an item of a paper's response schema say the same, by the item's kind."""
    found = response_schema.find_item(schema, item)
    return found is not None and found[0].normalised(one) == found[0].normalised(other)


def sheet_digest(attempt_id: int, schema: str, answers: Iterable[tuple[int, list[str]]]) -> tuple[int, str]:
    """Count the answered items and give the receipt's SHA-256 (delivery protocol, "Hand in")."""
    answered = []
    for item, response in sorted(answers):
        found = response_schema.find_item(schema, item)
        if found is not None and found[0].is_answered(response, found[1]):
            answered.append([item, found[0].normalised(response)])
    text = json.dumps({"attempt": attempt_id, "answers": answered}, ensure_ascii=False, separators=(",", ":"))
    return len(answered), hashlib.sha256(text.encode("utf-8")).hexdigest()


def changes_digest(epoch: int, changes: Iterable[Change]) -> bytes:
    """Give the digest by which the same quarantined content is kept only once."""
    text = json.dumps([epoch, sorted([c.item, c.seq, c.response] for c in changes)])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def receipt_number(attempt_id: int, sha256: str) -> str:
    """Give the receipt's number: readable over the telephone, unique by the attempt."""
    return f"{attempt_id:09d}-{sha256[:6].upper()}"


def newest_places(saves: Iterable[tuple[int, Iterable[tuple[int, int, list[str]]]]]) -> dict[int, tuple[int, int]]:
    """Give, by item, the newest (epoch, seq) among quarantined saves of `(epoch, [(item, seq, response)…])`."""
    newest: dict[int, tuple[int, int]] = {}
    for epoch, changes in saves:
        for item, seq, _ in changes:
            newest[item] = max(newest.get(item, (0, 0)), (epoch, seq))
    return newest


QuarantinedChanges = list[list[Any]]
"""The changes of a quarantined save as its row keeps them: item, counter, response, by rising item."""


def merge_quarantined_changes(
    kept: QuarantinedChanges, changes: Iterable[Change], *, known: Mapping[int, int], items: int
) -> QuarantinedChanges | None:
    """Put what is newer than all that is known of each item of the paper into kept changes; None where nothing is.

    `known` gives the highest counter that was quarantined of each item under the same epoch. What a save in time would have refused alone as
    no item, no text or too long is left out.
    """
    merged = {item: [item, seq, response] for item, seq, response in kept}
    highest, is_changed = dict(known), False
    for change in changes:
        described = describe(change)
        if described["is_bad"] or described["is_long"] or not 1 <= change.item <= items:
            continue
        if change.seq > highest.get(change.item, 0):
            highest[change.item] = change.seq
            merged[change.item] = [change.item, change.seq, change.response]
            is_changed = True
    return [merged[item] for item in sorted(merged)] if is_changed else None


def takeable(
    changes: Iterable[Change],
    *,
    epoch: int,
    stored: Mapping[int, tuple[int, int]],
    accepted: Mapping[int, tuple[int, int]],
    is_older_device: bool,
) -> list[Change]:
    """Give the quarantined changes that an acceptance takes over: the newest of each item, where nothing later of its kind was taken before.

    What was accepted before is compared with it; else what is stored, unless an older device's content is to replace that.
    """
    newest: dict[int, Change] = {}
    for change in changes:
        if change.item not in newest or newest[change.item].seq < change.seq:
            newest[change.item] = change
    return [
        change
        for item, change in newest.items()
        if (item not in accepted and is_older_device)
        or (epoch, change.seq) > accepted.get(item, stored.get(item, (0, 0)))
    ]
