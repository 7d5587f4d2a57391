"""A county's 8,000 messages through the gateway to an operator that answers at once: how long they take, and what saves cost meanwhile; and beside one that hangs."""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from sqlalchemy import delete, func, select

from benchmarks.deployment import BenchmarkDeployment
from benchmarks.figures import Figure, at_least, at_most
from benchmarks.load import LoadCandidate, hammer, sign_in_many
from examapp import clock, create_app
from examapp.db.session import transaction
from examapp.organisation.people.models import Person
from examapp.organisation.people.rules import mobile_binding
from examapp.platform.notices.models import MessageChannel, OutgoingMessage, OutgoingState
from examapp.platform.outgoing_messages.actions import send_out_many

_CONCURRENCY, _SAVES, _ROUNDS = 4, 60, 5
_OFFSET = 200
"""Candidates whom no other topic takes."""
_KEY = "bench:{}"
_READY, _HANGING = "ready", "hanging"


class _Operator(BaseHTTPRequestHandler):
    """Takes every message."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def measure(deployment: BenchmarkDeployment) -> list[Figure]:
    """Save at a person's pace without and beside a worker that sends, and beside one that waits for a gateway that hangs; give the medians' ratios."""
    candidates = sign_in_many(deployment.port, deployment.accounts, _CONCURRENCY, offset=_OFFSET)
    before = [_median_s(candidates) for _ in range(_ROUNDS)]
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Operator)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    beside, sent = _beside(deployment, candidates, f"http://127.0.0.1:{server.server_port}", rounds=_ROUNDS)
    server.shutdown()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        hanging, _ = _beside(deployment, candidates, f"http://127.0.0.1:{silent.getsockname()[1]}", _HANGING, rounds=1)
    alone_s, beside_s, hanging_s = (statistics.median(found) for found in (before, beside, hanging))
    print(
        f"  save {1000 * alone_s:.1f} ms alone, {1000 * beside_s:.1f} ms beside, {1000 * hanging_s:.1f} ms beside one that hangs"
    )
    return [
        at_least("messages taken by the operator, each once", sent["count"], sent["people"], "messages"),
        at_most("8,000 messages through the gateway", sent["seconds"], 600, "s"),
        at_most("save: median beside the sending over alone", beside_s / alone_s, 2, "ratio"),
        at_most("save: median beside a gateway that hangs over alone", hanging_s / alone_s, 2, "ratio"),
    ]  # fmt: skip


def _beside(
    deployment: BenchmarkDeployment, candidates: list[LoadCandidate], url: str, *more: str, rounds: int
) -> tuple[list[float], dict[str, float]]:
    """Save beside a worker that hands messages to a gateway at an address; gives the medians, and what the worker says it did."""
    own = {"MESSAGE_GATEWAY": url, "MESSAGE_GATEWAY_SECRET": "x" * 32, "MESSAGE_QUIET_HOURS": "off"}
    sender = subprocess.Popen(
        ["nice", "-n", "5", sys.executable, "-m", "benchmarks.messages", *more],
        env=deployment.environment | own,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert sender.stdout is not None
    assert sender.stdout.readline().strip() == _READY
    found = [_median_s(candidates) for _ in range(rounds)]
    is_beside = sender.poll() is None
    sent = json.loads(sender.stdout.read())
    assert is_beside, "the messages were over before the saves"
    return found, sent


def _median_s(candidates: list[LoadCandidate]) -> float:
    time.sleep(5.2)  # one attempt may save 100 times in five seconds
    _, durations = hammer(candidates, _SAVES, LoadCandidate.save)
    return statistics.median(durations)


def _send(*, is_hanging: bool) -> dict[str, float]:
    """Put a message down for everybody and send them as the worker does, run after run; one run for a gateway that hangs."""
    app = create_app()
    with app.app_context():
        people = _prepare(app.extensions["cipher"])
        print(_READY, flush=True)
        began, send_waiting = time.perf_counter(), app.extensions["celery"].tasks["messages.send_waiting"]
        while _count(OutgoingState.WAITING) + _count(OutgoingState.SENDING):
            send_waiting()
            if is_hanging:  # until the channel is left alone, after its third timeout
                break
        seconds, count = time.perf_counter() - began, _count(OutgoingState.SENT)
        with transaction() as session:
            session.execute(delete(OutgoingMessage).where(OutgoingMessage.once_key.startswith(_KEY.format(""))))
            session.execute(delete(MessageChannel))
    return {"people": people, "count": count, "seconds": seconds}


def _prepare(cipher) -> int:
    with transaction() as session:
        people = session.scalars(select(Person).where(Person.staff_number.startswith("YX"))).all()
        for number, person in enumerate(people):
            person.mobile_encrypted = cipher.seal(f"138{number:08}", associated_data=mobile_binding(person.id))
        recipients = [(person.id, _KEY.format(person.id)) for person in people]
        send_out_many(session, recipients, kind="results.opened", text="成绩已经公布。", parameters=["年度考试"], now=clock.now())  # fmt: skip
    return len(people)


def _count(state: OutgoingState) -> int:
    with transaction() as session:
        of_bench = OutgoingMessage.once_key.startswith(_KEY.format(""))
        query = select(func.count()).select_from(OutgoingMessage).where(of_bench, OutgoingMessage.state == state)
        return session.scalar(query) or 0


if __name__ == "__main__":
    print(json.dumps(_send(is_hanging=_HANGING in sys.argv)))
