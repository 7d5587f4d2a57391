"""A served site with true commits, and real Chromium in front of it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from examapp import clock
from examapp.config import Mode, read_settings
from examapp.content.blueprints.queries import clear_paper_caches
from examapp.db.session import db
from examapp.organisation.access.rules import PERMISSION_HOLDERS, Role
from examapp.organisation.accounts.guards import access_rule
from examapp.organisation.accounts.rules import digest
from examapp.organisation.people.models import Account, SignIn
from examapp.security import rate_limits
from question_bank.model import Kind
from tests.browser.deployment import Visitors, deployed
from tests.browser.elsewhere import ON_DEMAND
from tests.browser.page_checker import PageChecker
from tests.browser.walk import Walk
from tests.conftest import opened
from tests.faults.injection import disabled_by_environment
from tests.helpers.processes import free_port

PASSWORD = "Ceshi-2026-kaoshi"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


_STAYS = """
try { if (localStorage.getItem('setting:lead-on') === null) { localStorage.setItem('setting:lead-on', 'off'); } } catch (error) { void error; }
"""
"""A question stays on the page when it is answered, as tests expect that look at it afterwards; test_ways_through_the_paper.py takes it away."""


_BODY = "tests.body"


def _noted(app):
    """Note in a request's environment what it is answered with."""

    def run(environ, start_response):
        environ[_BODY] = app(environ, start_response)
        return environ[_BODY]

    return run


class _Quiet(WSGIRequestHandler):
    # HTTP/1.0: no connection outlives `stop`.
    def log(self, *_args) -> None:
        return

    def connection_dropped(self, error, environ=None) -> None:
        # A browser that leaves before the end: the server then forgets to close what it was sending.
        if close := getattr((environ or {}).get(_BODY), "close", None):
            close()


class LiveSite:
    """The application of `race_world`, served on a port of its own by threads; may be stopped and started again on that port."""

    def __init__(self, world) -> None:
        self.world = world
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._server: Any = None
        self._passwords: str | None = None

    def start(self) -> None:
        self._server = make_server(
            "127.0.0.1", self.port, _noted(self.world.app), threaded=True, request_handler=_Quiet
        )
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def cookie(self, person) -> dict:
        """A session cookie of a fresh sign-in of this person."""
        token = secrets.token_urlsafe(24)
        account = self.world.session.query(Account).filter_by(person_id=person.id).one()
        self.world.save(SignIn(account_id=account.id, token_digest=digest(token), started_at=clock.now()))
        self.world.commit()
        app = self.world.app
        serializer = app.session_interface.get_signing_serializer(app)
        value = serializer.dumps({"_user_id": token, "_fresh": True, "_permanent": True})
        return {"name": app.config["SESSION_COOKIE_NAME"], "value": value, "url": self.url}

    def give_password(self, person) -> str:
        """Give a person the password that the sign-in on the page can be tried with."""
        self._passwords = self._passwords or self.world.app.extensions["hasher"].hash(PASSWORD)
        self.world.session.query(Account).filter_by(person_id=person.id).one().password_hash = self._passwords
        self.world.commit()
        return PASSWORD

    def read(self, model, **conditions):
        """Read rows as they are committed now."""
        self.world.session.rollback()
        self.world.session.expire_all()
        return self.world.session.query(model).filter_by(**conditions).all()


@pytest.fixture
def live(race_world, monkeypatch):
    """The site; a page pauses between two saves for a tenth of the usual time."""
    monkeypatch.setattr(rate_limits, "NEXT_SAVE_MS", 200)
    clear_paper_caches()
    site = LiveSite(race_world)
    with disabled_by_environment(race_world.app):
        site.start()
        yield site
        site.stop()
    db.session.remove()


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def device(chromium, live):
    """Makes devices: `device(person, width=360)` is a fresh browser profile, signed in; its errors fail the test."""
    contexts, errors = [], []

    def make(person=None, *, width=360, height=740, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        context.set_default_timeout(15_000)
        context.add_init_script(_STAYS)
        if person is not None:
            context.add_cookies([live.cookie(person)])
        context.on("weberror", lambda error: errors.append(str(error.error)))
        contexts.append(context)
        return context

    yield make
    for context in contexts:
        with contextlib.suppress(Exception):
            context.close()
    assert errors == []


@pytest.fixture
def look(live, device, request):
    """Looks at pages as a person sees them; a test that elsewhere.py names for a page has looked at it when it ends."""
    page_checker = PageChecker(live, device)
    yield page_checker
    own = request.node.nodeid.partition("[")[0]
    assert {endpoint for endpoint, test in ON_DEMAND.items() if test == own} <= page_checker.opened


@pytest.fixture
def make_exam(race_world):
    """Makes an exam over its own questions: `make_exam({Kind.SINGLE_CHOICE: 3})`; points 2 each."""

    def make(counts=None, **fields):
        counts = counts or {Kind.SINGLE_CHOICE: 2, Kind.MULTIPLE_CHOICE: 1, Kind.TRUE_FALSE: 1}
        for kind, count in counts.items():
            for _ in range(count):
                key = ("A", "B") if kind == Kind.MULTIPLE_CHOICE else ("A",)
                parts = [(Kind.SINGLE_CHOICE, ("A",), 4), (Kind.MULTIPLE_CHOICE, ("A", "B"), 4)]
                race_world.question(kind, key=key, parts=parts, options=2 if kind == Kind.TRUE_FALSE else 4)
        blueprint = race_world.blueprint([(kind, count, Decimal(2)) for kind, count in counts.items()])
        fields = {"attempts_allowed": None, "opens_in": timedelta(hours=-1), "lasts": timedelta(hours=8)} | fields
        exam = race_world.exam(blueprint, **fields)
        race_world.commit()
        return exam

    return make


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A deployment of the demo county."""
    with deployed(tmp_path_factory.mktemp("county"), DEMO="1") as running:
        yield running


@pytest.fixture(scope="module")
def accounts(site):
    """The demo county's accounts by role."""
    reply = json.loads((site.site.settings.data_path / "demo-accounts.json").read_text("utf-8"))
    return {account["role"]: account for account in reply["accounts"]}


@pytest.fixture(scope="module")
def site_app(site):
    """An application over that deployment's database, to be asked what it is made of."""
    with opened(replace(read_settings(site.site.environment), app_mode=Mode.TESTING, log_level="ERROR")) as app:
        yield app


@pytest.fixture(scope="module")
def walk(site_app):
    """What was opened, and the map of addresses."""
    return Walk(site_app.url_map.bind("127.0.0.1"))


@pytest.fixture(scope="module")
def office_pages(site_app):
    """The views that hang on a permission of the office."""
    held = {name for name, roles in PERMISSION_HOLDERS.items() if Role.PUBLICITY_OFFICE in roles}
    return {name for name, view in site_app.view_functions.items() if access_rule(view) in held}


@pytest.fixture(scope="module")
def visitors(chromium, site):
    """Visitors of that deployment."""
    made = Visitors(chromium, site.url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory):
    """A folder that the processes of one test run share."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "walk"
    folder.mkdir(exist_ok=True)
    return folder
