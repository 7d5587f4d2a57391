"""Anyone who holds the database, but neither the keys nor the data folder, changes nothing in the log that the check does not name."""

from __future__ import annotations

import json
import re
import shutil
from datetime import timedelta

import pytest
from sqlalchemy import text

from examapp.platform.audit.models import AuditEvent, AuditSeal
from examapp.platform.audit.rules import ChainHead
from examapp.platform.audit_chain import actions as audit_chain_actions
from examapp.platform.audit_chain.actions import head_of_chain
from examapp.security.ciphers import FieldCipher
from tests.conftest import NOON
from tests.helpers.audit_log import note

FORGED = """INSERT INTO audit_events (at, actor_id, act, object_type, object_id, details)
            VALUES (now() - interval '20 days', 7, 'exams.extend', 'exam', 2, '{"closes_at": "forged"}') RETURNING id"""


@pytest.fixture
def task(app, session):
    """Run a task as beat does."""

    def run(name):
        session.commit()
        app.extensions["celery"].tasks[name].apply()

    return run


@pytest.fixture
def console(app, session):
    """Run a command of the audit log at the console."""

    def run(*arguments):
        session.commit()
        return app.test_cli_runner().invoke(args=["audit", *arguments])

    return run


@pytest.fixture
def folder(app):
    return app.config["SETTINGS"].data_path


@pytest.fixture
def log(world, session, fixed_clock, task):
    """Twenty lines on the chain, an hour of acts, and the daily check's own line on it as well."""
    person = world.person()
    for number in range(20):
        fixed_clock.at(NOON + timedelta(minutes=3 * number))
        note(session, fixed_clock.instant, act="exams.extend", person=person, count=number)
    for name in ("audit.seal", "audit.verify", "audit.seal"):
        task(name)
    fixed_clock.at(NOON + timedelta(hours=2))
    return list(session.query(AuditEvent.id).order_by(AuditEvent.id))


def change(session, *statements, **values):
    """Do as the database's superuser, without the program."""
    return [session.execute(text(statement), values) for statement in statements]


def assert_named(answer, *wording):
    assert answer.exit_code == 1, answer.output
    for word in (*wording, "核对"):
        assert str(word) in answer.output, answer.output


def test_an_untouched_log_verifies_through_days_of_sealing(session, log, task, console, fixed_clock):
    for day in range(1, 4):
        fixed_clock.at(NOON + timedelta(days=day))
        note(session, fixed_clock.instant)
        task("audit.seal")
        answer = console("verify")
        assert answer.exit_code == 0, answer.output
        assert "审计记录完好" in answer.output


@pytest.mark.parametrize(
    ("statement", "wording"),
    [
        ("UPDATE audit_events SET details = '{}' WHERE id = :id", "已被改动"),
        ("UPDATE audit_events SET actor_id = 4711 WHERE id = :id", "已被改动"),
        ("DELETE FROM audit_events WHERE id = :id", "已被删除"),
    ],
)
def test_t1_to_t3_a_line_changed_or_removed_is_named(session, log, task, console, statement, wording):
    change(session, statement, id=log[4].id)
    task("audit.seal")
    assert_named(console("verify"), f"记录 {log[4].id} {wording}")


def test_t4_a_line_removed_with_its_link_is_named_by_its_place(session, log, task, console):
    change(
        session, "DELETE FROM audit_events WHERE id = :id", "DELETE FROM audit_seals WHERE event_id = :id", id=log[4].id
    )
    task("audit.seal")
    assert_named(console("verify"), "第 5 至 5 环缺失")


def test_lines_and_links_cut_off_the_end_are_missed_and_nothing_is_sealed_in_their_place(session, log, task, console):
    change(
        session,
        "DELETE FROM audit_events WHERE id >= :id",
        "DELETE FROM audit_seals WHERE event_id >= :id",
        id=log[12].id,
    )
    note(session, NOON + timedelta(hours=2))
    task("audit.seal")
    assert session.query(AuditSeal).count() == 12
    assert_named(console("verify"), "链首文件记到第 21 环", "第 13 至 21 环已被删除")


def test_t5_a_forged_line_with_an_old_date_is_never_sealed_and_is_named(session, log, task, console):
    forged = change(session, FORGED)[0].scalar_one()
    note(session, NOON + timedelta(hours=2))
    task("audit.seal")
    assert session.query(AuditSeal).filter_by(event_id=forged).count() == 0
    assert session.query(AuditSeal).count() == 22, "what is honest is sealed all the same"
    assert_named(console("verify"), f"记录 {forged} 不在链上：日期早于已上链的记录", "exams.extend")
    head = re.search(r'"head": "(\d+:\w{64})"', json.dumps([event.details for event in session.query(AuditEvent)]))[1]
    assert_named(console("verify", "--head", head), f"记录 {forged}")


def test_many_forged_lines_do_not_keep_the_honest_ones_from_the_chain(session, log, task):
    change(
        session, FORGED.replace("VALUES (", "SELECT ").replace(") RETURNING", "FROM generate_series(1, 6000) RETURNING")
    )
    note(session, NOON + timedelta(hours=2))
    task("audit.seal")
    assert session.query(AuditSeal).count() == 22


def test_a_forged_line_in_the_future_does_not_make_the_honest_ones_look_old(session, log, task, console):
    forged = change(session, FORGED.replace("now() - interval '20 days'", "'2030-01-01'"))[0].scalar_one()
    note(session, NOON + timedelta(hours=2))
    task("audit.seal")
    assert session.query(AuditSeal).count() == 22
    assert_named(console("verify"), f"记录 {forged} 不在链上：日期在将来")


def test_t6_a_rewritten_end_of_the_log_is_not_sealed_again_by_the_program(session, log, task, console):
    change(
        session,
        "DELETE FROM audit_seals WHERE number >= 13",
        'UPDATE audit_events SET actor_id = 4711, details = \'{"closes_at": "forged"}\' WHERE id = :id',
        "UPDATE audit_events SET details = jsonb_set(details, '{failures}', '\"1\"') WHERE act = 'audit.verify'",
        id=log[12].id,
    )
    for name in ("audit.seal", "audit.verify", "audit.seal"):
        task(name)
    assert session.query(AuditSeal).count() == 12
    assert_named(console("verify"), "链首文件记到第 21 环", "第 13 至 21 环已被删除")


def test_t6_again_with_links_forged_without_the_key(session, log, task, console):
    """The links are put back as they were numbered, with digests of anybody's making: of the same length, and of the same number."""
    change(
        session,
        "UPDATE audit_events SET actor_id = 4711 WHERE id = :id",
        "UPDATE audit_seals SET digest = sha256(digest) WHERE number >= 13",
        id=log[12].id,
    )
    task("audit.seal")
    assert_named(console("verify"), f"记录 {log[12].id} 已被改动", "链被整段重做")


def test_t7_an_emptied_log_is_a_fault_and_stays_one(session, log, task, console, world):
    world.client(world.person())
    change(session, "TRUNCATE audit_events, audit_seals, audit_archives")
    assert_named(console("verify"), "一条也没有", "链首文件记到第 21 环，链上只到第 0 环")
    note(session, NOON + timedelta(hours=2))
    task("audit.seal")
    assert session.query(AuditSeal).count() == 0
    assert_named(console("verify"), "第 1 至 21 环已被删除")


def test_an_emptied_log_is_a_fault_even_where_no_link_was_ever_made(session, world, console):
    world.client(world.person())
    assert_named(console("verify"), "网站已有账号，审计记录却一条也没有")


def test_a_line_put_among_old_ones_is_named(session, log, task, console):
    change(
        session, "DELETE FROM audit_events WHERE id = :id", "DELETE FROM audit_seals WHERE event_id = :id", id=log[4].id
    )
    change(
        session,
        "INSERT INTO audit_events (id, at, act, object_type, details) OVERRIDING SYSTEM VALUE VALUES (:id, :at, 'x', 'x', '{}')",
        id=log[4].id,
        at=NOON + timedelta(minutes=50),
    )
    task("audit.seal")
    assert_named(console("verify"), f"记录 {log[4].id} 不在链上：事后插入", "第 5 至 5 环缺失")


@pytest.mark.parametrize("content", [None, "", "{}", "[]", "another", "count", "digest", "newest_at", "key_id"])
def test_a_missing_or_changed_file_is_a_fault_and_nothing_is_sealed(session, log, task, console, folder, content):
    path = folder / "audit-head.json"
    kept = json.loads(path.read_text())
    if content is None:
        path.unlink()
    elif content in kept:
        values = {"count": 20, "digest": "00" * 32, "newest_at": None, "key_id": "k9"}
        path.write_text(json.dumps(kept | {content: values[content]}))
    else:
        path.write_text(content)
    note(session, NOON + timedelta(hours=2))
    task("audit.seal")
    assert session.query(AuditSeal).count() == 21
    assert_named(console("verify"), "密钥 k9" if content == "key_id" else "链首文件")


def test_an_older_copy_of_the_file_hides_nothing_that_it_knew(session, log, task, console, folder):
    """Set back by whoever could write the folder too: what was linked before that copy stays protected, the rest is as without it."""
    older = (folder / "audit-head.json").read_bytes()
    note(session, NOON + timedelta(hours=2))
    task("audit.seal")
    (folder / "audit-head.json").write_bytes(older)
    change(session, "DELETE FROM audit_seals WHERE number >= 13")
    task("audit.seal")
    assert_named(console("verify"), "第 13 至 21 环已被删除")


def test_sealing_goes_on_where_the_file_is_behind_the_chain(session, log, task, console, folder):
    """A process killed between the commit and the file: the links since then are checked, and kept with the next round."""
    behind = (folder / "audit-head.json").read_bytes()
    note(session, NOON + timedelta(hours=2))
    task("audit.seal")
    ahead = (folder / "audit-head.json").read_bytes()
    (folder / "audit-head.json").write_bytes(behind)
    task("audit.seal")
    assert (folder / "audit-head.json").read_bytes() == ahead
    assert console("verify").exit_code == 0
    (folder / "audit-head.json").write_bytes(behind)
    change(session, "UPDATE audit_events SET act = 'y' WHERE id = (SELECT event_id FROM audit_seals WHERE number = 22)")
    note(session, NOON + timedelta(hours=2))
    task("audit.seal")
    assert session.query(AuditSeal).count() == 22, "nothing is put upon a link that does not hold"


def test_after_a_restore_the_head_is_accepted_with_a_reason_that_stands_in_the_log(
    session, log, task, console, folder, fixed_clock
):
    """The database went back to an earlier moment, with its lines: the operator says so, and the chain goes on from there."""
    change(
        session,
        "DELETE FROM audit_events WHERE id >= :id",
        "DELETE FROM audit_seals WHERE event_id >= :id",
        id=log[12].id,
    )
    assert console("verify").exit_code == 1
    assert console("accept-head").exit_code == 2
    assert console("accept-head", "--reason", "  ").exit_code == 2
    accepted = console("accept-head", "--reason", "数据库恢复到上午十点")
    assert accepted.exit_code == 0, accepted.output
    task("audit.seal")
    assert console("verify").exit_code == 0
    line = session.query(AuditEvent).filter_by(act="audit.accept_head").one()
    assert line.details["reason"] == "数据库恢复到上午十点"
    assert line.details["before"].startswith("21:")
    assert line.details["head"].startswith("12:")
    assert len(list(folder.glob("audit-head-until-*.json"))) >= 1, "the former file is still there"


def test_a_restore_into_another_folder_verifies_with_the_file_of_the_backup(
    session, log, task, console, folder, tmp_path
):
    shutil.copy(folder / "audit-head.json", tmp_path)
    note(session, NOON + timedelta(hours=2))
    task("audit.seal")
    (folder / "audit-head.json").unlink()
    assert_named(console("verify"), "不在或读不出", "accept-head")
    shutil.copy(tmp_path / "audit-head.json", folder)
    assert console("verify").exit_code == 0, "the older head is on the chain of the later database"


def test_a_line_of_a_clock_that_ran_wrong_is_accounted_for_and_named_again_once_changed(session, log, task, console):
    odd = change(session, FORGED)[0].scalar_one()
    assert console("accept-line", str(log[3].id), "--reason", "x").exit_code == 1, "it is on the chain"
    assert console("accept-line", str(odd), "--reason", "服务器时钟错误").exit_code == 0
    task("audit.seal")
    assert console("verify").exit_code == 0
    change(session, "UPDATE audit_events SET actor_id = 8 WHERE id = :id", id=odd)
    assert_named(console("verify"), f"记录 {odd} 不在链上")


def test_an_acceptance_that_the_database_alone_writes_does_not_count(session, log, task, console):
    odd = change(session, FORGED)[0].scalar_one()
    change(
        session,
        'INSERT INTO audit_events (at, act, object_type, object_id, details) VALUES (:at, \'audit.accept_line\', \'audit_event\', :id, \'{"reason": "x", "mac": "00"}\')',
        at=NOON + timedelta(hours=2),
        id=odd,
    )
    task("audit.seal")
    assert_named(console("verify"), f"记录 {odd} 不在链上")


def test_the_head_is_keyed_again_with_the_current_key(session, log, task, folder, app, monkeypatch):
    both = FieldCipher({"k2": b"\x22" * 32, **app.extensions["cipher"].keys})
    monkeypatch.setitem(app.extensions, "cipher", both)
    task("audit.seal")
    assert json.loads((folder / "audit-head.json").read_text())["key_id"] == "k2"


def test_a_chain_of_before_the_file_is_taken_up_by_the_upgrade_alone(session, log, task, console, folder, app):
    """The migration keeps what it finds where no file is; a file that is there stays, whatever the database says its version is."""
    (folder / "audit-head.json").unlink()
    task("audit.seal")
    assert not (folder / "audit-head.json").exists(), "no part of the running site makes it"
    begin = lambda: audit_chain_actions.begin(folder, head_of_chain(session, now=NOON), cipher=app.extensions["cipher"])
    assert begin()
    assert console("verify").exit_code == 0
    change(session, "DELETE FROM audit_seals WHERE number >= 13")
    assert not begin()
    assert console("verify").exit_code == 1


def test_the_sheet_to_be_sealed_shows_a_head_that_the_check_takes_and_no_broken_one(session, log, console, world):
    auditor = world.client(world.admin("audit_admin"))
    sheet = auditor.get("/admin/audit/head").text
    head = re.search(r"<code>(\d+:[0-9a-f]{64})</code>", sheet)[1]
    assert head.startswith("21:")
    assert "已上链记录" in sheet and "签字" in sheet
    assert "/admin/audit/head" in auditor.get("/admin/audit/").text
    assert console("verify", "--head", head).exit_code == 0
    change(session, "DELETE FROM audit_seals WHERE number >= 13")
    broken = auditor.get("/admin/audit/head").text
    assert "现在不能封存" in broken and "<code>" not in broken
    assert world.client(world.admin("security_admin")).get("/admin/audit/head").status_code == 404


def test_a_slower_process_does_not_set_the_kept_head_back(session, log, folder, app):
    before = (folder / "audit-head.json").read_bytes()
    audit_chain_actions.advance(folder, ChainHead(20, b"\1" * 32, NOON), cipher=app.extensions["cipher"])
    assert (folder / "audit-head.json").read_bytes() == before
