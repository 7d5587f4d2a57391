"""What the platform knows about itself."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from examapp.db.session import Base, JsonB, Str, UtcDateTime
from examapp.jobs.models import Job, JobId

DEMO_LOADED = "demo_loaded"
"""The fact that the demo county is written whole; until then a try-out with the demo is not ready."""

SITE_TEXTS = "site_texts"
"""The texts of the site that the office has set on its page: they go before the settings of the same names."""
SIGN_IN_POLICY = "sign_in_policy"
"""How long candidates stay signed in (accounts.rules.SignInPolicy), as the office has set it."""


class PlatformFlag(Base):
    """One fact of this installation under its name."""

    __tablename__ = "platform_flags"

    name: Mapped[Str] = mapped_column(primary_key=True)
    value: Mapped[JsonB] = mapped_column(default=dict)
    set_at: Mapped[UtcDateTime]


class ContentLoad(Job):
    """Loading of the content that ships with the application, as it was ticked at the set-up."""

    __tablename__ = "content_loads"
    KIND = "admin.load_content"

    id: Mapped[JobId]
    parts: Mapped[JsonB] = mapped_column(default=list)
    """Keys of `setup.rules.CONTENT_PARTS`."""


class Rehearsal(Job):
    """A rehearsal (演练): a synthetic attempt on this deployment against a shadow database, and what it came to."""

    __tablename__ = "rehearsals"
    KIND = "admin.rehearse"

    id: Mapped[JobId]
    roster: Mapped[int]
    """For how many candidates it was judged."""
    is_go: Mapped[bool | None]
    """Null until it is judged."""
    figures: Mapped[JsonB] = mapped_column(default=list)
    """Lines of name, measured, needed, unit and whether it suffices (admin.rules.rehearsal.Line)."""
