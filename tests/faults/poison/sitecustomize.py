"""Put on PYTHONPATH by the drill F18 alone: attempts named in DRILL_POISON/poisoned break whoever grades them; each try is written down."""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import resource
import sys
from pathlib import Path

_TARGET = "examapp.delivery.grading.actions"
_FOLDER = Path(os.environ.get("DRILL_POISON", "/nonexistent"))


def _poisoned() -> dict[int, str]:
    lines = (_FOLDER / "poisoned").read_text().split("\n") if (_FOLDER / "poisoned").exists() else []
    return {int(line.split()[0]): line.split()[1] for line in lines if line}


def _suffer(attempt_id: int, kind: str) -> None:
    with (_FOLDER / "tries").open("a") as attempts_made:
        attempts_made.write(f"{attempt_id}\n")
    if kind == "exit":
        os._exit(9)
    if kind == "memory":
        resource.setrlimit(resource.RLIMIT_AS, (600 * 1024 * 1024, resource.RLIM_INFINITY))
        try:
            _ = [bytearray(50 * 1024 * 1024) for _ in range(1000)]
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    while kind == "loop":
        pass


class _Finder(importlib.abc.MetaPathFinder):
    """Wraps the grading of one attempt when its module is loaded."""

    def find_spec(self, name, path, target=None):
        if name != _TARGET:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            make_grade = module.make_grade

            def make_poisoned_grade(sheet, *arguments, **fields):
                kind = _poisoned().get(sheet.id)
                if kind is not None:
                    _suffer(sheet.id, kind)
                return make_grade(sheet, *arguments, **fields)

            module.make_grade = make_poisoned_grade

        spec.loader.exec_module = exec_module  # type: ignore[method-assign] # the one loader of this module
        return spec


if _FOLDER.exists():
    sys.meta_path.insert(0, _Finder())
