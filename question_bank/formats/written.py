"""What writing questions in a format comes to."""

from __future__ import annotations

from dataclasses import dataclass, field

from question_bank.parse_result import Note


@dataclass(frozen=True, slots=True)
class Written:
    """The file's bytes, and by name what of the questions the format could not say."""

    content: bytes
    losses: list[Note] = field(default_factory=list)
