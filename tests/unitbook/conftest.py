import pytest

from tests.reports.county import County


@pytest.fixture
def county(world):
    """A small county with units in both trees and an open exam."""
    return County(world)


@pytest.fixture
def post():
    """Sends a form with the token that its own page carries."""

    def post(client, path, *, page=None, **data):
        body = client.get(page or path).text
        token = body.split('name="csrf_token"', 1)[1].split('value="', 1)[1].split('"', 1)[0]
        return client.post(path, data={"csrf_token": token, **data})

    return post
