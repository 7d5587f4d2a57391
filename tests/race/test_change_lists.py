"""Two officers decide one list of changes, and two lists of one person, at the same moment: the roster moves once."""

from __future__ import annotations

import pytest

from examapp import clock
from examapp.errors import DomainError
from examapp.organisation.access.rules import AccessScope
from examapp.organisation.people.models import RosterMove
from examapp.organisation.roster_change_requests import actions as roster_change_request_actions
from examapp.organisation.roster_change_requests.models import RosterChangeItem, RosterChangeRequest
from examapp.platform.audit.actions import ActionContext, Actor
from tests.helpers.races import together

EVERYTHING = AccessScope(is_everything=True)


@pytest.fixture
def scenario(race_world):
    here, there = race_world.unit("甲局"), race_world.unit("乙局")
    person = race_world.person(here)
    ids = []
    for _ in range(2):
        row = race_world.save(
            RosterChangeRequest(unit_id=here.id, state="submitted", created_at=clock.now(), submitted_at=clock.now())
        )
        race_world.save(
            RosterChangeItem(
                list_id=row.id,
                kind="transfer_out",
                person_id=person.id,
                staff_number=person.staff_number,
                name=person.name,
                to_unit_id=there.id,
                effective_on=clock.today(),
            )
        )
        ids.append(row.id)
    race_world.commit()
    return {"lists": ids, "session": race_world.session, "there": there.id, "person": person.id}


def approve(app, list_id):
    cipher = app.extensions["cipher"]

    def act(session):
        return roster_change_request_actions.approve_list(
            ActionContext(session, Actor(person_id=None), clock.now()),
            list_id=list_id,
            access=EVERYTHING,
            cipher=cipher,
        )

    return act


def test_one_list_approved_by_many_at_once_moves_the_roster_once(scenario, race_app):
    answers = together(race_app, 5, approve(race_app, scenario["lists"][0]))
    assert answers.count((1, 0)) == 1
    assert sum(isinstance(answer, DomainError) for answer in answers) == 4
    assert scenario["session"].query(RosterMove).count() == 1


def test_two_lists_that_move_one_person_at_once_move_them_once_and_the_other_waits(scenario, race_app):
    turns = iter(scenario["lists"])

    def act(session):
        return approve(race_app, next(turns))(session)

    assert sorted(together(race_app, 2, act)) == [(0, 1), (1, 0)]
    assert scenario["session"].query(RosterMove).count() == 1
    states = sorted(line.state for line in scenario["session"].query(RosterChangeItem))
    assert states == ["applied", "waiting"]
