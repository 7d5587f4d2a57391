"""People and attempts in a cell of a province."""

from __future__ import annotations

from examapp import clock
from examapp.db.session import transaction
from examapp.delivery.exam_candidates.actions import prepare_papers
from examapp.organisation.units.models import Unit
from tests.factories import World

NAMES = "零甲乙丙"
_ATTEMPTS = """
INSERT INTO attempts (exam_id, person_id, number, paper_id, unit_id, state, started_at, deadline_at, closes_at, epoch, response_schema, unsure, submitted_at,
  is_forced, receipt_number, total, grading_retry_count)
SELECT 1, p.id, 1, made.paper_id, p.unit_id, 'graded', now(), now(), now(), 1, '', '{}', now(), false, 'R' || p.id, 2, 0
FROM persons AS p JOIN prepared_papers AS made ON made.person_id = p.id ORDER BY p.id LIMIT %s
"""
_ANSWERS = "INSERT INTO answers SELECT id, 1, 1, 1, '[\"THE-ANSWER\"]', now() FROM attempts"
_GRADES = """
INSERT INTO grades (attempt_id, number, is_current, points, points_possible, percent, band, is_passed, item_points, key_ids, rules, sheet, reason, graded_at)
SELECT id, 1, true, 4, 4, 100, 'excellent', true, '["2"]', '{}', '{}', 'THE-SHEET', 'first', now() FROM attempts
"""
_SECRETS = "UPDATE persons SET id_number_encrypted = 'SEALED-ID', mobile_encrypted = 'SEALED-MOBILE'"
_ACCOUNTS = """
INSERT INTO accounts (person_id, login_name, password_hash, must_change_password, failures, is_demo) SELECT id, staff_number, 'PASSWORD-HASH', false, 0, false FROM persons
"""


def add_people(cell, count):
    """Add a county below the province, a department in it, and so many people with sealed numbers and accounts."""
    name = NAMES[cell.cell]
    with cell.app.app_context(), transaction() as session:
        world = World(cell.app, session)
        county = world.unit(f"{name}县", parent=session.get_one(Unit, 1), kind="county", code=f"C{cell.cell}")
        office = world.unit(f"{name}局", parent=county, code=f"D{cell.cell}")
        for number in range(1, count + 1):
            world.person(office, name=f"{name}{number}", staff_number=f"{cell.cell}-{number}", login=False)
    cell.sql(_SECRETS)
    cell.sql(_ACCOUNTS)


def hand_in(cell, count):
    """Draw everybody's paper as the program does; let so many hand it in and be graded. Gives how many grades there are."""
    with cell.app.app_context(), transaction() as session:
        prepare_papers(session, 1, now=clock.now())
    cell.sql(_ATTEMPTS, count)
    cell.sql(_ANSWERS)
    cell.sql(_GRADES)
    return cell.sql("SELECT count(*) FROM grades")[0][0]
