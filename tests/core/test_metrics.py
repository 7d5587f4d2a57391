"""Figures of several web processes: one scrape shows all of them, and whether an exam session is under way."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from examapp import clock
from examapp.ops.web_server import web_command
from examapp.security import rate_limits
from examapp.security.rate_limits import StartGate
from examapp.web.metrics import (
    Minute,
    WorkerHeartbeat,
    is_exam_under_way,
    list_reports,
    share_start_gate,
    write_report,
)
from tests.helpers.processes import free_port, wait_until

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("saves", "has_active_attempt"), [((), False), ((59,), False), ((60,), True), ((30, 30), True), ((30, 29), False)]
)
def test_an_attempt_is_one_act_a_second_over_all_processes(world, session, saves, has_active_attempt):
    for number, count in enumerate(saves):
        write_report(session, f"here:{number}", Minute(saves=count), now=clock.now())
    assert is_exam_under_way(session, now=clock.now()) is has_active_attempt


def test_a_wave_of_starts_or_hand_ins_is_an_exam_under_way_too(world, session):
    write_report(session, "here:1", Minute(starts=40), now=clock.now())
    assert not is_exam_under_way(session, now=clock.now())
    write_report(session, "here:1", Minute(starts=40, saves=10, hand_ins=10), now=clock.now())
    assert is_exam_under_way(session, now=clock.now())


def test_what_a_process_reported_that_is_gone_counts_no_more(world, session):
    began = clock.now()
    write_report(session, "gone:1", Minute(saves=500), now=began)
    write_report(session, "here:1", Minute(saves=5), now=began + timedelta(seconds=30))
    later = began + timedelta(seconds=30)
    assert not is_exam_under_way(session, now=later)
    assert [report.name for report in list_reports(session, now=later)] == ["here:1"]


def test_machines_share_the_queue_and_a_dead_one_gives_its_share_up(world, session, monkeypatch):
    """`here` admits 40 a second; `there` 40 too, whose second process sees slow saves and says 10; `gone` died half a minute ago."""
    began, gate = clock.now(), StartGate(time_s=lambda: 0.0)
    monkeypatch.setattr(rate_limits, "gate", gate)
    admitted = {"gone:1": 40, "here:1": 40, "here:2": 40, "there:1": 40, "there:2": 10}
    for name, per_second in admitted.items():
        monkeypatch.setattr(gate, "rate", lambda per_second=per_second: float(per_second))
        write_report(session, name, Minute(), now=began)
    monkeypatch.undo()
    monkeypatch.setattr(rate_limits, "gate", gate)
    gate.set_up(per_second=40, tokens=0)

    def whole_at(seconds):
        later = began + timedelta(seconds=seconds)
        for name in ("here:1", "here:2", "there:1", "there:2"):
            session.get(WorkerHeartbeat, name).at = later
        session.flush()
        share_start_gate(session, "here:1", now=later)
        return 600 / gate.try_admit(ahead=599)

    assert whole_at(10) == pytest.approx(40 + 10 + 40, rel=1e-3)
    assert whole_at(35) == pytest.approx(40 + 10, rel=1e-3)
    later = began + timedelta(seconds=70)
    share_start_gate(session, "here:1", now=later)
    assert 600 / gate.try_admit(ahead=599) == pytest.approx(40, rel=1e-3), "nobody else reports: this machine alone"


class TwoProcessSite:
    """The program served by two web processes; each request on a connection of its own, so that any of them answers."""

    def __init__(self, settings, folder):
        self.port = free_port()
        names = ("database_url", "redis_url", "secret_key", "data_keys")
        own = {name.upper(): str(getattr(settings, name)) for name in names}
        own |= {"APP_MODE": "tryout", "DEMO": "0", "PORT": str(self.port), "DATA_DIR": str(folder), "WEB_WORKERS": "2"}
        self.log = folder / "log"
        with self.log.open("ab") as log:
            self.server = psutil.Popen(web_command(), cwd=ROOT, env=os.environ | own, stdout=log, stderr=log)
        self.figures = folder / f"metrics-{self.port}"

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as reply:
                return reply.read().decode()
        except OSError:
            return ""

    def count(self, endpoint):
        """Give how many requests of an endpoint a scrape shows."""
        found = re.search(
            rf'^examapp_requests_total{{endpoint="{endpoint}",status="200"}} (\d+)', self.get("/metrics"), re.MULTILINE
        )
        return int(found[1]) if found else 0

    def pids(self):
        """Give the processes that have counted a request."""
        return {int(path.stem.rpartition("_")[2]) for path in self.figures.glob("histogram_*.db")}


@pytest.fixture
def site(servers, race_app, tmp_path):
    running = TwoProcessSite(servers.settings("race"), tmp_path)
    assert wait_until(lambda: running.get("/login"), within_s=60), running.log.read_text()
    yield running
    if running.server.poll() is not None:
        return
    running.server.terminate()
    try:
        running.server.wait(30)
    except subprocess.TimeoutExpired:
        running.server.kill()


def test_a_scrape_of_either_process_shows_both_and_a_killed_one_is_not_forgotten(site):
    def asked():
        for _ in range(20):
            assert site.get("/login")
        return len(site.pids()) >= 2

    assert wait_until(asked, within_s=60)
    before = site.count("people.sign_in")
    assert before >= 20
    assert {site.count("people.sign_in") for _ in range(20)} == {before}, "whichever process answers"
    workers = [worker.pid for server in site.server.children() for worker in server.children()]
    os.kill(workers[0], signal.SIGKILL)
    assert wait_until(lambda: site.count("people.sign_in") >= before, within_s=30)
    for _ in range(5):
        assert wait_until(lambda: site.get("/login"), within_s=30)  # a connection to the killed one is lost
    assert site.count("people.sign_in") == before + 5


def test_figures_of_an_earlier_run_are_dropped(site):
    assert site.pids()
    site.server.terminate()
    site.server.wait(30)
    (site.figures / "counter_1.db").write_bytes(b"of an earlier run")
    again = subprocess.Popen(
        [sys.executable, "-c", "from examapp.ops.web_server import main; main()", "tests.core.none:app"],
        cwd=ROOT, env=os.environ | {"PORT": str(site.port), "DATA_DIR": str(site.figures.parent)}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert again.wait(60) is not None
    assert not site.pids() and not (site.figures / "counter_1.db").exists()
