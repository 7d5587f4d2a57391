"""The WSGI entry of a drill's site: the ordinary application, with the guarantee that DRILL_INJECTED_FAULT names taken away."""

from __future__ import annotations

from examapp import create_app
from tests.faults.injection import disable_named

app = create_app()
disable_named(app)
