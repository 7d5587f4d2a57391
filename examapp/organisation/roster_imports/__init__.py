"""Roster files: preview and commit."""
