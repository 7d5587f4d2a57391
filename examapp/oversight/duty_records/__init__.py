"""Duty records."""
