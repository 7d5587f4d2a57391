"""Pages of everybody: signing in and out, one's own account, the second factor, a forgotten password, another house's identity."""

from __future__ import annotations

import examapp.people.routes.account
import examapp.people.routes.appearance
import examapp.people.routes.forgotten
import examapp.people.routes.identity
import examapp.people.routes.second_factor
import examapp.people.routes.signing_in  # noqa: F401 – each module hangs its views on the blueprint
from examapp.people.routes.frame import blueprint

__all__ = ["blueprint"]
