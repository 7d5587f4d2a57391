import pytest

from examapp import clock
from examapp.clock import local
from tests.helpers import forms
from tests.reports.county import ReportCounty


@pytest.fixture
def county(world):
    """A small county with units in both trees and an open exam."""
    return ReportCounty(world)


@pytest.fixture
def post():
    """Sends a form with the token that its own page carries."""
    return lambda client, path, *, page=None, **data: forms.post(client, path, data, page=page)


def page_path(county, unit=None):
    return f"/admin/unit-book/exams/{county.exam.id}/units/{(unit or county.top).id}/roster"


def act_path(county, act, unit=None):
    return f"/admin/unit-book/exams/{county.exam.id}/roster/{act}?unit={(unit or county.top).id}"


@pytest.fixture
def create_snapshot(county, world, app, post):
    """Declares a moment over HTTP, lets the worker come by, and gives a client of the office."""

    def create_snapshot(moment=None):
        moment = moment or clock.now()
        office = world.admin()
        client = world.api(office)
        path = page_path(county)
        post(client, act_path(county, "freeze"), page=path, moment=f"{local(moment):%Y-%m-%dT%H:%M}")
        app.extensions["celery"].tasks["roster_snapshots.sweep"]()
        return client

    return create_snapshot
