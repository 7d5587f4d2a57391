"""Calls of every view, and bodies that each takes, for the access matrix and the hostile walks."""

from __future__ import annotations

import re
from urllib.parse import quote

from tests.matrix.policy import KINDS, MEMBERS, POLICY, ROLES, WIDE, Whose

BODIES = {
    "attempts_api.save_answers": {"epoch": 1, "changes": [{"item": 1, "seq": 1, "response": []}]},
    "attempts_api.hand_in": {"epoch": 1, "answers": []},
    "attempts_api.mark_unsure": {"epoch": 1, "unsure": [1]},
    "attempts_api.record_events": {"events": []},
    "training_api.answer_item": {"response": ["A"]},
    "training_api.hand_in_mock": {"answers": []},
    "corrections_api.request_correction": lambda scenario: {
        "change": {"kind": "annulment", "attempt": 1, "is_annulled": True},
        "exams": [scenario.things["exam_within"]["same"]],
    },
    "reports_api.request_export": lambda scenario: {"unit": scenario.here_id, "content": "scores", "format": "csv"},
}


FORMS = {
    "questions_admin.settle_duplicate": lambda scenario: {
        "one": scenario.things["question"]["same"],
        "other": scenario.other_question,
        "act": "both",
    },
    "reports_admin.request_export": {"content": "scores", "format": "csv", "tree": "region", "scope": "this"},
    "unit_management_admin.remind": {"group": "in_progress"},
    "unit_management_admin.export_calls": {"group": "in_progress", "reason": "打电话"},
    "unit_management_admin.draft_changes": lambda scenario: {"unit_id": scenario.here_id},
    "question_assignments_admin.return_assignment": {"answer": "理由"},
    "unit_management_admin.reject_change": {"answer": "理由"},
    "unit_management_admin.return_changes": {"answer": "理由"},
    "questions_admin.set_state": {"state": "retired"},
    "duties_admin.add_reviewer": lambda scenario: {"staff_number": scenario.peer_number},
    "duties_admin.create_assessment": {"year": "2031"},
    "records_admin.print_unit": lambda scenario: {"unit_id": scenario.here_id},
    "reports_designs.set_schedule": {"content": "participation", "format": "xlsx"},
    "exams_admin.reject_exemption": {"answer": "理由"},
    "exams_admin.change_reason": {"text": "孕产期"},
    "papers_admin.export_paper": {"seed": "1"},
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
        Whose.ACCESS: relation == "same" or (relation == "other" and role in WIDE),
        Whose.OWN: relation == "own",
        Whose.OWN_OR_WIDE: relation == "own" or (role in WIDE and relation in {"same", "other"}),
        Whose.AUDIENCE: relation == "same" and role in MEMBERS,
        Whose.LEARNER: relation == "same" and role == "C",
        Whose.DECIDER: role in "PQY" and (relation == "same" or (relation == "other" and role in WIDE)),
        Whose.REQUESTER_OR_DECIDER: relation == "own"
        or (role in "PQY" and (relation == "same" or (relation == "other" and role in WIDE))),
    }[KINDS[kind]]


def path_of(rule: str, scenario, things: dict[str, str], role: str, relation: str) -> str | None:
    """Fill a rule's arguments with things so related to the role; None where the scene has none.

    Beside a thing that is somebody's, shared ones stay what they are: only the one is another's, or missing.
    """
    is_strict = any(KINDS[kind] is not Whose.SHARED for kind in things.values())

    def thing(match):
        kind = things[match[1]]
        is_shared = KINDS[kind] is Whose.SHARED
        if is_shared and relation != "same" and is_strict:
            return str(scenario.things[kind]["same"])
        if relation == "own":
            found = scenario.own[kind].get(role)
        else:
            known = scenario.things[kind]
            found = known.get(relation)
        return "\0" if found is None else str(found)

    path = re.sub(r"<(?:\w+:)?(\w+)>", thing, re.sub(r"<any\((\w+)[^>]*>", r"\1", rule))
    return None if "\0" in path else path


def cells_of(endpoint: str):
    """List role and relation of all cells of a view."""
    row = POLICY[endpoint]
    if not row.things:
        return [(role, "same") for role in "-" + ROLES]
    has_access = any(KINDS[kind] is not Whose.SHARED for kind in row.things.values())
    relations = RELATIONS if has_access else ("same", "missing")
    return [(role, relation) for role in "-" + ROLES for relation in relations]


def is_allowed(endpoint: str, role: str, relation: str) -> bool:
    """Say what the policy table expects of a cell."""
    row = POLICY[endpoint]
    if role not in row.roles:
        return False
    strict = [kind for kind in row.things.values() if KINDS[kind] is not Whose.SHARED]
    kinds = strict or list(row.things.values())
    return all(allowed(kind, role, relation) for kind in kinds)


def plain(answer, path: str) -> str:
    """Give a body without what differs with every answer: tokens, nonces, and the path that was asked for."""
    text = answer.get_data(as_text=True).replace(quote(path), "").replace(path, "")
    return f"{answer.status_code} {_REFERENCE.sub('', text)}"


def body_of(bodies, endpoint, scenario):
    """Give the body that a view is sent; some name things of the scene."""
    body = bodies.get(endpoint, {})
    return body(scenario) if callable(body) else body
