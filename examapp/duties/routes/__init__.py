"""Pages of the responsibility system outside the back office: the published list, one's own duties, reviews, the vote."""

from __future__ import annotations

from examapp.duties.routes import mine, public, reviews
from examapp.duties.routes.frame import blueprint

__all__ = ["blueprint", "mine", "public", "reviews"]
