"""The workers' entry: `celery --app examapp.celery_app:celery worker`."""

from __future__ import annotations

from examapp import create_app

app = create_app()
celery = app.extensions["celery"]
