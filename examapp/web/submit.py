"""Acts behind a button: done in one transaction, and what came of them told on the page that follows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import flash
from sqlalchemy.orm import Session

from examapp.db.session import transaction
from examapp.errors import DomainError, NotFoundError


@contextmanager
def submit(words: str) -> Iterator[Session]:
    """Give a session to act in; tell the words once it has committed, or else why it was refused. What is not found stays a 404."""
    try:
        with transaction() as session:
            yield session
    except NotFoundError:
        raise
    except DomainError as error:
        flash(error.text, "danger")
    else:
        flash(words, "success")
