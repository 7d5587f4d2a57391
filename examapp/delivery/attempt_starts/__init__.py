"""Attempt starts."""
