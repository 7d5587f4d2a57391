"""An edition on its way into the bank: read and compared first, brought in once a person has confirmed."""

from __future__ import annotations

from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, deferred, mapped_column

from examapp.db.session import JsonB
from examapp.jobs.models import Job, JobId


class BankUpdate(Job):
    """An uploaded edition: previewed, then brought in; the county's own edits are kept save those chosen one by one."""

    __tablename__ = "bank_updates"
    KIND = "bank.update"

    id: Mapped[JobId]
    content: Mapped[bytes | None] = deferred(mapped_column(LargeBinary))
    is_confirmed: Mapped[bool] = mapped_column(default=False)
    overwritten: Mapped[JsonB] = mapped_column(default=list)
    """Codes of the county's own edits that a person has given up for the edition's text."""
    withdraws: Mapped[bool] = mapped_column(default=False)
    """Whether shipped questions that the edition no longer has are retired."""
    summary: Mapped[JsonB] = mapped_column(default=dict)
    """`{edition, same, new: [code], changed: [code], withdrawn: [code], own: [{code, mine, theirs}], gists, courses: {new: [title], kept: [title]}}`."""
