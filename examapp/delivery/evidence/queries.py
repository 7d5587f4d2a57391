"""The rows of an exam's evidence pack, each file's in a fixed order: the same data give the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from examapp.delivery.evidence.models import EvidencePack
from examapp.errors import NotFoundError

_AT_ONCE = 500
NAMES = "names"
"""The file that says whose the attempts are."""
_COMMON = """
WITH closed AS (SELECT id FROM attempts WHERE exam_id = :exam_id AND state <> 'in_progress'),
versions AS (
  SELECT CAST(jsonb_object_keys(key_ids) AS bigint) AS id FROM grades WHERE attempt_id IN (SELECT id FROM closed)
)
"""
"""What the files' statements share: the exam's attempts that are over, and the versions of questions that they were graded by."""
_FILES = {
    "blueprints": """
SELECT b.id AS blueprint, b.name, b.is_shuffled, (
  SELECT json_agg(
    json_build_object(
      'title', s.title, 'kind', s.kind, 'count', s.count, 'part_count', s.part_count,
      'points_each', CAST(s.points_each AS text), 'scoring', s.scoring, 'laws', s.laws,
      'knowledge_points', s.knowledge_points, 'topics', s.topics, 'difficulties', s.difficulties
    ) ORDER BY s.position
  )
  FROM blueprint_sections AS s WHERE s.blueprint_id = b.id
) AS sections
FROM blueprints AS b
WHERE b.id IN (SELECT p.blueprint_id FROM attempts AS a JOIN papers AS p ON p.id = a.paper_id WHERE a.id IN (SELECT id FROM closed))
ORDER BY b.id
""",
    "papers": """
SELECT id AS paper, blueprint_id AS blueprint, sections, response_schema
FROM papers
WHERE id IN (SELECT paper_id FROM attempts WHERE id IN (SELECT id FROM closed))
ORDER BY id
""",
    "keys": """
SELECT id AS key, parts FROM answer_keys WHERE question_version_id IN (SELECT id FROM versions) ORDER BY id
""",
    "questions": """
SELECT v.id AS version, q.code, v.number, v.content
FROM question_versions AS v JOIN questions AS q ON q.id = v.question_id
WHERE v.id IN (SELECT id FROM versions)
ORDER BY v.id
""",
    "corrections": """
SELECT id AS correction, kind, change, public_reason, is_published, fingerprint,
  to_char(asked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS asked_at,
  to_char(checked_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS checked_at,
  to_char(decided_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS approved_at,
  1 + num_nonnulls(checked_by_id, approved_by_id) AS persons
FROM corrections
WHERE :exam_id = ANY(exam_ids || kept_exam_ids) AND state = 'applied'
ORDER BY id
""",
    "rulings": """
SELECT id AS ruling, correction_id AS correction, question_version_id AS version, part, treatment, key_ids
FROM item_rulings
WHERE exam_id = :exam_id
ORDER BY id
""",
    "marks": """
SELECT id AS mark, item, CAST(points AS text) AS points FROM item_marks WHERE attempt_id IN (SELECT id FROM closed) ORDER BY id
""",
    "attempts": """
SELECT a.id AS attempt, a.paper_id AS paper, a.receipt_sha256,
  (SELECT coalesce(json_object_agg(item, response), '{}') FROM answers WHERE attempt_id = a.id) AS answers
FROM attempts AS a
WHERE a.exam_id = :exam_id AND a.state <> 'in_progress'
ORDER BY a.id
""",
    "history": """
SELECT attempt_id AS attempt, item, epoch, seq, response
FROM answer_history
WHERE attempt_id IN (SELECT id FROM closed)
ORDER BY attempt_id, id
""",
    "grades": """
SELECT g.attempt_id AS attempt, g.number, g.is_current, CAST(g.points AS text) AS points,
  CAST(g.points_possible AS text) AS points_possible, CAST(g.percent AS text) AS percent,
  g.correction_id AS correction, g.band, g.is_passed, g.item_points, g.key_ids, g.rules, g.ruling_ids, g.mark_ids,
  CASE WHEN EXISTS (SELECT FROM answer_history WHERE attempt_id = g.attempt_id AND saved_at > g.graded_at) THEN (
    SELECT coalesce(json_object_agg(item, response), '{}') FROM (
      SELECT DISTINCT ON (item) item, response FROM answer_history
      WHERE attempt_id = g.attempt_id AND saved_at <= g.graded_at
      ORDER BY item, epoch DESC, seq DESC
    ) AS former
  ) END AS answers
FROM grades AS g
WHERE g.attempt_id IN (SELECT id FROM closed)
ORDER BY g.attempt_id, g.number
""",
    "certificates": """
SELECT g.attempt_id AS attempt, g.number AS grade, c.digest, to_char(c.issued_on, 'YYYY-MM-DD') AS issued_on,
  c.withdrawn_at IS NOT NULL AS is_withdrawn
FROM certificates AS c JOIN grades AS g ON g.id = c.grade_id
WHERE g.attempt_id IN (SELECT id FROM closed)
ORDER BY g.attempt_id, c.id
""",
    "audit": """
SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS at, act, object_type, object_id,
  CASE WHEN actor_id IS NOT NULL THEN dense_rank() OVER (ORDER BY actor_id) END AS person,
  encode(sha256(convert_to(CAST(details AS text), 'UTF8')), 'hex') AS details_sha256
FROM audit_events
WHERE (object_type = 'exam' AND object_id = :exam_id)
  OR (object_type = 'attempt' AND object_id IN (SELECT id FROM attempts WHERE exam_id = :exam_id))
  OR (
    object_type = 'correction'
    AND object_id IN (SELECT id FROM corrections WHERE :exam_id = ANY(exam_ids || kept_exam_ids))
  )
ORDER BY id
""",
    NAMES: """
SELECT a.id AS attempt, p.name, p.staff_number, u.name AS unit
FROM attempts AS a JOIN persons AS p ON p.id = a.person_id JOIN units AS u ON u.id = a.unit_id
WHERE a.exam_id = :exam_id AND a.state <> 'in_progress'
ORDER BY a.id
""",
}
"""Each file's statement; names and numbers of people are in one alone, which a pack holds only where they were asked for. A grade of earlier answers brings them along."""
FILES = tuple(name for name in _FILES if name != NAMES)


def iter_rows(session: Session, name: str, exam_id: int) -> Iterator[dict[str, Any]]:
    """Give the rows of one of `FILES`, or of `NAMES`, streamed."""
    rows = session.execute(
        text(_COMMON + _FILES[name]),  # meant: two constants of this file
        {"exam_id": exam_id},
        execution_options={"yield_per": _AT_ONCE},
    )
    for row in rows:
        found = dict(row._mapping)  # noqa: SLF001 – SQLAlchemy's public name for a row's mapping
        if name == "grades" and found["answers"] is None:
            del found["answers"]
        yield found


def list_packs(session: Session, exam_id: int) -> Sequence[EvidencePack]:
    """List the packs of an exam, the newest first."""
    statement = select(EvidencePack).where(EvidencePack.exam_id == exam_id).order_by(EvidencePack.id.desc()).limit(50)
    return session.scalars(statement).all()


def find_fingerprint(session: Session, exam_id: int, result_version: int) -> str:
    """Find the SHA-256 of the manifest of the newest pack of a version of an exam's results; empty where none was made."""
    of_version = (EvidencePack.exam_id == exam_id, EvidencePack.result_version == result_version)
    newest = select(EvidencePack.manifest_sha256).where(*of_version).order_by(EvidencePack.id.desc()).limit(1)
    return session.scalar(newest) or ""


def get_own_pack(session: Session, pack_id: int, person_id: int) -> EvidencePack:
    """Get a pack that somebody has asked for; raises NotFoundError for another's."""
    pack = session.get(EvidencePack, pack_id)
    if pack is None or pack.created_by_id != person_id:
        raise NotFoundError
    return pack
