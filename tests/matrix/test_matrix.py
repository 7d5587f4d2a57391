"""The access matrix: every view × method × role × {own, same unit, other unit, none}, judged by the policy table."""

from __future__ import annotations

import pytest

from tests.matrix.calls import (
    BODIES,
    FORMS,
    body_of,
    calls_of,
    cells_of,
    is_allowed,
    path_of,
    plain,
)
from tests.matrix.policy import POLICY, SAME_FOR_ALL


def judge(answer, *, is_signed_in: bool, expected: bool) -> str:
    """Say what is wrong with an answer; empty where it is as it must be."""
    leads_to_entry_point = answer.status_code in {302, 303} and answer.headers["Location"].startswith("/login")
    is_asked_in = answer.status_code == 401 or leads_to_entry_point
    if answer.status_code >= 500 and answer.status_code != 503:  # 503 is what /healthz says of a site without a worker
        return f"broke with {answer.status_code}"
    if expected:
        return "was refused" if is_asked_in or answer.status_code == 404 else ""
    if not is_signed_in and is_asked_in:
        return ""
    hint = ": write a form of a right shape into FORMS" if answer.status_code in {400, 422} else ""
    return "" if answer.status_code == 404 else f"answered {answer.status_code} instead of not found{hint}"


@pytest.fixture(scope="module")
def calls(app):
    known = {}
    for endpoint, rule, method in calls_of(app):
        known.setdefault(endpoint, []).append((rule, method))
    return known


def send(stage, calls_of_view, endpoint, role, relation):
    """Call a view by all its methods; gives method, path, answer and the statements sent."""
    for rule, method in calls_of_view:
        path = path_of(rule, stage.scenario, POLICY[endpoint].things, role, relation)
        if path is None:
            continue
        client = stage.scenario.clients[role]
        cookies = dict(client._cookies)
        with stage.call() as seen:
            body = {"data": body_of(FORMS, endpoint, stage.scenario)} if method != "GET" else {}
            if path.startswith("/api/") and method != "GET":
                body = {"json": body_of(BODIES, endpoint, stage.scenario)}
            answer = client.open(path, method=method, **body)
        client._cookies = cookies
        yield method, path, answer, seen
        answer.close()


@pytest.mark.slow
@pytest.mark.begins
@pytest.mark.parametrize("endpoint", sorted(POLICY))
def test_each_cell_is_as_the_policy_says_and_not_yours_is_not_found(stage, calls, endpoint):
    issues, tried, missing = [], 0, {}
    for role, relation in reversed(cells_of(endpoint)):
        expected = is_allowed(endpoint, role, relation)
        for method, path, answer, statements in send(stage, calls[endpoint], endpoint, role, relation):
            tried += 1
            issue = judge(answer, is_signed_in=role != "-", expected=expected)
            if endpoint in SAME_FOR_ALL and role in POLICY[endpoint].roles and answer.status_code in {302, 303}:
                continue
            if endpoint == "people.enter_code":
                issue = "" if answer.headers.get("Location") == "/login" else "asked for a code without a password"
            if endpoint == "people.sign_out" and role != "-":
                issue = "" if answer.status_code == 303 else "did not sign out"
            if relation == "missing":
                missing[role, method] = plain(answer, path), statements
            elif not expected and not issue and (role, method) in missing:
                issue = differ(missing[role, method], (plain(answer, path), statements))
            if issue:
                issues.append(f"{role} {relation} {method} {path} {issue}")
    assert tried
    assert not issues, "\n".join(issues)


def differ(missing, rejected) -> str:
    """Say in what the answer for what is not yours differs from that for what is not there."""
    if missing[0] != rejected[0]:
        return "has another body than what is missing"
    extra = [statement for statement in rejected[1] if statement not in missing[1]]
    if missing[1] != rejected[1]:
        return f"costs other statements than what is missing: {len(missing[1])}, {len(rejected[1])} {extra[:1]}"
    return ""
