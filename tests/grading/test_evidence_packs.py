"""A pack made of an exam says what the database holds, without names, and its script finds what was changed there."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from examapp.delivery.attempts.models import Attempt
from examapp.delivery.evidence.actions import expire_packs, make_pack
from examapp.delivery.evidence.models import EvidencePack
from examapp.delivery.exams.models import Exam
from examapp.delivery.grading import tasks as grading_tasks
from examapp.errors import ConflictError
from examapp.jobs.runner import run_job
from examapp.organisation.people.models import Approval
from examapp.platform.audit.actions import SYSTEM, ActionContext, record
from tests.attempts.candidate_clients import make_exam_with_candidates
from tests.conftest import NOON
from tests.helpers.evidence import SCRIPT, verify
from tests.helpers.evidence_by_readme import grades_by_readme
from tests.helpers.grading import let_rows_change, press, right_answers

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def candidate_client(world):
    made = make_exam_with_candidates(world)
    made.save((1, 1, ["A"]), (5, 2, ["不是这个"]))
    made.hand_in(*right_answers(world, made))
    grading_tasks.sweep_once()
    return made


def pack(session, candidate_client, path):
    return make_pack(session, candidate_client.exam_id, path, signer=SIGNER)


def test_a_pack_is_found_right_and_comes_out_the_same_again(session, candidate_client, tmp_path):
    one, two = tmp_path / "one.zip", tmp_path / "two.zip"
    assert pack(session, candidate_client, one) == pack(session, candidate_client, two)
    assert one.read_bytes() == two.read_bytes()
    key = SIGNER.public_key().public_bytes_raw().hex()
    assert verify.check(one, key) == []
    assert verify.check(one, key, candidate_client.attempt["id"]) == []


def test_names_and_numbers_of_people_are_in_one_file_alone_and_only_where_asked_for(
    session, candidate_client, tmp_path
):
    path, secrets = tmp_path / "pack.zip", (candidate_client.person.name, candidate_client.person.staff_number)
    for has_names in (False, True):
        make_pack(session, candidate_client.exam_id, path, signer=SIGNER, has_names=has_names)
        with zipfile.ZipFile(path) as archive:
            holding = [
                name for name in archive.namelist() if any(each.encode() in archive.read(name) for each in secrets)
            ]
        assert holding == (["names.jsonl"] if has_names else [])
        assert verify.check(path) == []


def test_a_pack_tells_blueprint_and_acts_and_a_second_program_makes_its_grades(session, candidate_client, tmp_path):
    path = tmp_path / "pack.zip"
    act = {
        "object_type": "exam",
        "object_id": candidate_client.exam_id,
        "details": {"text": candidate_client.person.name},
    }
    record(ActionContext(session, SYSTEM, NOON), "exams.close_exam", **act)
    pack(session, candidate_client, path)
    with zipfile.ZipFile(path) as archive:
        rows = {
            name: [json.loads(line) for line in archive.read(f"{name}.jsonl").splitlines()]
            for name in ("blueprints", "papers", "audit", "grades", "certificates")
        }
        readme = archive.read("README.txt").decode()
        assert all(f"\n{name.split('.')[0]}." in readme for name in archive.namelist() if "json" in name)
    assert {row["blueprint"] for row in rows["blueprints"]} == {row["blueprint"] for row in rows["papers"]}
    assert len(rows["blueprints"][0]["sections"]) == len(rows["papers"][0]["sections"]) and rows["certificates"] == []
    (line,) = rows["audit"]
    assert (line["act"], line["person"], "details" in line) == ("exams.close_exam", None, False)
    (grade,) = rows["grades"]
    made = grades_by_readme(path)[grade["attempt"], grade["number"]]
    assert made == {name: grade[name] for name in made}


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("grades", "UPDATE grades SET points = points - 1, percent = percent - 1", "points 记为"),
        (
            "answer_keys",
            """UPDATE answer_keys SET parts = '[{"key": ["D"], "blanks": [["别的"]]}]'""",
            "item_points 记为",
        ),
        (None, "UPDATE answers SET response = '[]' WHERE item = 1", "作答记录不一致"),
        (None, "DELETE FROM answer_history WHERE item = 2", "作答记录不一致"),
    ],
)
def test_what_was_changed_in_the_database_is_named(session, candidate_client, tmp_path, table, change, message):
    if table is not None:
        let_rows_change(session, table)
    session.execute(text(change))
    pack(session, candidate_client, tmp_path / "pack.zip")
    assert message in "\n".join(verify.check(tmp_path / "pack.zip"))


def test_one_byte_changed_in_any_file_is_named(session, candidate_client, tmp_path):
    path, changed_path = tmp_path / "pack.zip", tmp_path / "changed.zip"
    pack(session, candidate_client, path)
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    for changed in (name for name, content in files.items() if content):
        content = bytearray(files[changed])
        at = next(i for i in range(len(content) // 2, len(content)) if chr(content[i]).isalnum())
        content[at] = ord("1" if content[at] != ord("1") else "2")
        with zipfile.ZipFile(changed_path, "w") as archive:
            for name, kept in files.items():
                archive.writestr(name, bytes(content) if name == changed else kept)
        named = "manifest.json" if changed == "manifest.sig" else changed
        assert named in "\n".join(verify.check(changed_path)), changed
    assert len(files) > 10


def test_a_grade_of_earlier_answers_brings_them_along(session, candidate_client, tmp_path):
    """As one is left behind where an attempt was opened again and another answer given."""
    attempt_id = candidate_client.attempt["id"]
    session.execute(text("UPDATE grades SET is_current = false"))
    session.execute(
        text("UPDATE answers SET response = '[\"D\"]', epoch = 2 WHERE item = 1 AND attempt_id = :id"),
        {"id": attempt_id},
    )
    session.execute(
        text(
            "INSERT INTO answer_history (attempt_id, person_id, item, epoch, seq, response, saved_at) VALUES (:id, :who, 1, 2, 900, '[\"D\"]', :at)"
        ),
        {"id": attempt_id, "who": candidate_client.person.id, "at": NOON + timedelta(hours=1)},
    )
    session.get(Attempt, attempt_id).receipt_sha256 = None
    pack(session, candidate_client, tmp_path / "pack.zip")
    assert [each for each in verify.check(tmp_path / "pack.zip") if "评分" in each] == []


def test_an_anonymised_exam_has_no_pack(session, candidate_client, tmp_path):
    session.get(Exam, candidate_client.exam_id).anonymised_at = NOON
    session.flush()
    with pytest.raises(ConflictError, match="匿名"):
        pack(session, candidate_client, tmp_path / "pack.zip")


def test_a_pack_is_asked_for_allowed_by_the_security_administrator_and_downloaded(
    world, session, candidate_client, tmp_path
):
    office, security = world.api(world.admin("publicity_office")), world.api(world.admin("security_admin"))
    address = f"/admin/evidence/exams/{candidate_client.exam_id}"
    assert office.post(address, data={"reason": " "}).status_code == 422
    form = {"reason": "上级抽查", "has_names": "y"}
    assert "申请已提交" in office.post(address, data=form, follow_redirects=True).text
    assert "附每份答卷的姓名" in security.get("/admin/approvals/").text
    assert "不需要重复提交" in office.post(address, data={"reason": "上级抽查"}).text
    request = session.query(Approval).one()
    press(office, request)
    assert session.query(EvidencePack).count() == 0, "the asker cannot allow it"
    press(security, request)
    run_job(session.query(EvidencePack).one().id)
    session.expire_all()
    made = session.query(EvidencePack).one()
    page = office.get(address).text
    assert made.manifest_sha256 in page and "第 1 版" in page
    path = tmp_path / "pack.zip"
    path.write_bytes(office.get(f"/admin/evidence/{made.id}/file").data)
    assert verify.check(path) == [] and made.has_names
    assert office.get(f"/admin/evidence/{made.id + 1}/file").status_code == 404
    expire_packs(session, now=NOON + timedelta(days=8))
    session.expire_all()
    assert "已经过期" in office.get(f"/admin/evidence/{made.id}/file").text


def test_the_command_makes_a_pack_and_the_script_in_it_says_what_a_sabotaged_scorer_did(
    app, session, candidate_client, tmp_path
):
    path = tmp_path / "pack.zip"
    runner = app.test_cli_runner()
    said = runner.invoke(args=["evidence", "make", str(candidate_client.exam_id), str(path)])
    assert said.exit_code == 0 and "清单校验值" in said.output, said.output
    right = subprocess.run([sys.executable, "-I", "-S", SCRIPT, path], capture_output=True, text=True, check=False)
    assert (right.returncode, right.stdout.strip()) == (0, "全部相符。")
    let_rows_change(session, "grades")
    session.execute(
        text("UPDATE grades SET item_points = jsonb_set(item_points, '{0}', '\"9.50\"'), points = points - 0.5")
    )
    session.flush()
    runner.invoke(args=["evidence", "make", str(candidate_client.exam_id), str(path)])
    wrong = subprocess.run([sys.executable, "-I", "-S", SCRIPT, path], capture_output=True, text=True, check=False)
    assert wrong.returncode == 1 and "item_points 记为" in wrong.stdout and "points 记为" in wrong.stdout
