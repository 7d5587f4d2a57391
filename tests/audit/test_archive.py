"""Old lines leave the database for signed files that hang together; nothing young leaves, and no changed file passes."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta

import pytest
from sqlalchemy import text

from examapp.platform.audit import actions as audit_actions
from examapp.platform.audit.actions import InvalidArchiveError, check_file, drop_archived, write_archive
from examapp.platform.audit.models import AuditArchive, AuditEvent, AuditSeal
from examapp.platform.audit.queries import check_chain
from examapp.platform.audit_chain.actions import seal_events
from examapp.security.ciphers import FieldCipher
from tests.conftest import NOON
from tests.helpers.audit_log import note

DAYS = 365


@pytest.fixture
def cipher(app):
    return app.extensions["cipher"]


@pytest.fixture
def folder(app):
    return app.config["SETTINGS"].data_path


@pytest.fixture
def years(session, cipher, folder):
    """Six lines on the chain: three of two years ago, two of a year and a half ago, one of today."""
    for at, count in ((730, 3), (540, 2), (0, 1)):
        for number in range(count):
            note(session, NOON - timedelta(days=at), name=f"{at}-{number}")
        session.flush()
        seal_events(session, cipher=cipher, folder=folder, now=NOON - timedelta(days=at))
    return session


def test_old_lines_go_into_files_and_the_chain_goes_on(years, session, cipher, folder, tmp_path):
    first = write_archive(session, tmp_path, cipher=cipher, days=600, now=NOON)
    found = check_file(first, cipher=cipher)
    assert (found.first, found.last, found.issues) == (1, 3, [])
    assert drop_archived(session, first, cipher=cipher, days=600, now=NOON) == 3
    second = write_archive(session, tmp_path, cipher=cipher, days=DAYS, now=NOON)
    follower = check_file(second, cipher=cipher)
    assert (follower.first, follower.last, follower.previous_sha256) == (4, 5, found.sha256)
    assert drop_archived(session, second, cipher=cipher, days=DAYS, now=NOON) == 2
    chain = check_chain(session, cipher=cipher, now=NOON)
    assert (chain.issues, chain.count) == ([], 6)
    assert session.query(AuditEvent).count() == 1
    assert write_archive(session, tmp_path, cipher=cipher, days=DAYS, now=NOON) is None
    note(session, NOON)
    session.flush()
    seal_events(session, cipher=cipher, folder=folder, now=NOON)
    assert check_chain(session, cipher=cipher, now=NOON).count == 7
    session.query(AuditSeal).filter_by(number=6).delete()
    assert check_chain(session, cipher=cipher, now=NOON).issues, "a link taken after the archive is missed"


def test_a_chain_of_which_all_is_archived_goes_on_from_there(session, cipher, folder, tmp_path):
    note(session, NOON - timedelta(days=400))
    session.flush()
    seal_events(session, cipher=cipher, folder=folder, now=NOON)
    path = write_archive(session, tmp_path, cipher=cipher, days=DAYS, now=NOON)
    drop_archived(session, path, cipher=cipher, days=DAYS, now=NOON)
    note(session, NOON)
    session.flush()
    seal_events(session, cipher=cipher, folder=folder, now=NOON)
    found = check_chain(session, cipher=cipher, now=NOON)
    assert (found.count, found.issues) == (2, [])


def test_nothing_younger_than_200_days_can_leave(years, session, cipher, tmp_path):
    with pytest.raises(InvalidArchiveError, match="200"):
        write_archive(session, tmp_path, cipher=cipher, days=199, now=NOON)
    path = write_archive(session, tmp_path, cipher=cipher, days=DAYS, now=NOON)
    with pytest.raises(InvalidArchiveError, match="不满"):
        drop_archived(session, path, cipher=cipher, days=1, now=NOON - timedelta(days=500))
    assert session.query(AuditEvent).count() == 6


def tampered(path, change):
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    path.write_bytes(gzip.compress(b"".join(change(lines))))


def sign_again(lines, cipher):
    import hashlib

    digest = hashlib.sha256(b"".join(lines[:-1])).hexdigest()
    key = cipher.blind_index(digest, purpose=audit_actions._PURPOSE).hex()
    return [*lines[:-1], json.dumps({"signature": key, "key_id": "k1"}).encode()]


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [line.replace(b"540-0", b"540-9") for line in lines],
        lambda lines: [*lines[:2], *lines[3:]],
        lambda lines: lines[:-2],
        lambda lines: [b"[]\n"],
        lambda lines: [lines[0].replace(b'"first": 1', b'"first": 2'), *lines[1:]],
    ],
)
def test_every_change_to_a_file_is_found_and_stops_the_dropping(years, session, cipher, tmp_path, change):
    path = write_archive(session, tmp_path, cipher=cipher, days=DAYS, now=NOON)
    tampered(path, change)
    assert check_file(path, cipher=cipher).issues
    with pytest.raises(InvalidArchiveError):
        drop_archived(session, path, cipher=cipher, days=DAYS, now=NOON)
    assert session.query(AuditEvent).count() == 6
    assert session.query(AuditArchive).count() == 0


def test_a_line_changed_and_signed_again_still_breaks_its_link(years, session, cipher, tmp_path):
    path = write_archive(session, tmp_path, cipher=cipher, days=DAYS, now=NOON)
    tampered(path, lambda lines: sign_again([line.replace(b"540-0", b"540-9") for line in lines], cipher))
    assert [issue for issue in check_file(path, cipher=cipher).issues if "已被改动或缺失" in issue]


@pytest.fixture
def archived(years, session, cipher, tmp_path):
    """The first three lines are in a file, the next two in a second one."""
    paths = []
    for days in (600, DAYS):
        paths.append(write_archive(session, tmp_path, cipher=cipher, days=days, now=NOON))
        drop_archived(session, paths[-1], cipher=cipher, days=days, now=NOON)
    session.flush()
    assert check_chain(session, cipher=cipher, now=NOON).issues == []
    return paths


def test_lines_that_were_taken_away_and_called_archived_without_the_key_are_missed(years, session, cipher):
    third = session.get(AuditSeal, 3)
    session.query(AuditEvent).filter(AuditEvent.id <= third.event_id).delete()
    session.query(AuditSeal).filter(AuditSeal.number <= 3).delete()
    forged = AuditArchive(
        first_number=1,
        last_number=3,
        last_digest=third.digest,
        through_event_id=third.event_id,
        file_name="audit-0000000001.jsonl.gz",
        sha256="0" * 64,
        archived_at=NOON,
    )
    session.add(forged)
    session.flush()
    assert "没有签名" in check_chain(session, cipher=cipher, now=NOON).issues[0]
    for digest in (b"x", third.digest):
        forged.digest, forged.key_id = digest, cipher.current
        session.flush()
        assert "不是本程序写的" in check_chain(session, cipher=cipher, now=NOON).issues[0]


@pytest.mark.parametrize(
    "column",
    [
        "last_digest = '\\x00'",
        "through_event_id = 9",
        "file_name = 'x'",
        "sha256 = 'x'",
        "archived_at = now()",
        "first_number = 5",
    ],
)
def test_every_changed_field_of_an_archives_row_is_found(archived, session, cipher, column):
    session.execute(text(f"UPDATE audit_archives SET {column} WHERE last_number = 5"))
    session.expire_all()
    assert check_chain(session, cipher=cipher, now=NOON).issues[0].startswith("归档")


def test_rows_signed_by_an_older_key_are_signed_again_at_the_next_archive(years, session, cipher, tmp_path):
    newer = FieldCipher({"newer": bytes(range(32)), **cipher.keys})
    for days, by in ((600, cipher), (DAYS, newer)):
        path = write_archive(session, tmp_path, cipher=by, days=days, now=NOON)
        drop_archived(session, path, cipher=by, days=days, now=NOON)
        session.flush()
    assert [row.key_id for row in session.query(AuditArchive)] == ["newer"] * 2
    assert check_chain(session, cipher=newer, now=NOON).issues == []


def test_an_archives_row_that_is_taken_away_is_missed(archived, session, cipher):
    session.query(AuditArchive).filter_by(last_number=3).delete()
    assert "接不上" in check_chain(session, cipher=cipher, now=NOON).issues[0]


def test_a_row_from_before_rows_were_signed_is_signed_by_its_file_alone(app, archived, session, cipher):
    run = app.test_cli_runner().invoke
    session.query(AuditArchive).update({"digest": None, "key_id": None})
    session.flush()
    assert len(check_chain(session, cipher=cipher, now=NOON).issues) == 2
    assert run(args=["audit", "sign-archives", str(archived[0])]).exit_code == 0
    session.query(AuditArchive).filter_by(last_number=5).update({"sha256": "0" * 64})
    rejected = run(args=["audit", "sign-archives", str(archived[1])])
    assert (rejected.exit_code, "没有补签" in rejected.output) == (1, True)
    session.query(AuditArchive).filter_by(last_number=5).update(
        {"sha256": check_file(archived[1], cipher=cipher).sha256}
    )
    assert run(args=["audit", "sign-archives", str(archived[1])]).exit_code == 0
    session.expire_all()
    assert check_chain(session, cipher=cipher, now=NOON).issues == []
    assert run(args=["audit", "sign-archives", str(archived[1])]).exit_code == 1, "signed already"


def test_the_commands_write_check_and_miss_a_file(app, years, session, cipher, tmp_path, fixed_clock):
    run = app.test_cli_runner().invoke
    first = write_archive(session, tmp_path, cipher=cipher, days=600, now=NOON)
    drop_archived(session, first, cipher=cipher, days=600, now=NOON)
    second = write_archive(session, tmp_path, cipher=cipher, days=400, now=NOON)
    whole = run(args=["audit", "verify-file", str(first), str(second)])
    assert (whole.exit_code, "归档完好" in whole.output) == (0, True)
    assert run(args=["audit", "verify-file", str(second), str(first)]).exit_code == 1
    assert "没有超过" in run(args=["audit", "archive", str(tmp_path)]).output, "the settings keep three years"
