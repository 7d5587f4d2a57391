"""Attempt changes."""
