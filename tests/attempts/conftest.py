"""Messages to the workers go nowhere here: grading is what the tests call, or what the sweep does by itself."""

import pytest

from examapp.delivery.exam_candidates.actions import prepare_papers
from tests.attempts.candidate_clients import CandidateClient
from tests.conftest import NOON


@pytest.fixture(autouse=True)
def without_enqueueing(monkeypatch):
    monkeypatch.setattr("examapp.jobs.publisher.publish", lambda *_args, **_fields: None)


@pytest.fixture(params=["made ahead", "made at the start"])
def papers(request, world, monkeypatch):
    """Starts both ways: the plain one, whose paper lies ready, and the one that makes its own."""
    start = CandidateClient.start

    def start_with_paper(candidate_client):
        prepare_papers(world.session, candidate_client.exam_id, now=NOON)
        world.session.commit()
        return start(candidate_client)

    if request.param == "made ahead":
        monkeypatch.setattr(CandidateClient, "start", start_with_paper)
