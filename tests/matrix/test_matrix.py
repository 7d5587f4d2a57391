"""The access matrix: every view × method × role × {own, same unit, other unit, none}, judged by the policy table."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from tests.matrix.policy import KINDS, MEMBERS, POLICY, ROLES, SAME_FOR_ALL, WIDE, Whose

BODIES = {
    "attempts_api.save_answers": {"epoch": 1, "changes": [{"item": 1, "seq": 1, "response": []}]},
    "attempts_api.hand_in": {"epoch": 1, "answers": []},
    "attempts_api.mark_unsure": {"epoch": 1, "unsure": [1]},
    "attempts_api.record_events": {"events": []},
    "training_api.answer_item": {"response": ["A"]},
    "reports_api.request_export": lambda scene: {"unit": scene.here_id, "content": "scores", "format": "csv"},
}
FORMS = {
    "questions_admin.settle_duplicate": lambda scene: {
        "one": scene.things["question"]["same"],
        "other": scene.other_question,
        "act": "both",
    },
    "reports_admin.request_export": {"content": "scores", "format": "csv", "tree": "region", "scope": "this"},
    "unitbook_admin.remind": {"group": "in_progress"},
    "unitbook_admin.export_calls": {"group": "in_progress", "reason": "打电话"},
    "unitbook_admin.draft_changes": lambda scene: {"unit_id": scene.here_id},
    "unitbook_admin.refuse_change": {"answer": "理由"},
    "unitbook_admin.return_changes": {"answer": "理由"},
    "questions_admin.set_state": {"state": "retired"},
    "duties_admin.add_reviewer": lambda scene: {"staff_number": scene.peer_number},
    "duties_admin.create_assessment": {"year": "2031"},
    "records_admin.print_unit": lambda scene: {"unit_id": scene.here_id},
    "reports_designs.set_schedule": {"content": "participation", "format": "xlsx"},
    "exams_admin.refuse_exemption": {"answer": "理由"},
    "exams_admin.change_reason": {"words": "孕产期"},
} | {
    f"duties_admin.{act}": {"version": "1", "remark": "理由", "text": "理由"}
    for act in (
        "appeal",
        "conclude_sheet",
        "send_back_sheet",
        "open_assessment",
        "move_table_item",
        "propose_list",
        "publish_list",
        "send_back_list",
        "take_back_list",
        "withdraw_deed",
        "remove_item",
    )
}
"""Bodies of a right shape, where the shape is looked at before the thing."""
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
RELATIONS = ("own", "same", "other", "missing")
_REFERENCE = re.compile(r"csrf[-_]token\W+(?:content|value)?\W*[\w.\-]+|nonce=\"[^\"]+\"|\d\d:\d\d")


def calls_of(app):
    """List endpoint, rule and method of every call that the application answers."""
    found = []
    for rule in app.url_map.iter_rules():
        found += [(rule.endpoint, rule.rule, m) for m in METHODS if m in (rule.methods or ())]
    return sorted(found)


def allowed(kind: str, role: str, relation: str) -> bool:
    """Say by the policy table whether a role that holds the permission may touch a thing so related to it."""
    return {
        Whose.SHARED: relation == "same",
        Whose.REACH: relation == "same" or (relation == "other" and role in WIDE),
        Whose.OWN: relation == "own",
        Whose.OWN_OR_WIDE: relation == "own" or (role in WIDE and relation in {"same", "other"}),
        Whose.AUDIENCE: relation == "same" and role in MEMBERS,
        Whose.LEARNER: relation == "same" and role == "C",
        Whose.DECIDER: role in "PQY" and (relation == "same" or (relation == "other" and role in WIDE)),
        Whose.ASKER_OR_DECIDER: relation == "own"
        or (role in "PQY" and (relation == "same" or (relation == "other" and role in WIDE))),
    }[KINDS[kind]]


def path_of(rule: str, scene, things: dict[str, str], role: str, relation: str) -> str | None:
    """Fill a rule's arguments with things so related to the role; None where the scene has none.

    Beside a thing that is somebody's, shared ones stay what they are: only the one is another's, or missing.
    """
    is_strict = any(KINDS[kind] is not Whose.SHARED for kind in things.values())

    def thing(match):
        kind = things[match[1]]
        is_shared = KINDS[kind] is Whose.SHARED
        if is_shared and relation != "same" and is_strict:
            return str(scene.things[kind]["same"])
        if relation == "own":
            found = scene.own[kind].get(role)
        else:
            known = scene.things[kind]
            found = known.get(relation)
        return "\0" if found is None else str(found)

    path = re.sub(r"<(?:\w+:)?(\w+)>", thing, re.sub(r"<any\((\w+)[^>]*>", r"\1", rule))
    return None if "\0" in path else path


def cells_of(endpoint: str):
    """List role and relation of all cells of a view."""
    row = POLICY[endpoint]
    if not row.things:
        return [(role, "same") for role in "-" + ROLES]
    has_reach = any(KINDS[kind] is not Whose.SHARED for kind in row.things.values())
    relations = RELATIONS if has_reach else ("same", "missing")
    return [(role, relation) for role in "-" + ROLES for relation in relations]


def is_allowed(endpoint: str, role: str, relation: str) -> bool:
    """Say what the policy table expects of a cell."""
    row = POLICY[endpoint]
    if role not in row.roles:
        return False
    strict = [kind for kind in row.things.values() if KINDS[kind] is not Whose.SHARED]
    kinds = strict or list(row.things.values())
    return all(allowed(kind, role, relation) for kind in kinds)


def judge(answer, *, is_signed_in: bool, expected: bool) -> str:
    """Say what is wrong with an answer; empty where it is as it must be."""
    leads_to_door = answer.status_code in {302, 303} and answer.headers["Location"].startswith("/login")
    is_asked_in = answer.status_code == 401 or leads_to_door
    if answer.status_code >= 500 and answer.status_code != 503:  # 503 is what /healthz says of a site without a worker
        return f"broke with {answer.status_code}"
    if expected:
        return "was refused" if is_asked_in or answer.status_code == 404 else ""
    if not is_signed_in and is_asked_in:
        return ""
    hint = ": write a form of a right shape into FORMS" if answer.status_code in {400, 422} else ""
    return "" if answer.status_code == 404 else f"answered {answer.status_code} instead of not found{hint}"


def plain(answer, path: str) -> str:
    """Give a body without what differs with every answer: tokens, nonces, and the path that was asked for."""
    text = answer.get_data(as_text=True).replace(quote(path), "").replace(path, "")
    return f"{answer.status_code} {_REFERENCE.sub('', text)}"


@pytest.fixture(scope="module")
def calls(app):
    known = {}
    for endpoint, rule, method in calls_of(app):
        known.setdefault(endpoint, []).append((rule, method))
    return known


def body_of(bodies, endpoint, scene):
    """Give the body that a view is sent; some name things of the scene."""
    body = bodies.get(endpoint, {})
    return body(scene) if callable(body) else body


def send(stage, calls_of_view, endpoint, role, relation):
    """Call a view by all its methods; gives method, path, answer and the statements sent."""
    for rule, method in calls_of_view:
        path = path_of(rule, stage.scene, POLICY[endpoint].things, role, relation)
        if path is None:
            continue
        client = stage.scene.clients[role]
        cookies = dict(client._cookies)
        with stage.call() as seen:
            body = {"data": body_of(FORMS, endpoint, stage.scene)} if method != "GET" else {}
            if path.startswith("/api/") and method != "GET":
                body = {"json": body_of(BODIES, endpoint, stage.scene)}
            answer = client.open(path, method=method, **body)
        client._cookies = cookies
        yield method, path, answer, seen
        answer.close()


@pytest.mark.parametrize("endpoint", sorted(POLICY))
def test_each_cell_is_as_the_policy_says_and_not_yours_is_not_found(stage, calls, endpoint):
    faults, tried, missing = [], 0, {}
    for role, relation in reversed(cells_of(endpoint)):
        expected = is_allowed(endpoint, role, relation)
        for method, path, answer, statements in send(stage, calls[endpoint], endpoint, role, relation):
            tried += 1
            fault = judge(answer, is_signed_in=role != "-", expected=expected)
            if endpoint in SAME_FOR_ALL and role in POLICY[endpoint].roles and answer.status_code == 302:
                continue
            if endpoint == "people.enter_code":
                fault = "" if answer.headers.get("Location") == "/login" else "asked for a code without a password"
            if endpoint == "people.sign_out" and role != "-":
                fault = "" if answer.status_code == 303 else "did not sign out"
            if relation == "missing":
                missing[role, method] = plain(answer, path), statements
            elif not expected and not fault and (role, method) in missing:
                fault = differ(missing[role, method], (plain(answer, path), statements))
            if fault:
                faults.append(f"{role} {relation} {method} {path} {fault}")
    assert tried
    assert not faults, "\n".join(faults)


def differ(missing, refused) -> str:
    """Say in what the answer for what is not yours differs from that for what is not there."""
    if missing[0] != refused[0]:
        return "has another body than what is missing"
    extra = [statement for statement in refused[1] if statement not in missing[1]]
    if missing[1] != refused[1]:
        return f"costs other statements than what is missing: {len(missing[1])}, {len(refused[1])} {extra[:1]}"
    return ""
