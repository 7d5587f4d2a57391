"""Roster change requests."""
