"""Roster reconciliation."""
