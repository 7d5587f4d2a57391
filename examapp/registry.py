"""Which features there are, and what each declares, collected from the features' own files.

A feature is a folder of a group. Its tables, tasks, views and commands are found by the names of its files; its permissions and the labels of its
audited acts are the constants PERMISSIONS, AUDIT_ACTS, AUDIT_OBJECTS, AUDIT_DETAILS and AUDIT_VALUES of any of them.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType

from flask import Blueprint, Flask

from examapp import content, delivery, learning, organisation, oversight, platform, uploads
from examapp.organisation.access.rules import declare_permissions
from examapp.organisation.accounts.guards import list_menu
from examapp.platform.audit.rules import declare_labels
from examapp.web import metrics

GROUPS = (organisation, content, delivery, learning, oversight, platform)
_WITH_LIBRARIES = "render_"
"""Files that draw documents declare nothing, and need libraries that few processes load."""


def _load_feature(package: ModuleType) -> list[ModuleType]:
    names = [found.name for found in pkgutil.iter_modules(package.__path__)]
    return [import_module(f"{package.__name__}.{name}") for name in names if not name.startswith(_WITH_LIBRARIES)]


FEATURES: dict[str, list[ModuleType]] = {
    f"{group.__name__.rpartition('.')[2]}.{found.name}": _load_feature(import_module(f"{group.__name__}.{found.name}"))
    for group in GROUPS
    for found in pkgutil.iter_modules(group.__path__)
}
"""The files of each feature by `group.feature`."""
MODULES = (*(module for modules in FEATURES.values() for module in modules), *_load_feature(uploads), metrics)
"""Every file of a feature, so that the schema is whole and a worker knows each task, whatever else is imported."""

for _module in MODULES:
    declare_permissions(vars(_module).get("PERMISSIONS", {}))
    declare_labels(
        acts=vars(_module).get("AUDIT_ACTS", {}),
        objects=vars(_module).get("AUDIT_OBJECTS", {}),
        details=vars(_module).get("AUDIT_DETAILS", {}),
        values=vars(_module).get("AUDIT_VALUES", {}),
    )


def register(app: Flask) -> None:
    """Register the blueprint of every feature's views, API and commands, and collect the menu."""
    found = [thing for module in MODULES for thing in vars(module).values() if isinstance(thing, Blueprint)]
    for blueprint in dict.fromkeys(found):
        app.register_blueprint(blueprint)
    app.extensions["menu"] = list_menu(app)
