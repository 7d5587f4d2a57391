"""Make the evidence pack of an exam: one signed zip that anyone can check with the script in it."""

from __future__ import annotations

import hashlib
import hmac
import json
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Table, update
from sqlalchemy.orm import Session

from examapp.config import Settings, read_data_keys
from examapp.delivery.evidence import queries
from examapp.delivery.evidence.models import KEPT, EvidencePack
from examapp.delivery.exams.models import Exam
from examapp.delivery.exams.queries import get_exam
from examapp.delivery.grading.actions import rules_of
from examapp.errors import BadRequestError, ConflictError
from examapp.jobs.actions import enqueue
from examapp.jobs.runner import JobRun
from examapp.organisation.dual_control import actions as dual_control_actions
from examapp.organisation.people.models import Approval
from examapp.platform.audit.actions import ActionContext, record

AUDIT_ACTS = {"evidence.download_pack": "下载考试证据包"}
AUDIT_OBJECTS = {"evidence_pack": "考试证据包"}

FORMAT = 1
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip: the same data give the same bytes."""
_PACKS = cast("Table", EvidencePack.__table__)
ENCLOSED = Path(__file__).parents[2] / "templates" / "evidence"


def signer_from(settings: Settings) -> Ed25519PrivateKey:
    """Give the key that packs are signed with: the setting's, else one derived from the first data key."""
    if settings.evidence_key:
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(settings.evidence_key))
    first = next(iter(read_data_keys(settings.data_keys).values()), b"")
    return Ed25519PrivateKey.from_private_bytes(hmac.digest(first, b"evidence pack", "sha256"))


def request_pack(context: ActionContext, exam_id: int, *, reason: str, has_names: bool = False) -> int:
    """Ask for an exam's pack; gives the request's id. Another person allows it. Raises NotFoundError, BadRequestError, ConflictError, AlreadyRequestedError."""
    exam = _get_packable(context.session, exam_id)
    if not reason.strip():
        raise BadRequestError("请写明用途，例如：上级抽查、成绩复核。")
    details = {"exam_id": exam.id, "exam_title": exam.title, "has_names": has_names}
    return dual_control_actions.ask(
        context, "evidence.export_pack", request_key=str(exam.id), details=details, reason=reason
    )


def _get_packable(session: Session, exam_id: int) -> Exam:
    exam = get_exam(session, exam_id)
    if exam.anonymised_at is not None:
        raise ConflictError("这场考试的成绩已经匿名，作答记录不再保存，不能再制作证据包。")
    return exam


def enqueue_pack(session: Session, approval: Approval, *, now: datetime) -> EvidencePack:
    """Have a pack made that a second person has allowed, as its requester's; raises ConflictError for an exam that was anonymised meanwhile."""
    exam = _get_packable(session, approval.details["exam_id"])
    pack = EvidencePack(
        exam_id=exam.id, approval_id=approval.id, has_names=approval.details["has_names"], file_name=f"证据包-{exam.title}.zip", created_by_id=approval.requested_by_id, created_at=now
    )  # fmt: skip
    return enqueue(session, pack)


def run_pack(session: Session, run: JobRun, *, now: datetime, signer: Ed25519PrivateKey) -> None:
    """Make a pack and complete its job."""
    pack = session.get_one(EvidencePack, run.id)
    with tempfile.TemporaryDirectory(prefix="evidence-") as folder:
        path = Path(folder) / "pack.zip"
        digest = make_pack(session, pack.exam_id, path, signer=signer, run=run, has_names=pack.has_names)
        pack.file, pack.manifest_sha256, pack.expires_at = path.read_bytes(), digest, now + KEPT
    pack.result_version = get_exam(session, pack.exam_id).result_version
    run.complete(session, total=len(queries.FILES))


def download_pack(context: ActionContext, pack: EvidencePack) -> bytes:
    """Hand out one's own pack, with an audit line; raises ConflictError where it is not there."""
    if pack.file is None:
        raise ConflictError("证据包还没有做好，或者已经过期删除。过期的请重新申请，内容相同。")
    record(context, "evidence.download_pack", object_type="evidence_pack", object_id=pack.id)
    return pack.file


def expire_packs(session: Session, *, now: datetime) -> None:
    """Delete the files of packs whose time is over."""
    session.execute(update(_PACKS).where(_PACKS.c.expires_at <= now).values(file=None))


def make_pack(
    session: Session, exam_id: int, path: Path, *, signer: Ed25519PrivateKey, run: JobRun | None = None, has_names: bool = False
) -> str:  # fmt: skip
    """Write an exam's pack, with whose the attempts are where that is wanted; gives the SHA-256 of its manifest. Raises NotFoundError, and ConflictError for an exam that was anonymised."""
    exam = _get_packable(session, exam_id)
    digests: dict[str, str] = {}
    counts = Counter({"attempts": 0, "graded": 0, "passed": 0})
    with zipfile.ZipFile(path, "w", compresslevel=6) as archive:
        for name in ("README.txt", "verify.py"):
            digests[name] = _add(archive, name, [(ENCLOSED / name).read_bytes()])
        for number, name in enumerate((*queries.FILES, queries.NAMES) if has_names else queries.FILES):
            if run is not None:
                run.progress(number, len(queries.FILES))
            rows = _counted(name, queries.iter_rows(session, name, exam_id), counts)
            digests[f"{name}.jsonl"] = _add(archive, f"{name}.jsonl", (_line(row) for row in rows))
        about = {
            "exam": exam.id, "title": exam.title, "opens_at": _instant(exam.opens_at), "closes_at": _instant(exam.closes_at),
            "rules": msgspec.to_builtins(rules_of(exam), str_keys=True), "result_version": exam.result_version, "counts": dict(counts),
        }  # fmt: skip
        digests["exam.json"] = _add(archive, "exam.json", [_line(about)])
        public_key = signer.public_key().public_bytes_raw().hex()
        manifest = _line({"format": FORMAT, "public_key": public_key, "files": digests})
        digest = _add(archive, "manifest.json", [manifest])
        _add(archive, "manifest.sig", [signer.sign(manifest).hex().encode()])
    return digest


def _counted(name: str, rows: Iterable[dict[str, Any]], counts: Counter[str]) -> Iterator[dict[str, Any]]:
    for row in rows:
        if name == "attempts":
            counts["attempts"] += 1
        if name == "grades" and row["is_current"]:
            counts["graded"] += 1
            counts["passed"] += row["is_passed"]
        yield row


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _line(row: dict[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n").encode()


def _add(archive: zipfile.ZipFile, name: str, chunks: Iterable[bytes]) -> str:
    """Write a file of a pack, chunk by chunk; gives its SHA-256."""
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    digest = hashlib.sha256()
    with archive.open(entry, "w") as out:
        for chunk in chunks:
            digest.update(chunk)
            out.write(chunk)
    return digest.hexdigest()
