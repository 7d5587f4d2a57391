"""Commands of the frame: checks before a start, administrators, rehearsals, backups."""

from examapp.admin.cli.backing_up import backups
from examapp.admin.cli.rehearsing import rehearse
from examapp.admin.cli.starting import cli_blueprint

__all__ = ["backups", "cli_blueprint", "rehearse"]
