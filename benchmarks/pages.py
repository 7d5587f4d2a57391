"""What the exam page brings over the wire at its first load, and the county's participation page."""

from __future__ import annotations

import re

from benchmarks.deployment import BenchmarkDeployment, run_inside
from benchmarks.figures import Figure, at_most
from benchmarks.load import LoadCandidate, sign_in_many
from examapp.ops.protocol_client import ProtocolCall, get_paper


def measure(deployment: BenchmarkDeployment) -> list[Figure]:
    """Load the exam page as a browser with an empty cache does, gzip only (brotli would be less)."""
    candidate = sign_in_many(deployment.port, deployment.accounts, 1, offset=200)[0]
    requests, received = _first_load(candidate, deployment.accounts["open_exam_id"])
    page = run_inside(deployment, "benchmarks.inside", "page")
    export = run_inside(deployment, "benchmarks.inside", "export")
    assert export["state"] == "ready", export
    return [
        at_most("exam page: first load over the wire", received / 1000, 150, "kB"),
        at_most("exam page: requests at first load", requests, 12, "requests"),
        at_most(
            "county participation page, 8,000 people and 120 units: statements", page["statements"], 6, "statements"
        ),
        at_most("county participation page: time in the server, median", page["ms"], 50, "ms"),
        at_most("scores of 8,000 people to xlsx: time", export["s"], 3, "s"),
        at_most("scores of 8,000 people to xlsx: peak memory of the whole process", export["mb"], 150, "MB"),
    ]


def _first_load(candidate: LoadCandidate, exam_id: int) -> tuple[int, int]:
    fresh = LoadCandidate(candidate.client.port, candidate.browser)
    page = fresh.ask(ProtocolCall("GET", f"/exams/{exam_id}/sit"))
    assert page.status == 200, page.status
    wanted = re.findall(rb'(?:href|src)="(/static/[^"]+|/exam-worker[^"]*)"', page.content)
    for path in dict.fromkeys(wanted):
        assert fresh.ask(ProtocolCall("GET", path.decode())).status == 200, path
    fresh.start(exam_id)
    assert fresh.ask(get_paper(fresh.attempt_id)).status == 200
    return fresh.requests, fresh.received
