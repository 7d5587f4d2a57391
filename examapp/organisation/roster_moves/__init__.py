"""Roster moves."""
