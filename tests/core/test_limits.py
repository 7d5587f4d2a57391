"""Limits of time, a silent database, and settings that a start rejects."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import Any, cast

import pytest
import structlog as logs
from nacl.pwhash import argon2id
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from examapp.config import Mode, Settings, SettingsError, read_settings
from examapp.db.watchdog import ConnectionWatchdog
from examapp.delivery.grading.tasks import TookTooLongError, at_most
from examapp.ops.embedded_servers import make_run_folder, start_postgres
from examapp.security.ciphers import FieldCipher
from examapp.security.password_hashing import BusyHashingError, Caller, Hasher, Priority, RetryAfterScheduler
from examapp.web import logging


def test_work_without_end_is_ended():
    with pytest.raises(TookTooLongError), at_most(0.05):
        while True:
            pass


def test_work_within_its_time_is_left_alone_and_the_alarm_is_put_off():
    with at_most(5):
        done = sum(range(10))
    assert done == 45
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_production_start_over_plain_http_is_rejected():
    good: dict[str, Any] = {
        "database_url": "x",
        "redis_url": "y",
        "secret_key": "k" * 40,
        "data_keys": "k1:" + "ab" * 32,
    }
    Settings(app_mode=Mode.TRYOUT, **good).check()
    with pytest.raises(SettingsError, match="HTTPS"):
        Settings(app_mode=Mode.PRODUCTION, **good).check()


def test_all_settings_that_do_not_parse_are_listed_at_once_with_what_was_expected():
    given = {
        "APP_MODE": "live", "WEB_WORKERS": "two", "STARTS_PER_SECOND": "nan", "HTTPS": "yes", "PASSWORD_PROFILE": "none",
        "DATA_KEYS": "k1:11", "SITE_NAME": "any", "DEMO": "", "PORT": "1" * 100,
    }  # fmt: skip
    with pytest.raises(SettingsError) as rejected:
        read_settings(given)
    assert str(rejected.value).splitlines() == [
        "APP_MODE 应为：production、tryout 或 testing；现在是“live”。",
        "DATA_KEYS 的第 1 个密钥不对：应写成“编号:64位十六进制”，编号用字母、数字，互不相同。",
        f"PORT 应为：1 至 65535 的整数；现在是“{'1' * 60}”。",
        "WEB_WORKERS 应为：1 至 256 的整数；现在是“two”。",
        "STARTS_PER_SECOND 应为：大于 0 且不超过 1000000 的数；现在是“nan”。",
        "HTTPS 应为：1 或 0；现在是“yes”。",
        "PASSWORD_PROFILE 应为：asvs 或 dengbao；现在是“none”。",
    ]


def test_settings_have_their_types():
    given = read_settings({"WEB_WORKERS": "3", "HTTPS": "1", "MESSAGE_QUIET_HOURS": "off", "STARTS_PER_SECOND": "2.5"})
    assert (given.web_workers, given.https, given.message_quiet_hours) == (3, True, None)
    assert (given.starts_per_second, given.app_mode) == (2.5, Mode.PRODUCTION)


def test_all_that_a_production_start_may_not_lack_is_listed_at_once():
    with pytest.raises(SettingsError) as rejected:
        Settings().check()
    assert [issue.split()[0] for issue in rejected.value.issues] == ["未设置", "HTTPS", "SECRET_KEY", "DATA_KEYS"]


@pytest.mark.parametrize(
    "keys",
    [
        "k1:" + "11" * 16, "k1:" + "11" * 33, "k1:zz" * 32, "k1", ":" + "11" * 32, "k1:", "密钥:" + "11" * 32, "a:b:" + "11" * 32,
        f"k1:{'11' * 32},k1:{'22' * 32}", f"k1:{'11' * 32},k2:{'22' * 16}", "11" * 32,
    ],
)  # fmt: skip
def test_data_keys_of_another_length_or_shape_are_rejected_without_being_shown(keys):
    """AES takes 128 bits as well: a short key would seal silently with less than is promised."""
    with pytest.raises(SettingsError, match="DATA_KEYS") as from_check:
        read_settings({"DATA_KEYS": keys})
    with pytest.raises(SettingsError, match="DATA_KEYS"):
        FieldCipher.from_setting(keys)
    assert "1111" not in str(from_check.value)


def test_data_keys_are_read_in_their_order():
    cipher = FieldCipher.from_setting(f" k2:{'AB' * 32} , k1:{'11' * 32},")
    assert (cipher.current, list(cipher.keys), len(cipher.keys["k2"])) == ("k2", ["k2", "k1"], 32)


@pytest.fixture
def lone_postgres(tmp_path):
    folder = make_run_folder()
    server = start_postgres(tmp_path, folder, extra={"fsync": "off", "shared_buffers": "16MB"})
    yield server
    server.process.send_signal(signal.SIGCONT)
    server.stop(signal.SIGQUIT)


@pytest.mark.slow
def test_a_stalled_database_ends_the_wait_and_is_noticed_when_it_recovers(lone_postgres):
    watchdog = ConnectionWatchdog()
    engine = create_engine(lone_postgres.url)
    watchdog.install(engine)
    with engine.connect() as connection:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        assert connection.execute(text("SELECT pg_sleep(3), 1")).one()[1] == 1, (
            "a long statement on a healthy database is left alone"
        )
        began = time.monotonic()
        for process in (lone_postgres.process.pid, pid):
            os.kill(process, signal.SIGSTOP)
        with pytest.raises(OperationalError):
            connection.execute(text("SELECT 1"))
        waited = time.monotonic() - began
    assert watchdog.is_away
    with pytest.raises(OperationalError):
        engine.connect()
    for process in (pid, lone_postgres.process.pid):
        os.kill(process, signal.SIGCONT)
    thawed = threading.Event()
    for _ in range(100):
        if not watchdog.is_away:
            break
        thawed.wait(0.1)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    engine.dispose()
    assert waited < 5


def test_a_log_that_cannot_be_written_costs_no_request(monkeypatch):
    class Full:
        def write(self, *_text):
            raise OSError(28, "No space left on device")

        flush = write

    logger = logs.PrintLogger(cast("Any", logging._ForgivingErrorStream()))
    monkeypatch.setattr(sys, "stderr", Full())
    logger.error("anything")
    monkeypatch.undo()
    assert logging._ForgivingErrorStream().write("") == 0


def test_no_more_sign_ins_wait_than_the_setting_says():
    hasher = Hasher.from_settings(Settings(web_workers=2, hash_queue=2))
    assert all(hasher.queue.try_enter() for _ in range(3))
    with pytest.raises(BusyHashingError):
        hasher.verify(None, "x")
    with pytest.raises(BusyHashingError):
        hasher.check_capacity("a", Priority.RETURNING)
    hasher.queue.leave()
    hasher.check_capacity("a", Priority.RETURNING)
    assert hasher.verify(hasher.hash("right"), "right")


def test_who_comes_again_finds_a_place_where_newcomers_find_none():
    hasher = Hasher(max_concurrent=1, queue=5)
    for _ in range(2):
        hasher.queue.try_enter()
        hasher.check_capacity("a", Priority.NEWCOMER)
    hasher.queue.try_enter()
    with pytest.raises(BusyHashingError):
        hasher.check_capacity("a", Priority.NEWCOMER)
    hasher.check_capacity("a", Priority.RETURNING)
    assert hasher.verify(hasher.hash("right"), "right")
    list(iter(hasher.queue.try_enter, False))
    for priority in Priority:
        with pytest.raises(BusyHashingError):
            hasher.check_capacity("a", priority)


def take_all(places, address, priority):
    """Take what an address gets; the names differ. Gives how many."""
    callers = (Caller(name=f"{address}{priority}{n}", address=address, priority=priority) for n in range(100))
    return sum(iter(lambda: places.try_enter(next(callers)), False))


def test_an_address_holds_at_most_as_many_places_as_are_left():
    """Finding 3: anyone who asks from one address, however often, leaves room for others and for known devices."""
    places = Hasher(max_concurrent=2, queue=30).queue
    assert take_all(places, "attacker", Priority.NEWCOMER) == 8
    assert take_all(places, "attacker", Priority.RETURNING) == 8
    assert not places.has_room("attacker", Priority.RETURNING)
    assert take_all(places, "office", Priority.RETURNING) == 8
    assert take_all(places, "school", Priority.RETURNING) == 4
    assert take_all(places, "attacker", Priority.KNOWN_DEVICE) == 4, "all that is left"
    assert take_all(places, "office", Priority.KNOWN_DEVICE) == 0


def test_places_that_are_given_back_leave_no_trace():
    places = Hasher(max_concurrent=2, queue=2).queue
    callers = [Caller(name=f"n{n}", address=f"a{n}", priority=Priority.NEWCOMER) for n in range(2)]
    for _ in range(5):
        assert [places.try_enter(caller) for caller in callers] == [True, True]
        with pytest.raises(BusyHashingError):  # one hash of a name at a time
            places.try_enter(callers[0])
        for caller in callers:
            places.leave(caller)
    assert (places.taken, dict(places._by_address), places._names) == (0, {}, set())


class StoppedClock:
    """A clock that stands until somebody moves it."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def move(self, seconds):
        self.now += seconds


def scheduler_at(*, hash_s, threads=1):
    """Give a scheduler whose hashes run so long, and its clock."""
    clock = StoppedClock()
    retries = RetryAfterScheduler(threads=threads, time_s=clock)
    for _ in range(200):
        retries.timed(lambda: clock.move(hash_s))
    return retries, clock


def test_an_address_puts_off_only_itself():
    retries, clock = scheduler_at(hash_s=0.125)
    assert [retries.next_retry_s("attacker") for _ in range(10_000)][-1] == 60
    assert [retries.next_retry_s("office") for _ in range(9)] == [2, 3, 3, 3, 3, 4, 4, 4, 4], "half of eight a second"
    assert not retries.has_line("school") and retries.has_line("attacker")
    clock.move(61)
    assert retries.next_retry_s("attacker") == 2


def test_retries_of_any_number_of_addresses_are_kept_in_little():
    retries = RetryAfterScheduler(time_s=lambda: 0.0)
    for number in range(3000):
        retries.next_retry_s(str(number))
    assert len(retries._next_at) == 1001


def test_who_finds_no_place_is_asked_to_come_when_there_will_be_one():
    retries, clock = scheduler_at(hash_s=0.2, threads=2)
    assert round(retries.rate()) == 10
    assert [retries.next_retry_s("a") for _ in range(60)][::12] == [2, 4, 5, 6, 7], "ten a second are done"
    pauses = [retries.next_retry_s("a") for _ in range(800)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 60
    assert retries.next_retry_s("lobby", max_wait_s=600) == 2
    assert [retries.next_retry_s("lobby", max_wait_s=600) for _ in range(4000)][-1] == 600
    clock.move(700)
    retries.timed(lambda: clock.move(1000))
    assert retries.rate() == 4, "a machine that stood still says nothing of what it can"


_OF_THE_REFERENCE = "$argon2id$v=19$m=19456,t=2,p=1$SMnZhYBYpnaokNDOJUXqsQ$1TCGCBklaIk/azG6q0bgPxMI0BnURdOHEPvRKkM2tAc"
"""Made by the reference implementation, of `Xuefa-2026-yx`."""


def test_a_hash_that_another_implementation_made_is_read():
    hasher = Hasher(max_concurrent=1, queue=1)
    assert hasher.verify(_OF_THE_REFERENCE, "Xuefa-2026-yx")
    assert not hasher.verify(_OF_THE_REFERENCE, "xuefa-2026-yx")


@pytest.mark.parametrize(
    "stored", [None, "!", "", "words", "$argon2id$v=19$m=1,t=1", "$argon2id$" + "a" * 300, "$5$rounds=5000$a$b"]
)
def test_what_is_no_hash_matches_nothing(stored):
    hasher = Hasher(max_concurrent=1, queue=1)
    assert not hasher.verify(stored, "")
    assert not hasher.verify(stored, "Xuefa-2026-yx")


def test_a_name_without_a_hash_costs_what_a_wrong_password_does(monkeypatch):
    hasher = Hasher(max_concurrent=1, queue=1)
    stored, computed = hasher.hash("right"), []
    verify = argon2id.verify

    def note(encoded, password):
        computed.append(encoded.split(b"$")[1:4])  # algorithm, version, memory, passes and threads
        return verify(encoded, password)

    monkeypatch.setattr(argon2id, "verify", note)
    assert not hasher.verify(None, "wrong")
    assert not hasher.verify(stored, "wrong")
    assert computed[0] == computed[1] == [b"argon2id", b"v=19", b"m=9216,t=4,p=1"]


def test_hashing_steps_back_behind_everything_else():
    seen = []
    hasher = Hasher(max_concurrent=1, queue=1)
    hasher._run(lambda: seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id())))
    own = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert seen == [min(19, own + 10)]


def test_a_fork_hashes_with_threads_of_its_own():
    hasher = Hasher(max_concurrent=1, queue=1)
    stored = hasher.hash("x")
    child = os.fork()
    if child == 0:
        os._exit(0 if hasher.verify(stored, "x") else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    ("cores", "workers", "setting", "at_a_time"),
    [(2, 1, 0, 2), (2, 2, 0, 1), (2, 8, 0, 1), (16, 4, 0, 2), (16, 16, 0, 1), (16, 8, 16, 2), (16, 2, 3, 1)],
)
def test_web_processes_share_what_the_machine_hashes_at_a_time(monkeypatch, cores, workers, setting, at_a_time):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(cores)))
    hasher = Hasher.from_settings(Settings(web_workers=workers, hashes_at_once=setting))
    assert hasher._threads._max_workers == at_a_time
