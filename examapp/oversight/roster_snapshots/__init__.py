"""Roster snapshots."""
