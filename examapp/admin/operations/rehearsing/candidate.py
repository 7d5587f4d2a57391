"""A synthetic candidate: a client of the delivery protocol that remembers what the server acknowledged."""

from __future__ import annotations

import gzip
import http.client
import json
import random
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

_TIMEOUT_S = 20
_INSISTS_FOR_S = 30
_LONGEST_QUEUE_S = 60
_TOKEN = re.compile(rb'name="csrf_token"[^>]*value="([^"]+)"')


class CallFailedError(Exception):
    """A call was not answered as the protocol says."""


@dataclass(slots=True)
class Candidate:
    """One browser of one synthetic person."""

    port: int
    login_name: str
    password: str
    attempt_id: int = 0
    epoch: int = 1
    total: int = 0
    seq: int = 0
    acked: dict[int, int] = field(default_factory=dict)
    """The newest acknowledged counter by item: what must be in the database at the end."""
    _cookies: dict[str, str] = field(default_factory=dict)
    _csrf: str = ""
    _connection: http.client.HTTPConnection | None = None

    def sign_in(self) -> None:
        """Sign in with the form, as a browser does."""
        _, page = self._call("GET", "/login", expected={200})
        token = _TOKEN.search(page)
        if token is None:
            raise CallFailedError("/login: no token")
        form = {"login_name": self.login_name, "password": self.password, "csrf_token": token.group(1).decode()}
        self._call("POST", "/login", form=form, expected={303})
        self._csrf = self._json("GET", "/api/v1/session")["csrf_token"]

    def start(self, exam_id: int) -> None:
        """Start the exam, standing in the queue where there is one, and fetch the paper."""
        deadline = time.monotonic() + _LONGEST_QUEUE_S
        while True:
            status, body = self._call("POST", f"/api/v1/exams/{exam_id}/attempts", {}, expected={200, 201, 202})
            if status != 202:
                break
            if time.monotonic() > deadline:
                raise CallFailedError("queued too long")
            time.sleep(0.5)
        attempt = json.loads(body)
        self.attempt_id, self.epoch = attempt["id"], attempt["epoch"]

    def read_paper(self) -> None:
        """Fetch the paper."""
        paper = self._json("GET", f"/api/v1/attempts/{self.attempt_id}/paper")
        self.total = sum(len(section["items"]) for section in paper["sections"])

    def save(self) -> None:
        """Save one answer."""
        self.seq += 1
        change = self._change(1 + self.seq % self.total)
        path = f"/api/v1/attempts/{self.attempt_id}/answers"
        answer = self._json("PUT", path, {"epoch": self.epoch, "changes": [change]})
        self.acked.update({int(item): seq for item, seq in answer["acked"].items()})

    def hand_in(self) -> None:
        """Hand in."""
        path = f"/api/v1/attempts/{self.attempt_id}/submission"
        self._json("POST", path, {"epoch": self.epoch, "answers": []}, expected={200, 201})

    def _change(self, item: int) -> dict[str, Any]:
        return {"item": item, "seq": self.seq, "response": ["AB"[self.seq % 2]]}

    def _json(self, method: str, path: str, body: object = None, *, expected: set[int] | None = None) -> Any:
        return json.loads(self._call(method, path, body, expected=expected or {200})[1])

    def _call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        form: dict[str, str] | None = None,
        expected: set[int],
    ) -> tuple[int, bytes]:
        """Call, and repeat for a while where the server asks for that, as any client does."""
        deadline = time.monotonic() + _INSISTS_FOR_S
        while True:
            status, content = self._once(method, path, body, form=form)
            if status in expected:
                return status, content
            if status not in {429, 503} or time.monotonic() > deadline:
                raise CallFailedError(f"{path}: {status}")
            time.sleep(random.uniform(0.3, 0.9))  # noqa: S311 – spreads calls, keeps no secret

    def _once(self, method: str, path: str, body: object, *, form: dict[str, str] | None) -> tuple[int, bytes]:
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            "X-CSRFToken": self._csrf,
            "Accept-Encoding": "gzip",
        }
        data = None
        if form is not None:
            data, headers["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        elif body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        is_reused = self._connection is not None
        try:
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_TIMEOUT_S)
            self._connection.request(method, path, data, headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection = None
            if is_reused:  # the server ends a connection that was idle; a browser dials again without a word
                return self._once(method, path, body, form=form)
            raise CallFailedError(f"{path}: {type(error).__name__}") from error
        for cookie in answer.msg.get_all("Set-Cookie") or []:
            name, _, value = cookie.split(";", 1)[0].partition("=")
            self._cookies[name] = value
        return answer.status, gzip.decompress(content) if answer.getheader("Content-Encoding") == "gzip" else content
