"""Load a heavy module when it is first used: the PDF library and its font tools are 27 MB in each of the site's processes, few of which ever print."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class LazyModule:
    """A module in waiting: any attribute of it loads it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        """Give an attribute of the module, loaded by now; raises what its import and the lookup raise."""
        return getattr(import_module(self._name), attribute)
