"""Duty calendar."""
