"""The short drill: kills of web, worker, Valkey and PostgreSQL, lost replies and duplicates, half bodies, on one deployment."""

from __future__ import annotations

import contextlib
import os
import socket

import pytest

from tests.faults.deployment import DrillDeployment
from tests.faults.rows import ROWS
from tests.faults.trial import trial

pytestmark = [pytest.mark.drill, pytest.mark.begins]
PEOPLE = 60
CONNECTIONS, SAVERS, WITHIN_S, EXAM = 700, 10, 5.0, (3600, 60)
_HALF = (
    b"POST /api/v1/session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b'Content-Length: 2000\r\n\r\n{"login_name":'
)
SHORT = ("F01", "F05", "F12", "F14", "F16", "F17", "F21", "F24", "F25")


@pytest.fixture(scope="module")
def site():
    with DrillDeployment() as site:
        site.settle(PEOPLE, [*(ROWS[name].exam for name in SHORT), EXAM])
        yield site


@pytest.mark.parametrize("name", SHORT)
def test_nothing_acknowledged_is_lost(site, name):
    result = ROWS[name].run(site, seed=int(os.environ.get("SEED", "1")), people=PEOPLE, is_short=True)
    assert result.acknowledged > 0
    assert result.lost == 0, result.faults
    assert not result.faults, "\n".join(result.faults)


def test_half_bodies_keep_no_save_waiting_and_are_let_go(site):
    """Seven hundred connections that send half a body beside ten people who save, with no nginx before the site."""
    with contextlib.ExitStack() as held, trial(site, people=SAVERS, seed=1, exam=EXAM, is_short=True) as t:
        senders = [
            held.enter_context(socket.create_connection(("127.0.0.1", site.port), timeout=60))
            for _ in range(CONNECTIONS)
        ]
        for sender in senders:
            sender.sendall(_HALF)
        t.take_exam(8)
        t.rest()
        saves = t.ledger.select("save", since=t.broken_at)
        assert len(saves) > SAVERS
        assert [save for save in saves if save.status != 200] == []
        assert t.ledger.slowest_s() < WITHIN_S
        for sender in senders:  # each is let go, without having sent the rest
            with contextlib.suppress(ConnectionError):
                assert sender.recv(1) == b""
