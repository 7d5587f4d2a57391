"""What a save and a hand-in may say, and what a receipt is made of; pure functions over the delivery protocol."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

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
MAX_SEQ = 2**53 - 1
FOCUS_LOSS = "focus_loss"
_NO_LETTER = 99
GIVEN_UP_AFTER = timedelta(seconds=60)
"""Who stands in the queue before the start and has not called for so long has given up the place."""


Epoch = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Item = Annotated[int, Meta(ge=0, le=2**31 - 1)]
PaperItem = Annotated[int, Meta(gt=-1, le=2**31 - 1, extra_json_schema={"minimum": 1})]
"""An item of the paper. The document allows none below 1; 0 is rejected only after the epoch was compared, hence `gt=-1`."""
Seq = Annotated[int, Meta(ge=1, le=MAX_SEQ)]


class Change(Struct, frozen=True):
    """One change of an answer as a client sent it: the item, the client's counter, the response."""

    item: Item
    seq: Seq
    response: list[str]


class SaveRequest(Struct, frozen=True):
    """A save: what changed since the last acknowledged one."""

    epoch: Epoch
    changes: Annotated[list[Change], Meta(max_length=MAX_CHANGES)]


class SubmissionRequest(Struct, frozen=True):
    """A hand-in: the whole answer sheet as the client holds it."""

    epoch: Epoch
    answers: Annotated[list[Change], Meta(max_length=MAX_SHEET_ITEMS)]


class UnsureMarks(Struct, frozen=True):
    """The items that the candidate is unsure of."""

    epoch: Epoch
    unsure: Annotated[list[PaperItem], Meta(max_length=MAX_SHEET_ITEMS)]


class Event(Struct, frozen=True, kw_only=True):
    """An event of the exam page; `client_at` is the device's clock, informative only."""

    n: Annotated[int, Meta(ge=0, le=MAX_SEQ)]
    type: Literal["focus_loss", "screen_off", "offline", "resume"]
    client_at: Annotated[str, Meta(max_length=40, extra_json_schema={"format": "date-time"})] | None = None
    duration_ms: Annotated[int, Meta(ge=0, le=MAX_SEQ)] | None = None


class EventsRequest(Struct, frozen=True):
    """Events that the page reports; repeated numbers are dropped."""

    events: Annotated[list[Event], Meta(max_length=MAX_EVENTS)]


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

    `known` gives the highest counter that was quarantined of each item under the same epoch. What a save in time would have rejected alone as
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


def device_key(secret: str | bytes | None, paper: str, *, person_id: int) -> str:
    """Derive the key for texts kept on the device: the same for this person and paper, worthless to anybody else."""
    key = secret.encode() if isinstance(secret, str) else secret or b""
    text = f"device-texts:{paper}:{person_id}".encode()
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
