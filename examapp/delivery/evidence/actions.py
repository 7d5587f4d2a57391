"""Make the evidence pack of an exam: one signed zip that anyone can check with the script in it."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from examapp.delivery.evidence import queries
from examapp.delivery.exams.queries import get_exam
from examapp.errors import ConflictError

FORMAT = 1
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the zip: the same data give the same bytes."""
_ENCLOSED = Path(__file__).parents[2] / "templates" / "evidence"


def make_pack(session: Session, exam_id: int, path: Path, *, signer: Ed25519PrivateKey) -> str:
    """Write an exam's pack; gives the SHA-256 of its manifest. Raises NotFoundError, and ConflictError for an exam that was anonymised."""
    exam = get_exam(session, exam_id)
    if exam.anonymised_at is not None:
        raise ConflictError("这场考试的成绩已经匿名，作答记录不再保存，不能再制作证据包。")
    digests: dict[str, str] = {}
    counts = Counter({"attempts": 0, "graded": 0, "passed": 0})
    with zipfile.ZipFile(path, "w", compresslevel=6) as archive:
        for name in ("README.txt", "verify.py"):
            digests[name] = _add(archive, name, [(_ENCLOSED / name).read_bytes()])
        for name in queries.FILES:
            rows = _counted(name, queries.iter_rows(session, name, exam_id), counts)
            digests[f"{name}.jsonl"] = _add(archive, f"{name}.jsonl", (_line(row) for row in rows))
        about = {"exam": exam.id, "result_version": exam.result_version, "counts": dict(counts)}
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
