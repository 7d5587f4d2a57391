"""Which rooms the house has: each hangs its views and commands into the application here."""

from __future__ import annotations

from flask import Blueprint, Flask

from examapp.admin import models as _admin
from examapp.attempts import models as _attempts
from examapp.audit import models as _audit
from examapp.exams import models as _exams
from examapp.grading import models as _grading
from examapp.laws import models as _laws
from examapp.messages import models as _messages
from examapp.org import models as _org
from examapp.papers import models as _papers
from examapp.people import api as people_api
from examapp.people import models as _people
from examapp.people import routes as people_routes
from examapp.questions import models as _questions
from examapp.reports import models as _reports

MODELS = (_audit, _messages, _org, _people, _laws, _questions, _papers, _exams, _attempts, _grading, _reports, _admin)
"""Every room's tables, so that the schema is whole whatever is imported."""

BLUEPRINTS: tuple[Blueprint, ...] = (
    people_routes.blueprint,
    people_api.api_blueprint,
)
"""Every room's views, API and commands."""


def register(app: Flask) -> None:
    """Register every room's blueprints."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
