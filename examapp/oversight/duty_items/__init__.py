"""Duty items."""
