"""Writes of the frame: the first set-up, facts of the installation, rehearsals."""

from examapp.admin.operations.setting_up import (
    Administrator,
    AlreadySetUpError,
    FirstPassword,
    LoginNameTakenError,
    SeparatedRolesError,
    SetUp,
    add_administrator,
    set_fact,
    set_up,
)

__all__ = [
    "Administrator",
    "AlreadySetUpError",
    "FirstPassword",
    "LoginNameTakenError",
    "SeparatedRolesError",
    "SetUp",
    "add_administrator",
    "set_fact",
    "set_up",
]
