"""Who floods the sign-in from one address keeps nobody out, on the real web server with two processes, alone and behind the deployment's nginx (H14)."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from examapp.organisation.people.models import Account
from examapp.security.password_hashing import Hasher
from tests.hostile.flood import Flood, flood
from tests.hostile.wires import NGINX, nginx_before, web_server
from tests.people.conftest import PASSWORD

ATTACKER, ELSEWHERE = "127.0.0.2", "127.0.0.3"
PEOPLE = 8
PATIENCE_S = 60
"""After which somebody gives up."""
FEW_S = 10
"""What people elsewhere and known devices are told to wait at most. How long the processor takes besides is printed: it is the machine's."""


@pytest.fixture(scope="module", params=["web", "nginx"])
def entry_point(request, servers, race_app, tmp_path_factory):
    folder = tmp_path_factory.mktemp("flood")
    is_behind = request.param == "nginx"
    if is_behind and NGINX is None:
        pytest.skip("nginx is not installed")
    shape = {"web_workers": 2, "trusted_proxies": int(is_behind)}
    with contextlib.ExitStack() as kept:
        web = kept.enter_context(web_server(servers.settings("race"), folder / "web.log", **shape))
        yield kept.enter_context(nginx_before(web, folder)) if is_behind else web


_AT_WORK = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = 'race' AND state <> 'idle' AND pid <> pg_backend_pid()"
)


@pytest.fixture
def names(race_world):
    people = [race_world.person(staff_number=f"F{number}") for number in range(3 * PEOPLE)]
    race_world.session.query(Account).update({"password_hash": Hasher(max_concurrent=1, queue=1).hash(PASSWORD)})
    race_world.commit()
    yield [person.staff_number for person in people]
    race_world.session.rollback()
    for _ in range(600):  # what the flood had sent is still being answered, and the tables are to be emptied
        if not race_world.session.scalar(_AT_WORK):
            break
        threading.Event().wait(0.1)  # waits: for the server, whose work no event tells
        race_world.session.rollback()


@dataclass(slots=True)
class PageVisitor:
    """Signs in at the page as its script does: told to come again, it comes then."""

    name: str
    source: str
    device: str = ""
    retry_after_s: int = 0
    took_s: float = 0.0
    answers: str = ""

    def sign_in(self, entry_point) -> PageVisitor:
        began = time.monotonic()
        cookies, page, _ = self._ask(entry_point, "GET", {"device": self.device})
        form = {"login_name": self.name, "password": PASSWORD, "csrf_token": _TOKEN.search(page)[1]}
        while self.retry_after_s < PATIENCE_S:
            cookies, _, again_s = self._ask(entry_point, "POST", cookies, urlencode(form))
            if again_s is None:
                self.took_s, self.device = time.monotonic() - began, cookies["device"]
                return self
            self.retry_after_s += again_s
            time.sleep(again_s)  # waits: as the page does when it is asked to
        raise AssertionError(self)

    def _ask(self, entry_point, method, cookies, body=None):
        sent = "; ".join(f"{name}={value}" for name, value in cookies.items() if value)
        headers = {"Cookie": sent, "Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        with contextlib.closing(entry_point.http(source=self.source)) as client:
            client.request(method, "/login", body, headers)
            answer = client.getresponse()
            page = answer.read().decode()
        self.answers += f"{answer.status} "
        assert answer.status in {200, 503}, (self, page[-2000:])
        got = [cookie.partition(";")[0].split("=", 1) for cookie in answer.headers.get_all("Set-Cookie") or []]
        return cookies | dict(got), page, int(answer.headers["Retry-After"]) if answer.status == 503 else None


_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def sign_in_together(entry_point, people):
    with ThreadPoolExecutor(len(people)) as pool:
        return list(pool.map(lambda person: person.sign_in(entry_point), people))


def show(title, people):
    waits = ", ".join(f"{person.took_s:.1f}" for person in people)
    print(f"{title}: {waits} s; told to wait {max(person.retry_after_s for person in people)} s at most")


@pytest.mark.parametrize(
    "keeps_cookie", [pytest.param(True, marks=pytest.mark.slow), pytest.param(False, marks=pytest.mark.long)]
)
def test_h14_a_flood_of_one_name_keeps_nobody_out(entry_point, names, keeps_cookie):
    """Beside it eight sign in from another address, eight from the same one, and eight there on devices that are known."""
    known = [PageVisitor(name, ATTACKER) for name in names[:PEOPLE]]
    sign_in_together(entry_point, known)
    known = [PageVisitor(person.name, ATTACKER, device=person.device) for person in known]
    outsiders = [PageVisitor(name, ATTACKER) for name in names[PEOPLE : 2 * PEOPLE]]
    elsewhere = [PageVisitor(name, ELSEWHERE) for name in names[2 * PEOPLE :]]
    with flood(entry_point, Flood(source=ATTACKER, keeps_cookie=keeps_cookie, is_one_name=True)) as answers:
        sign_in_together(entry_point, [*known, *outsiders, *elsewhere])
    print(dict(answers))
    for title, people, limit_s in (
        ("elsewhere", elsewhere, FEW_S),
        ("known devices", known, FEW_S),
        ("same address", outsiders, PATIENCE_S),
    ):
        show(title, people)
        assert max(person.retry_after_s for person in people) <= limit_s, people
        assert max(person.took_s for person in people) <= PATIENCE_S, people
    assert answers["401"] <= 10, "of one name few passwords are compared"


@pytest.mark.long
def test_h14_a_flood_of_ever_other_names_keeps_no_other_address_and_no_known_device_out(entry_point, names):
    """Outsiders at that address solve a captcha then, which is for people; the flood does not get that far."""
    known = [PageVisitor(name, ATTACKER) for name in names[:PEOPLE]]
    sign_in_together(entry_point, known)
    known = [PageVisitor(person.name, ATTACKER, device=person.device) for person in known]
    elsewhere = [PageVisitor(name, ELSEWHERE) for name in names[2 * PEOPLE :]]
    with flood(entry_point, Flood(source=ATTACKER, keeps_cookie=True, is_one_name=False)) as answers:
        sign_in_together(entry_point, [*known, *elsewhere])
    print(dict(answers))
    for title, people in (("elsewhere", elsewhere), ("known devices", known)):
        show(title, people)
        assert max(person.retry_after_s for person in people) <= FEW_S, people
        assert max(person.took_s for person in people) <= PATIENCE_S, people
    assert answers["401"] <= 60 + 2 * 64, "the captcha comes after sixty names and those on their way"


@pytest.mark.slow
def test_h14_a_county_behind_one_address_signs_in(entry_point, race_world, names):
    """Sixty at a time: each is done, at once or when he was told, and nginx rejects nobody."""
    more = [race_world.person(staff_number=f"C{number}") for number in range(120)]
    hashed = race_world.session.query(Account.password_hash).filter(Account.password_hash != "!").first()[0]
    race_world.session.query(Account).update({"password_hash": hashed})
    race_world.commit()
    people = [PageVisitor(person.staff_number, ATTACKER) for person in more]
    with ThreadPoolExecutor(60) as pool:
        done = list(pool.map(lambda person: person.sign_in(entry_point), people))
    assert all(person.device for person in done)
    print(
        "county",
        sum("503" in person.answers for person in done),
        "came again;",
        f"{max(one.took_s for one in done):.1f} s",
    )
