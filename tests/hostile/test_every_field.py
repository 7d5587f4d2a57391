"""Odd values in every field of every page, by url_map and by what each view reads: a new view is covered the day it is added."""

from __future__ import annotations

import io
from dataclasses import replace
from itertools import chain

import pytest

from tests.helpers.accounts import setting
from tests.hostile.fields import forms_on, noting, prefixes, reading, row_names
from tests.hostile.walks import all_calls
from tests.matrix.calls import FORMS, body_of
from tests.matrix.conftest import stage  # noqa: F401 – a fixture

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
DIGITS = "9" * 5000
SURROGATE = "\ud800".encode("utf-8", "surrogatepass")
BEYOND = "9223372036854775808"
WORST = (DIGITS, SURROGATE, BEYOND, "9999-12-31T23:59", "²")
"""Tried in each field alone, beside good ones."""
ALWAYS = ("\x00", DIGITS, SURROGATE, BEYOND)
"""Tried in all fields of each view at once, twice in each."""
TOGETHER = ("", "-1", "1e999", "sNaN", "0001-01-01", "2026-13-45", "字" * 5000, "９" * 30, "1")
"""Some of them are tried so as well."""
BROKEN = ["\x00", "9" * 20, "-1", b"\xff\xfe", "a'--", "𠮷", "2026-13-45"]
"""Tried one after the other under every word of an address."""
FEW = 5
"""Up to so many fields each is tried alone with every value; beyond, with two, and with all in company."""
SOME = 1
"""So many values of a kind each view is tried with in make test-slow, others at each view; with all of them in make test-long."""
MAX_ADDRESS = 8000
FILE = object()
HEALTH = {"health.healthz", "health.readyz"}
SHARES = 3
PASSED_OVER = {"people.sign_out": "ends the session that asks"}
"""Calls left out, each with its reason."""
NOT_REACHED = {
    "external_reviews.review_question": "opens with a ticket only: tests/questions/test_external_reviews.py sends its fields",
    "message_reports.take_replies": "reads JSON from an operator: tests/messages/test_rules.py sends broken ones",
    "message_reports.take_reports": "reads JSON from an operator: tests/messages/test_rules.py sends broken ones",
    "message_reports.take_signed_reports": "reads signed JSON: tests/messages/test_rules.py sends broken ones",
    "setup.first_set_up": "open only while there is no account at all: tests/admin/test_setup.py sends its fields",
    "training_admin.drop_file": "takes a file's token in its address, no field; the scene has no such file",
    "training_admin.finish_file": "takes a file's token in its address, no field; the scene has no such file",
}
"""Views that answered before they read a field, each with its reason; one that reads none and does its work is a button."""
AS = {"people.take_off_second_factor": "S"}
"""Who calls a view that the policy opens to nobody in particular."""
EVERYWHERE = {"csrf_token", "X-CSRFToken"}


WALKS = [
    *(
        pytest.param(number, SOME, id=f"{number}", marks=[pytest.mark.slow, pytest.mark.begins])
        for number in range(SHARES)
    ),
    *(pytest.param(number, None, id=f"{number}-whole", marks=pytest.mark.long) for number in range(SHARES)),
]


def share(calls, number):
    return [call for at, call in enumerate(calls) if at % SHARES == number]


def some(values, at, limit):
    """Give `limit` of the values, beginning at another one for each `at`; all of them where `limit` is None."""
    values = tuple(values)
    return values if limit is None else tuple(values[(at + n) % len(values)] for n in range(min(limit, len(values))))


def send(stage, call, fields, text=None):
    client = stage.scenario.clients[call.role]
    cookies = dict(client._cookies)
    with stage.call(), reading() as read:
        answer = client.open(call.path, query_string=text, method=call.method, data=fields, content_type="multipart/form-data" if has_file(fields) else None)  # fmt: skip
    client._cookies = cookies
    return answer, read


def has_file(fields) -> bool:
    return any(isinstance(value, tuple) for value in fields.values())


def fields_of(stage, call):
    """Give what a call would send as it should be, and all names that its view reads."""
    client = stage.scenario.clients[call.role]
    with stage.call():
        page = client.get(call.path)
    good = forms_on(page.text, call.path) if page.status_code == 200 and page.mimetype == "text/html" else {}
    good |= {name: str(value) for name, value in body_of(FORMS, call.endpoint, stage.scenario).items()}
    answer, read = send(stage, call, good)
    again, read_again = send(stage, call, {"x": "1"})
    names = (set(good) | read.names | read_again.names) - EVERYWHERE
    if read.is_walked or read_again.is_walked:
        names |= row_names()
        names |= {f"{prefix}{end}" for prefix in prefixes() for end in ("1", DIGITS, "²")}
    return good, names, answer.status_code, again.status_code


def siblings(name, good):
    """Give the sound values of fields that are named alike but for their number."""
    return [value for other, value in good.items() if "-" in other and name.startswith(other[: other.index("-") + 1])]


def alone(names, good, at_view, limit):
    """Give what is sent with one field odd beside good ones; what a name stands for a whole class of names is tried once."""
    acts = tuple(f"{prefix}{end}" for prefix in prefixes() for end in (DIGITS, "1"))
    for at, name in enumerate(names):
        if len(name) > 1000 or name.endswith("²"):
            values = tuple(dict.fromkeys(["1", *siblings(name, good)]))
        else:
            values = some(WORST, at + at_view, limit or (None if len(names) <= FEW else 2))
        for value in (*values, *(acts if name == "act" else ())):
            yield {**good, name: value}, {name: value}, None


def in_parts(names, good, at_view, limit):
    """Give what is sent with every third field odd, each in its turn with every value."""
    if len(names) <= FEW:
        return
    for part in range(3):
        for turn in some(range(len(WORST)), at_view, limit):
            odd = {name: WORST[(at + turn) % len(WORST)] for at, name in enumerate(names[part::3])}
            yield {**good, **odd}, odd, None


def at_once(names, good, at_view, limit):
    """Give what is sent with all fields odd in one way; the address has the same words, where it does not get longer than servers read."""
    names = names or ["x"]
    for value in (*ALWAYS, *some(TOGETHER, at_view, limit)):
        odd = {name: [value, value] for name in names}
        yield {**good, **odd}, odd, odd if 2 * len(names) * len(value) < MAX_ADDRESS else {names[0]: value}
    yield {**good, **{name: a_file() for name in names}}, dict.fromkeys(names, FILE), None


def a_file():
    return io.BytesIO(b"\0"), "\0名.xlsx"


def named(stage, call, good, odd):
    """Name the fields that break a view alone; all that were sent where it takes several."""
    guilty = []
    for name, value in odd.items():
        sent, text = (a_file(), None) if value is FILE else (value, {name: value})
        if send(stage, call, {**good, name: sent}, text)[0].status_code >= 500:
            guilty.append(f"{name[:40]}={'file' if value is FILE else repr(value[:20])}")
    return ", ".join(guilty) or f"together {sorted(name[:40] for name in odd)}"


@pytest.fixture(autouse=True)
def with_gateway(app, monkeypatch, tmp_path):
    """Have the pages for forgotten passwords, which are there only beside a gateway for codes."""
    setting(app, monkeypatch, message_gateway=f"file:{tmp_path / 'messages'}")


@pytest.mark.parametrize(("number", "limit"), WALKS)
def test_an_odd_value_in_any_field_of_any_page_is_rejected_in_words(app, stage, number, limit):
    issues, silent, tried = [], [], 0
    calls = [
        replace(call, role=AS.get(call.endpoint, call.role))
        for call in all_calls(app, stage.scenario)
        if not call.is_api and call.method in {"POST", "PUT", "PATCH"}
    ]
    with noting(app):
        for at_view, call in enumerate(share(calls, number)):
            if call.endpoint in PASSED_OVER:
                continue
            good, found, first, second = fields_of(stage, call)
            is_button = second < 400 or second == 409
            if not found and not is_button and call.endpoint not in NOT_REACHED:
                silent.append(f"{call}: reads no field ({first}, {second})")
            names = sorted(found)
            short = [name for name in names if len(name) < 1000]
            sets = (
                alone(names, good, at_view, limit),
                in_parts(short, good, at_view, limit),
                at_once(short, good, at_view, limit),
            )
            for sent, odd, text in chain(*sets):
                tried += 1
                answer, _ = send(stage, call, sent, text)
                if answer.status_code >= 500:
                    issues.append(f"{call} {answer.status_code}: {named(stage, call, good, odd)}")
    assert not issues, "\n".join(issues)
    assert not silent, "give its fields in tests/matrix FORMS, or its reason here:\n" + "\n".join(silent)
    assert tried > 300


@pytest.mark.parametrize(("number", "limit"), WALKS)
def test_an_odd_value_in_any_word_of_any_address_breaks_no_page(app, stage, number, limit):
    issues, text = [], 0
    calls = [call for call in all_calls(app, stage.scenario) if call.method == "GET" and call.endpoint not in HEALTH]
    with noting(app):
        for at_view, call in enumerate(share(calls, number)):
            client = stage.scenario.clients[call.role]
            with stage.call(), reading() as read:
                client.get(call.path)
            names = sorted(read.names - EVERYWHERE)
            text += len(names)
            sent: list[dict[str, object]] = [dict.fromkeys(names or ["x"], BROKEN)]
            if names:
                sent += [
                    dict.fromkeys(names, value) for value in some((*TOGETHER, *WORST), at_view, limit and 3 * limit)
                ]
            single = [(name, value) for at, name in enumerate(names) for value in some(WORST[:3], at + at_view, limit)]
            sent += [{name: value} for name, value in single if len(names) > 1]
            for query in sent:
                with stage.call():
                    answer = client.get(call.path, query_string=query)
                if answer.status_code >= 500:
                    issues.append(f"{call} {str(query)[:80]}: {answer.status_code}")
                answer.close()
    assert text > 20
    assert not issues, "\n".join(issues)
