"""How many examples hypothesis draws: some in `make test`, the same in each run; all in `make test-long` (HYPOTHESIS_PROFILE=all), others each time."""

from __future__ import annotations

import os

from hypothesis import settings

_PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "some")
settings.register_profile("some", max_examples=30, deadline=None, derandomize=True)
settings.register_profile("all", max_examples=150, deadline=None)


def load_profile() -> None:
    """Set the number of examples of tests that name none, and no limit of time for one."""
    settings.load_profile(_PROFILE)


def some_of(examples: int) -> int:
    """Give how many of so many examples are drawn in this run."""
    return examples if _PROFILE == "all" else max(examples // 5, 10)
