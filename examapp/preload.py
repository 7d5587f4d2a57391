"""Whether this process only loads the program, for web processes to be forked from it: then it begins no threads and serves nobody."""

from __future__ import annotations

import os

_template_pid = 0


def become_template() -> None:
    """Say so, before the program is loaded."""
    global _template_pid  # noqa: PLW0603 – a fact of the process, told once
    _template_pid = os.getpid()


def is_template() -> bool:
    """Tell it of this very process; what is forked from a template is none."""
    return _template_pid == os.getpid()
