"""The blueprint that the office's pages of training share."""

from __future__ import annotations

from flask import Blueprint

admin_blueprint = Blueprint("training_admin", __name__, url_prefix="/admin/training")
