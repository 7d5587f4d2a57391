"""What the platform knows about itself."""

from __future__ import annotations

from sqlalchemy.orm import Mapped, mapped_column

from examapp.core.db import Base, Instant, Json, Words

DEMO_LOADED = "demo_loaded"
"""The fact that the demo county is written whole; until then a try-out with the demo is not ready."""


class PlatformFact(Base):
    """One fact of this installation under its name."""

    __tablename__ = "platform_facts"

    name: Mapped[Words] = mapped_column(primary_key=True)
    value: Mapped[Json] = mapped_column(default=dict)
    set_at: Mapped[Instant]
