"""Roster imports."""
