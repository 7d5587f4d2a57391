"""Roster change application."""
