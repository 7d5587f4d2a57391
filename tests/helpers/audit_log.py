"""Audit events."""

from __future__ import annotations

from examapp.platform.audit.actions import ActionContext, Actor, record


def note(session, world_now, act="exams.publish_exam", actor=None, person=None, **details):
    """Record an audit event about an exam."""
    record(
        ActionContext(session, Actor(person_id=actor and actor.id, address="10.1.2.3"), world_now),
        act,
        object_type="exam",
        object_id=7,
        person_id=person and person.id,
        details=details,
    )
    session.flush()
