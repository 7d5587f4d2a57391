"""Messages to the workers go nowhere here: grading is what the tests call, or what the sweep does by itself."""

import pytest


@pytest.fixture(autouse=True)
def without_enqueueing(monkeypatch):
    monkeypatch.setattr("examapp.jobs.publisher.publish", lambda *_args, **_fields: None)
