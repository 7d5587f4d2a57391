"""Seven hundred connections that send half a body beside ten who save, with no nginx before the site."""

from __future__ import annotations

import contextlib
import socket

import pytest

from tests.faults.deployment import Deployment
from tests.faults.trial import trial

CONNECTIONS, SAVERS, WITHIN_S = 700, 10, 5.0
_HALF = (
    b"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b'Content-Length: 2000\r\n\r\n{"login_name":'
)
pytestmark = pytest.mark.slow


def test_half_bodies_keep_no_save_waiting_and_are_let_go():
    with Deployment() as site, contextlib.ExitStack() as held:
        site.settle(SAVERS, [(3600, 60)])
        with trial(site, people=SAVERS, seed=1, exam=(3600, 60), is_short=True) as t:
            senders = [
                held.enter_context(socket.create_connection(("127.0.0.1", site.port), timeout=60))
                for _ in range(CONNECTIONS)
            ]
            for sender in senders:
                sender.sendall(_HALF)
            t.sit(8)
            t.rest()
            saves = t.ledger.select("save", since=t.broken_at)
            assert len(saves) > SAVERS
            assert [save for save in saves if save.status != 200] == []
            assert t.ledger.slowest_s() < WITHIN_S
            for sender in senders:  # each is let go, without having sent the rest
                with contextlib.suppress(ConnectionError):
                    assert sender.recv(1) == b""
