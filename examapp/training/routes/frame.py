"""The blueprint that the learner's pages share."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("training", __name__)
