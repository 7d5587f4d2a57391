"""Forms of exams and of exemptions that people ask for themselves."""

from __future__ import annotations

from tests.helpers.forms import post


def act(client, exam, what):
    """Press a button of the exam's page; the token comes from a page that always has one."""
    return post(client, f"/admin/exams/{exam.id}/{what}", page="/admin/exams/new")


def fields(**changes):
    """Give the fields of a valid exam form."""
    return {
        "title": "2026 年度学法用法考试",
        "kind": "annual",
        "opens_at": "2026-12-01T09:00",
        "closes_at": "2026-12-20T18:00",
        "duration": "60",
        "grace_s": "60",
        "attempts_allowed": "3",
        "counting_rule": "best",
        "scoring_rule": "half_for_incomplete",
        "pass_percent": "60",
        "good_percent": "80",
        "excellent_percent": "90",
        "results_policy": "at_once",
        "keys_policy": "at_close",
    } | changes


def ask(client, exam, **changes):
    """Ask for an exemption from an exam for oneself."""
    fields = {"exam_id": exam.id, "kind": "exemption", "reason": "长期病假"} | changes
    return post(client, "/exemptions/new", fields)
