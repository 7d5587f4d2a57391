"""The workers' entry: `celery --app examapp.celery_app:celery worker`."""

from __future__ import annotations

from examapp import create_app

app = create_app()
celery = app.extensions["celery"]
celery.flask_app = app
celery.conf.update(beat_scheduler="examapp.beat:Schedule", beat_max_loop_interval=10)
